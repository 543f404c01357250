package main

import (
	"bufio"
	"io"
	"os"
	"strings"
	"testing"
)

// At a terminal a part is asked for, and so is what somebody found who looked at it.
// Nothing secret is asked for, and the recorded number is not shown.
func TestCustodyAsksOnATerminal(t *testing.T) {
	tr := newTrial(t, "ana", "ben")
	approves := func() {
		t.Helper()
		tr.works("approve", strings.TrimSpace(tr.works("request", "list", "--format", "hashes")), "--as", "Ben Ode", "--key", "ben")
	}
	asked := func(want int, answers string, args ...string) (said, out string) {
		t.Helper()
		master, terminal := openTerminal(t, 200)
		_, err := io.WriteString(master, answers) // typed ahead
		must(t, err)
		code, out := tr.does(terminal, terminal, args...)
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
	tr.works("init", "--tenant", tidewater, "--account", "2786d9fb-aa4e-4778-8abb-11a546852728", "--people", "2")
	tr.works("person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.pub")
	tr.works("person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.pub")
	tr.works("request", "begin", "--by", "Ana Weiss", "--why", "first", "--key", "ana")
	approves()
	tr.works("custody", "place", "Main safe", "--by", "Ana Weiss", "--why", "ours", "--key", "ana")
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
