package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"halligan/internal/testenv"
)

// At a terminal a part is asked for, and so is what somebody found who looked at it.
// Nothing secret is asked for, and the recorded number is not shown.
func TestCustodyAsksOnATerminal(t *testing.T) {
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
	approves := func() {
		t.Helper()
		works("approve", strings.TrimSpace(works("request", "list", "--format", "hashes")), "--as", "Ben Ode", "--key", "ben")
	}
	asked := func(want int, answers string, args ...string) (said, out string) {
		t.Helper()
		master, terminal := openTerminal(t, 200)
		_, err := io.WriteString(master, answers) // typed ahead
		must(t, err)
		code, out := does(terminal, terminal, args...)
		_, err = io.WriteString(terminal, "\nTHE END\n")
		must(t, err)
		for in := bufio.NewScanner(master); !strings.Contains(said, "THE END") && in.Scan(); {
			said += in.Text() + "\n"
		}
		if code != want {
			t.Errorf("%q ends with %d, want %d:\n%s\n%s", args, code, want, said, out)
		}
		return said, out
	}
	for _, name := range []string{"ana", "ben"} {
		must(t, exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name).Run())
	}
	works("init", "--tenant", tidewater, "--account", "2786d9fb-aa4e-4778-8abb-11a546852728", "--people", "2")
	works("person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.pub")
	works("person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.pub")
	works("request", "begin", "--by", "Ana Weiss", "--why", "first", "--key", "ana")
	approves()
	works("custody", "place", "Main safe", "--by", "Ana Weiss", "--why", "ours", "--key", "ana")
	approves()

	said, _ := asked(0, "binder\nAna Weiss\nMain safe\n77001\n", "custody", "add", "red binder", "--by", "Ana Weiss", "--why", "first", "--key", "ana")
	for _, want := range []string{"What is it? key, pin", "Who holds it", "Where does it lie: Main safe", "number of its seal"} {
		if !strings.Contains(said, want) {
			t.Errorf("the terminal does not say %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "Of which account") {
		t.Errorf("a binder is asked for its account:\n%s", said)
	}
	approves()
	text, err := os.ReadFile("halligan.yaml")
	must(t, err)
	if !strings.Contains(string(text), `seal: "77001"`) {
		t.Fatalf("the register lacks it:\n%s", text)
	}
	said, out := asked(3, "intact\n77010\n0123456789abcdef\n", "custody", "verify", "red binder", "--as", "Ben Ode")
	if strings.Contains(said+out, "77001") || !strings.Contains(said, "Which number do you read") || !strings.Contains(said, "Which digest stands on its pages") || !strings.Contains(out, "not the recorded one") {
		t.Errorf("it says\n%s\n%s", said, out)
	}
	said, out = asked(3, "missing\n", "custody", "verify", "red binder", "--as", "Ben Ode")
	if strings.Contains(said, "Which number") || !strings.Contains(out, "not where it is recorded") {
		t.Errorf("it says\n%s\n%s", said, out)
	}
	// Whoever stops answering has done nothing.
	said, _ = asked(1, "\x04", "custody", "verify", "red binder", "--as", "Ben Ode")
	if !strings.Contains(said, "nobody answered") {
		t.Errorf("it says\n%s", said)
	}
}
