package main

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"testing"

	"halligan/internal/testenv"
)

// trial gives commands in a folder of its own, in this process.
type trial struct {
	t    *testing.T
	home string
}

// newTrial begins one that has the keys of some people.
func newTrial(t *testing.T, people ...string) *trial {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		testenv.Missing(t, "ssh-keygen is not there")
	}
	t.Chdir(t.TempDir())
	for _, name := range people {
		must(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name).Run())
	}
	return &trial{t, t.TempDir()}
}

// does gives a command, and returns its exit code and what it said; stderr nil: the
// same place as stdout.
func (tr *trial) does(stdin io.Reader, stderr io.Writer, args ...string) (int, string) {
	tr.t.Helper()
	var out bytes.Buffer
	if stderr == nil {
		stderr = &out
	}
	getenv := func(name string) string { return map[string]string{"HALLIGAN_HOME": tr.home}[name] }
	code := (&console{stdin: stdin, stdout: &out, stderr: stderr, getenv: getenv}).run(tr.t.Context(), args)
	return code, out.String()
}

// works gives a command that must end with 0.
func (tr *trial) works(args ...string) string {
	tr.t.Helper()
	code, out := tr.does(strings.NewReader(""), nil, args...)
	if code != 0 {
		tr.t.Fatalf("halligan %s ends with %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}
