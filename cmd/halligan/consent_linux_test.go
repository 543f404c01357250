package main

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"halligan/internal/testenv"
)

// At a terminal a person says yes before a key signs that asks for nothing itself.
func TestWhoApprovesAtATerminalSaysYes(t *testing.T) {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		testenv.Missing(t, "ssh-keygen is not there")
	}
	t.Chdir(t.TempDir())
	home := t.TempDir()
	getenv := func(name string) string { return map[string]string{"HALLIGAN_HOME": home}[name] }
	does := func(stdin io.Reader, stderr io.Writer, args ...string) (int, string) {
		t.Helper()
		var out bytes.Buffer
		if stderr == nil {
			stderr = &out
		}
		code := (&console{stdin: stdin, stdout: &out, stderr: stderr, getenv: getenv}).run(t.Context(), args)
		return code, out.String()
	}
	works := func(args ...string) string {
		t.Helper()
		code, out := does(strings.NewReader(""), nil, args...)
		if code != 0 {
			t.Fatalf("halligan %s ends with %d: %s", strings.Join(args, " "), code, out)
		}
		return out
	}
	for _, name := range []string{"ana", "ben"} {
		must(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name).Run())
	}
	works("init", "--tenant", tidewater, "--account", "2786d9fb-aa4e-4778-8abb-11a546852728", "--people", "2")
	works("person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.pub")
	works("person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.pub")
	works("request", "begin", "--by", "Ana Weiss", "--why", "first", "--key", "ana")
	hash := strings.TrimSpace(works("request", "list", "--format", "hashes"))
	for _, tt := range []struct {
		answer string
		code   int
	}{{"no", 1}, {"", 1}, {"YES?", 1}, {"yes", 0}} {
		master, terminal := openTerminal(t, 80)
		go func() { _, _ = io.Copy(io.Discard, master) }() // ends with the terminal
		_, err := io.WriteString(master, tt.answer+"\n")   // typed ahead
		must(t, err)
		if code, out := does(terminal, terminal, "approve", hash, "--as", "Ben Ode", "--key", "ben"); code != tt.code || (code == 0) != strings.Contains(out, "Approved") {
			t.Errorf("after %q it ends with %d, want %d: %s", tt.answer, code, tt.code, out)
		}
	}
}
