package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// holds reports what a text lacks, its blanks and line breaks being one.
func holds(t *testing.T, text string, wants ...string) {
	t.Helper()
	said := strings.Join(strings.Fields(text), " ")
	for _, want := range wants {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// At a terminal each answer and each flag is held to the register as soon as it is
// given, and asked for once more with the near name. Ctrl-C at any question leaves
// everything as it was, and says so.
func TestWrongAnswersAreAskedForAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run(0, "approve", h.asksCustody("place", "Main safe", "--site", "Lisbon"), "--as", "Ben Ode", "--key", "ben")
	begin := func(args ...string) *dialogue { return converse(t, h.dir, append([]string{program(t)}, args...)...) }
	size := h.size()

	// A wrong flag is told before the first question; what was right is not asked for.
	d := begin("custody", "add", "red binder", "--kind", "bindr", "--holder", "Ben Odee", "--seal", "4401", "--key", "ana")
	holds(t, d.waits("What is it?"), `error: --kind: no kind "bindr"`, "hint: did you mean binder?", `error: --holder: nobody in the register is called "Ben Odee"`, "did you mean Ben Ode?")
	d.types("bindr")
	holds(t, d.waits("What is it?"), "did you mean binder?")
	d.types("Binder")
	d.waits("Who holds it")
	d.types("ben  ode")
	d.waits("Where does it lie: Main safe")
	d.types("Mian safe")
	holds(t, d.waits("Where does it lie"), "did you mean Main safe?")
	d.types("main safe")
	d.waits("Who are you")
	d.types("")
	holds(t, d.waits("Who are you"), "who asks? A request needs a name")
	d.types("Ana Weis")
	holds(t, d.waits("Who are you"), "did you mean Ana Weiss?")
	d.types("Ana Weiss")
	d.waits("Why?")
	if h.size() != size {
		t.Error("something was written before the last answer")
	}
	holds(t, d.ctrlC(), "error: interrupted: nothing was asked for, and the register is as it was", "hint: give the command again")
	if h.size() != size {
		t.Error("Ctrl-C left something in the evidence")
	}

	h.run(0, "approve", h.asksCustody("add", "red binder", "--kind", "binder", "--holder", "ana weiss", "--place", "Main safe", "--seal", "4401"), "--as", "Ben Ode", "--key", "ben")
	d = begin("custody", "verify", "red bindr", "--as", "Ben Oed", "--state", "intackt")
	holds(t, d.waits("Which part"), `did you mean "red binder"?`, "did you mean Ben Ode?", "did you mean intact?")
	d.types("Red Binder")
	d.waits("Who looked")
	d.types("Ben Ode")
	d.waits("How did you find it")
	d.types("lost")
	holds(t, d.waits("How did you find it"), "possible: intact, broken, missing")
	d.types("intact")
	d.waits("Which number")
	size = h.size()
	holds(t, d.ctrlC(), "error: interrupted: nothing was recorded", "hint: give the command again")
	if h.size() != size {
		t.Error("Ctrl-C left something in the evidence")
	}

	// Ctrl-C at the question whether to sign signs nothing.
	ask := h.asksCustody("move", "red binder", "--seal", "4402")
	size = h.size()
	d = begin("approve", ask, "--as", "Ben Ode", "--key", "ben")
	d.waits("Sign this as Ben Ode? Type yes:")
	holds(t, d.ctrlC(), "error: interrupted: nothing was signed, and the request waits as before")
	if h.size() != size {
		t.Error("Ctrl-C left something in the evidence")
	}

	d = converse(t, h.dir, program(t), "init", "--from", "tenant", "--tenant", tidewater, "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "-o", "other.yaml")
	d.waits("How many people are there")
	holds(t, d.ctrlC(), "error: interrupted: nothing was written", "hint: give the command again")
	if _, err := os.Stat(filepath.Join(h.dir, "other.yaml")); err == nil {
		t.Error("Ctrl-C left a register")
	}
}

// Without a terminal one error names all that is wrong.
func TestWrongFlagsAreToldTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run(0, "approve", h.asksCustody("place", "Main safe", "--site", "Lisbon"), "--as", "Ben Ode", "--key", "ben")
	size := h.size()
	out := h.run(2, "custody", "add", "--kind", "kee", "--account", "nobody", "--holder", "Ben Odee", "--place", "Mian safe", "--since", "soon", "--by", "Anna Weiss", "--key", "ana")
	holds(t, out, `--kind: no kind "kee"`, `--account: no account "nobody"`, `--holder: nobody in the register is called "Ben Odee"`, `--place: no place of the register is called "Mian safe"`, `--since: no day "soon"`,
		`--by: nobody in the register is called "Anna Weiss"`, "why? Those who approve must know", "--holder: did you mean Ben Ode?", "--place: did you mean Main safe?")
	if n := strings.Count(out, "error:"); n != 1 {
		t.Errorf("%d errors: %s", n, out)
	}
	out = h.run(2, "custody", "verify", "red", "--as", "Ben Oed", "--state", "fine")
	holds(t, out, "find part", `nobody in the register is called "Ben Oed"`, `no state "fine"`)
	holds(t, h.run(1, "custody", "add", "x", "--kind", "binder", "--by", "Ana Weiss", "--why", "x", "--key", "nosuch"), "error: read the key")
	if h.size() != size {
		t.Error("something was written")
	}
}

// request show and approve tell a request in the same lines: what changes, why, who
// asks, until when; show also who has approved, what is missing and what is next. No
// digest and no JSON stands there.
func TestARequestIsToldInTheLinesThatApproversRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.run(0, "approve", h.asksCustody("place", "Main safe", "--access", "Ana Weiss"), "--as", "Ben Ode", "--key", "ben")
	ask := h.asksCustody("add", "red binder", "--kind", "binder", "--holder", "Ben Ode", "--place", "Main safe", "--seal", "4401")
	lines := []string{"change + part red binder: kind binder, holder Ben Ode, place Main safe, seal 4401, since ", "warning part red binder: Ben Ode cannot open Main safe", "why a test", "asked by Ana Weiss", "until 2"}
	shown := h.run(0, "request", "show", ask)
	holds(t, shown, append(lines, "open, 0 of 1 approved", "asked on 2", "approved by nobody yet", "missing 1 approval, from Ben Ode", "next halligan approve "+ask+" --as NAME --key FILE")...)
	d := converse(t, h.dir, program(t), "approve", ask, "--as", "Ben Ode", "--key", "ben")
	read := d.waits("Sign this as Ben Ode? Type yes:")
	holds(t, read, append(lines, "you are Ben Ode")...)
	if n := strings.Count(read, "\n"); n > 14 {
		t.Errorf("approve takes %d lines:\n%s", n, read)
	}
	d.types("yes")
	if said, code := d.ends(); code != 0 {
		t.Errorf("approve ends with %d: %s", code, said)
	}
	for _, text := range []string{shown, read} {
		if found := regexp.MustCompile(`sha256:|[{}]|[0-9a-f]{32}`).FindString(text); found != "" {
			t.Errorf("it says %q:\n%s", found, text)
		}
	}
	holds(t, h.run(0, "request", "show", ask), "carried out, entry", "approved by Ben Ode")
	holds(t, h.run(0, "request", "show", ask, "--format", "canonical"), `"details":{"changes":["+ part red binder`)
}

