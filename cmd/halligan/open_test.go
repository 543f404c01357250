package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/seal"
)

func TestASuperfluousBadKeyIsToldAndOpensAllTheSame(t *testing.T) {
	dir := t.TempDir()
	ana, ben, eve := ageBearer(t, dir, "ana"), ageBearer(t, dir, "ben"), ageBearer(t, dir, "eve")
	file := sealFor(t, dir, ana, ben)
	must(t, os.WriteFile(filepath.Join(dir, "cy.key"), []byte("AGE-SECRET-KEY-1MISTYPED\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "page"), []byte("lusab babad\n"), 0o600))
	bad := []string{"-i", eve.file, "-i", "cy.key", "-i", "gone.key", "--share", "page"}
	out, said, code := runs(t, dir, append([]string{"open", file, "-i", ana.file, "-i", ben.file, "--to-stdout"}, bad...)...)
	if out != sealedPassword+"\n" || code != 0 {
		t.Fatalf("got %d %q %q", code, out, said)
	}
	for _, want := range []string{"warning: not used, and not needed: the key is of nobody who holds this: " + eve.file, "cy.key: a letter of the key is wrong", "gone.key", "this file takes none"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	out, said, code = runs(t, dir, append([]string{"open", file, "-i", ana.file, "--to-stdout"}, bad...)...)
	if out != "" || code != 1 || strings.Contains(said, "not needed") {
		t.Fatalf("got %d %q %q", code, out, said)
	}
	for _, want := range []string{"error: ", eve.file, "cy.key: a letter of the key is wrong", "gone.key", "this file takes none", "hint: "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
}

// A folder that is not there is told before anything else is asked or looked at.
func TestAFolderThatIsNotThereIsToldBeforeASecretIsAskedFor(t *testing.T) {
	c := testConsole()
	_, err := c.sealJob(t.Context(), nil, &sealFlags{request: "x", out: filepath.Join(t.TempDir(), "gone", "a.sealed")})
	if err == nil || !strings.Contains(hintOf(err), "make the folder") {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

// What cannot be printed is told while the request is still good, and no letter of a
// secret is.
func TestEnvelopesThatCannotBePrintedAreToldBefore(t *testing.T) {
	c := testConsole()
	f := sealFlags{papersToStdout: true, envelopes: envelopeFlags{form: "pdf", paper: "a4"}}
	must(t, c.envelopes(&f))
	how := f.envelopes.how
	task := &app.SealTask{Form: seal.FormHalves, Need: 2, Label: "account 1", Holders: []seal.Holder{{Number: 1, Name: "Ana Weiss", Kind: seal.KindAge, Half: 1}, {Number: 2, Name: "Dora Ek", Kind: seal.KindPaper, Half: 2}}}
	must(t, tryEnvelopes(how, task))
	task.Holders[1].Name = "王小明"
	if err := tryEnvelopes(how, task); err == nil {
		t.Error("a name that no font has is not told")
	}
	for half, good := range map[string]bool{"Lm3npqrsTu4vwxyz": true, "Zoë": true, "密码密码": false, strings.Repeat("x", 8000): false} {
		ask := printable(how, func(context.Context, *app.SealTask) ([]custody.Secret, error) {
			return []custody.Secret{custody.NewSecret([]byte("Hf7q")), custody.NewSecret([]byte(half))}, nil
		})
		_, err := ask(t.Context(), task)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), half[:3]) {
			t.Errorf("%.20q: %v", half, err)
		}
	}
}

// Without a terminal the real mistake is told first.
func TestOpenTellsTheRealMistakeWithoutATerminal(t *testing.T) {
	dir := t.TempDir()
	ana, ben, eve := ageBearer(t, dir, "ana"), ageBearer(t, dir, "ben"), ageBearer(t, dir, "eve")
	file := sealFor(t, dir, ana, ben)
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"no such file": {[]string{"gone.sealed"}, "gone.sealed", 1},
		"another file": {[]string{ana.file}, "this is no sealed file that can be read", 1},
		"no key":       {[]string{file}, "nobody is here, and it takes 2 of ana, ben", 1},
		"one key":      {[]string{file, "-i", ana.file}, "ana is here, and it takes 2 of ana, ben", 1},
		"a stranger":   {[]string{file, "-i", ana.file, "-i", eve.file}, "the key is of nobody who holds this", 1},
		"enough":       {[]string{file, "-i", ana.file, "-i", ben.file}, "the secret is shown on a terminal, and here is none", 2},
	} {
		t.Run(name, func(t *testing.T) {
			out, said, code := runs(t, dir, append([]string{"open"}, c.args...)...)
			if out != "" || code != c.code || !strings.Contains(said, c.want) {
				t.Errorf("got %d %q %q, want %q", code, out, said, c.want)
			}
		})
	}
}
