package main

import (
	"io"
	"strings"
	"testing"
)

// At a terminal a person says yes before a key signs that asks for nothing itself.
func TestWhoApprovesAtATerminalSaysYes(t *testing.T) {
	tr := newTrial(t, "ana", "ben")
	tr.works("init", "--tenant", tidewater, "--account", "2786d9fb-aa4e-4778-8abb-11a546852728", "--people", "2")
	tr.works("person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.pub")
	tr.works("person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.pub")
	tr.works("request", "begin", "--by", "Ana Weiss", "--why", "first", "--key", "ana")
	hash := strings.TrimSpace(tr.works("request", "list", "--format", "hashes"))
	for _, tt := range []struct {
		answer string
		code   int
	}{{"no", 1}, {"", 1}, {"YES?", 1}, {"yes", 0}} {
		master, terminal := openTerminal(t, 80)
		go func() { _, _ = io.Copy(io.Discard, master) }() // ends with the terminal
		_, err := io.WriteString(master, tt.answer+"\n")   // typed ahead
		must(t, err)
		if code, out := tr.does(terminal, terminal, "approve", hash, "--as", "Ben Ode", "--key", "ben"); code != tt.code || (code == 0) != strings.Contains(out, "Approved") {
			t.Errorf("after %q it ends with %d, want %d: %s", tt.answer, code, tt.code, out)
		}
	}
}
