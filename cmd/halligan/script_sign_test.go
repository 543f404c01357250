package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// Scripts about requests sign as people do, with ssh-keygen. Beside exits they
// can say
//
//	people NAME...          make a key pair NAME, NAME.pub for each
//	capture VARIABLE REGEX  keep what REGEX, or its first group, finds in the last output;
//	                        stderr behind it: in what was said
//	flip FILE REGEX         flip the lowest bit of the first byte that REGEX finds
//
// and [ssh-keygen] is whether OpenSSH is there.

// surroundings are conditions of scripts. What is missing must not hide a missing
// test: HALLIGAN_REQUIRE=1 demands it.
func surroundings(condition string) (bool, error) {
	if condition != "ssh-keygen" {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	_, err := exec.LookPath("ssh-keygen")
	if err != nil && os.Getenv("HALLIGAN_REQUIRE") == "1" {
		return false, fmt.Errorf("%w, and HALLIGAN_REQUIRE=1 demands it", err)
	}
	return err == nil, nil
}

func people(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) == 0 {
		ts.Fatalf("usage: people NAME...")
	}
	for _, name := range args {
		ts.Check(ts.Exec("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(ts.Getenv("WORK"), name)))
	}
}

func capture(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: capture VARIABLE REGEX [stderr]")
	}
	from := "stdout"
	if len(args) == 3 {
		from = args[2]
	}
	out := ts.ReadFile(from)
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(out)
	if found == nil {
		ts.Fatalf("capture %s: the output has no %s:\n%s", args[0], args[1], out)
	}
	ts.Setenv(args[0], found[len(found)-1])
}

func flip(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: flip FILE REGEX")
	}
	text := []byte(ts.ReadFile(args[0]))
	at := regexp.MustCompile(args[1]).FindIndex(text)
	if at == nil {
		ts.Fatalf("flip: %s has no %s", args[0], args[1])
	}
	text[at[0]] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}
