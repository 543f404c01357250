// Writer is a small program that owns a store and appends to it, for the tests
// that kill it, stop it and take its disk away.
package main

import (
	"os"

	"halligan/internal/storetest"
)

func main() { os.Exit(storetest.Write(os.Args[1:], os.Stdin, os.Stdout)) }
