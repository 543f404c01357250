package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"halligan/custody"
	"halligan/seal"
)

// keys are a terminal and somebody who types at it in the same program. As a screen it
// answers each prompt at once with what it was told.
type keys struct {
	t                *testing.T
	master, terminal *os.File
	answer           string
	rests, prompts   int
	said             bytes.Buffer
}

// waiting is how many letters of whole lines nobody has read.
func (k *keys) waiting() int {
	n, err := unix.IoctlGetInt(int(k.terminal.Fd()), unix.TIOCINQ)
	must(k.t, err)
	return n
}

// types types whole lines, and returns once they are there to be read.
func (k *keys) types(text string) {
	want := k.waiting() + len(text)
	_, err := k.master.WriteString(text)
	must(k.t, err)
	for k.waiting() < want && k.t.Context().Err() == nil {
		runtime.Gosched()
	}
}

func (k *keys) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("Press Enter ")) {
		k.prompts++
		k.types(k.answer)
	}
	return k.said.Write(b)
}

// atKeys is a console at a terminal that rests for as long as it takes to type late.
func atKeys(t *testing.T, late, answer string) (*console, *keys) {
	t.Helper()
	k := &keys{t: t, answer: answer}
	k.master, k.terminal = openTerminal(t, 80)
	c := testConsole()
	c.stdin, c.stderr = k.terminal, k
	c.rest = func() <-chan time.Time {
		k.rests++
		k.types(late)
		now := make(chan time.Time)
		close(now)
		return now
	}
	return c, k
}

// What was typed before a prompt was there to be read, by a scanner that ends its code
// with several blank lines or a hand that presses Enter twice, neither clears a secret
// nor shows one. Whoever answers the prompt is heard, however quick.
func TestAnEnterTypedAheadAnswersNoPrompt(t *testing.T) {
	secret := custody.NewSecret([]byte(sealedPassword))
	for name, tt := range map[string]struct {
		prompts int
		shows   func(c *console) error
	}{
		"a secret that was opened": {1, func(c *console) error {
			return c.clearOpened(t.Context(), &seal.File{}, &seal.Opened{}, nil, func() error { return nil })
		}},
		"a page of words":        {2, func(c *console) error { return c.showPaper(&seal.Paper{Holder: "Dora Ek", Words: secret, QR: secret}) }},
		"a secret that was made": {1, func(c *console) error { return c.showMade(&sealFlags{show: true}, []custody.Secret{secret}) }},
	} {
		for when, typed := range map[string]struct{ before, late string }{
			"before":                   {"\r\n\r\n", ""},
			"while the terminal rests": {"", "\r\n\r\n"},
			"at both times":            {"\n", "\n\n"},
		} {
			t.Run(name+" "+when, func(t *testing.T) {
				c, k := atKeys(t, typed.late, "\n")
				k.types(typed.before)
				must(t, tt.shows(c))
				if n := k.waiting(); n > 0 || k.prompts != tt.prompts || k.rests != k.prompts {
					t.Errorf("%d letters are left after %d prompts and %d rests: %q", n, k.prompts, k.rests, k.said.String())
				}
			})
		}
	}
}

// Enter pressed twice where nobody else looks on shows a page, and does not clear it.
func TestEnterPressedTwiceClearsNoPage(t *testing.T) {
	c, k := atKeys(t, "", "\n\n")
	words := custody.NewSecret([]byte("lusab babad\n"))
	must(t, c.showPaper(&seal.Paper{Holder: "Dora Ek", Words: words, QR: words}))
	if n := k.waiting(); n != 1 { // the second of the two at the last prompt
		t.Errorf("%d letters are left: %q", n, k.said.String())
	}
}

// A question before has read more than its line, as a console may hand it out.
func TestALineThatWasReadAheadAnswersNoPrompt(t *testing.T) {
	c, k := atKeys(t, "", "")
	c.lines = bufio.NewReader(io.MultiReader(strings.NewReader("first\nahead\n"), k.terminal))
	if line, err := c.readLine(); line != "first" || err != nil {
		t.Fatalf("got %q, %v", line, err)
	}
	c.forgetTyped()
	k.types("now\n")
	if line, err := c.readLine(); line != "now" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
}

// Lines that come from no terminal are all read.
func TestLinesOfAFileAreNotThrownAway(t *testing.T) {
	in, w, err := os.Pipe()
	must(t, err)
	defer in.Close()
	_, err = w.WriteString("one\ntwo\nthree\n")
	must(t, err)
	must(t, w.Close())
	c := testConsole()
	c.stdin = in
	_, err = c.readLine()
	must(t, err)
	must(t, c.pressed("Press Enter when it is set. "))
	if line, err := c.readLine(); line != "three" || err != nil {
		t.Errorf("got %q, %v", line, err)
	}
}