// What a forged request calls its details cannot pass for a line of the request.
func TestDetailsCannotPassForLines(t *testing.T) {
	t.Parallel()
	c := testConsole()
	p := c.page(c.stdout)
	p.askedFor("what      accept: accept a risk\ndetails   {\"asked by\":\"Ben Ode\",\"until\":\"9999\",\"from\":\"x\"}\nby        Mallory\n")
	holds(t, p.b.String(), "details asked by: Ben Ode", "until: 9999", "from: x", "asked by Mallory")
	if strings.Contains(p.b.String(), "\n  asked by  Ben") {
		t.Errorf("it says\n%s", p.b.String())
	}
}

// Nothing that is printed is thrown at a terminal, with -o - neither.
func TestNoPaperGoesToATerminal(t *testing.T) {
	t.Parallel()
	register, err := filepath.Abs(filepath.Join("..", "..", "examples", "custody", "ians.yaml"))
	must(t, err)
	for _, args := range [][]string{{}, {"-o", "-"}, {"--card"}, {"--format", "html"}} {
		said, code := converse(t, t.TempDir(), append([]string{program(t), "binder", "--register", register}, args...)...).ends()
		if code != 2 || strings.Contains(said, "%PDF") || strings.Contains(said, "<html") {
			t.Errorf("%q ends with %d: %.300s", args, code, said)
		}
		holds(t, said, "error: where to? A terminal cannot show", "hint: name a file: -o binder.")
	}
}
