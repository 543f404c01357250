package contract_test

import (
	"fmt"
	"halligan/internal/contract"
	"halligan/internal/testenv"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	began := time.Now()
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("load", time.Since(began))
	began = time.Now()
	n := map[string]int{}
	for _, e := range c.Examples() {
		bad := false
		for _, v := range c.Check(e.Exchange) {
			n[v.Rule]++
			bad = true
			if v.Rule != "context" {
				s := v.String()
				if len(s) > 330 {
					s = s[:330]
				}
				fmt.Println(e.File, s)
			}
		}
		if bad {
			n["files"]++
		}
	}
	fmt.Println(n, time.Since(began))
}