// noticed is an input that says when somebody reads it.
type noticed struct {
	io.Reader
	reads chan struct{}
}

func (n noticed) Read(b []byte) (int, error) {
	n.reads <- struct{}{}
	return n.Reader.Read(b)
}

// A reading that Ctrl-C left behind is not beside the next one, and takes no line from
// it.
func TestAQuestionThatCtrlCEndedTakesNoLineOfTheNext(t *testing.T) {
	in, w := io.Pipe()
	reads := make(chan struct{}, 9)
	c := testConsole()
	c.stdin = noticed{in, reads}
	ctx, stop := context.WithCancel(t.Context())
	c.stop = ctx.Done()
	go func() {
		<-reads
		stop()
	}()
	if line, err := c.readLine(); !interrupted(err) {
		t.Fatalf("got %q, %v", line, err)
	}
	c.stop = nil
	go func() { _, _ = w.Write([]byte("yes\n")) }()
	if line, err := c.readLine(); line != "yes" || err != nil || len(reads) > 0 {
		t.Errorf("got %q, %v, and %d more reads", line, err, len(reads))
	}
}

// Of a file that takes no shares nobody is asked for one, at a terminal or through a pipe:
// what stands there is a half of a password, or not typed at all.
func TestNobodyIsAskedForAShareOfAFileThatTakesNone(t *testing.T) {
	dir := t.TempDir()
	ana, ben := ageBearer(t, dir, "ana"), ageBearer(t, dir, "ben")
	halves, pair := sealHalves(t, dir, ana), sealFor(t, dir, ana, ben)
	for _, tt := range []struct {
		args []string
		form string
		says []string
		code int
	}{
		{[]string{halves, "-i", ana.file}, "halves", []string{"Hf7qwinter9Kd2xy"}, 0},
		{[]string{pair, "-i", ana.file, "-i", ben.file}, "pair", []string{sealedPassword}, 0},
		{[]string{pair, "-i", ana.file}, "pair", []string{"error: open account 1", "ana is here, and it takes 2 of ana, ben"}, 1},
	} {
		d := converse(t, dir, append([]string{"halligan", "open", "--share", "-", "--share", "-"}, tt.args...)...)
		if tt.code == 0 {
			d.waits("the screen is cleared. ")
			d.types("")
		}
		_, code := d.ends()
		said := d.seen.String()
		holds(t, said, append(tt.says, "warning: --share - asks for nothing: this file takes none: its form is "+tt.form)...)
		if code != tt.code || strings.Contains(said, "row 1") || strings.Count(said, "takes none") != 1 {
			t.Errorf("%v: got %d %s", tt.args, code, said)
		}
	}
	out, said, code := runs(t, dir, "open", pair, "-i", ana.file, "-i", ben.file, "--share", "-", "--to-stdout")
	if out != sealedPassword+"\n" || code != 0 || strings.Contains(said, "row 1") {
		t.Errorf("got %d %q %s", code, out, said)
	}
}

// sealHalves seals a password of which one half is of a key and the other on paper.
func sealHalves(t *testing.T, dir string, b bearer) string {
	t.Helper()
	r, err := seal.ParseRecipient(b.public)
	must(t, err)
	p := &seal.Plan{Form: seal.FormHalves, Need: 2, Account: "ea-north@example.com", Label: "account 1", What: "the password", Made: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		Holders: []seal.To{{Name: b.name, Key: b.public, Recipient: r, Half: 1}, {Name: "Dora Ek", Half: 2}}}
	s, err := seal.Seal(rand.Reader, p, custody.NewSecret([]byte("Hf7qwinter9Kd2xy")), custody.NewSecret([]byte("Lm3npqrsTu4vwxyz")))
	must(t, err)
	file := filepath.Join(dir, "halves.sealed")
	must(t, os.WriteFile(file, s.Bytes, 0o600))
	return file
}

// With the real program at a terminal: a scanner types the share and two blank lines
// too many, and somebody presses Enter while channels are told. The secret stays until
// Enter answers the prompt.
func TestASecretStaysUntilItsPromptIsAnswered(t *testing.T) {
	dir := t.TempDir()
	pressed := make(chan struct{})
	room := listens(t, dir, func(ctx context.Context) {
		select {
		case <-pressed:
		case <-ctx.Done():
		}
	})
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	code, err := os.ReadFile(filepath.Clean(share))
	must(t, err)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", "-")
	d.waits("row 1: ")
	_, err = d.master.WriteString(string(code) + "\r\n\r\n")
	must(t, err)
	d.waits(sealedPassword)
	d.waits("telling 1 channel")
	d.types("")
	close(pressed)
	d.waits("the screen is cleared. ")
	d.types("I have it")
	if rest, code := d.ends(); code != 0 || !strings.HasPrefix(rest, "I have it") || !strings.Contains(rest, clearScreen) {
		t.Errorf("got %d %q", code, rest)
	}
}
