package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"halligan/internal/testenv"
)

// dialogue is a program at a terminal, and a person who reads and types.
type dialogue struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	mu     sync.Mutex
	seen   bytes.Buffer
	more   chan struct{} // something was said, or the program ended
	read   int           // how much of it the person has read
}

// converse starts a program at a terminal of its own.
func converse(t *testing.T, dir string, args ...string) *dialogue {
	t.Helper()
	master, terminal := openTerminal(t, 200)
	d := &dialogue{t: t, master: master, more: make(chan struct{}, 1), cmd: exec.CommandContext(t.Context(), args[0], args[1:]...)}
	d.cmd.Dir, d.cmd.Env = dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(dir, "home"), "TMPDIR="+filepath.Join(dir, "tmp"), "TERM=xterm", "NO_COLOR=1")
	d.cmd.Stdin, d.cmd.Stdout, d.cmd.Stderr = terminal, terminal, terminal
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, d.cmd.Start())
	must(t, terminal.Close()) // the program alone holds it: its end is the end of what is said
	go func() {
		defer close(d.more)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			d.mu.Lock()
			d.seen.Write(b[:n])
			d.mu.Unlock()
			if err != nil {
				return
			}
			select {
			case d.more <- struct{}{}:
			default:
			}
		}
	}()
	return d
}

// waits reads on until something is said, and returns all up to it.
func (d *dialogue) waits(for_ string) string {
	d.t.Helper()
	end := time.NewTimer(30 * time.Second)
	defer end.Stop()
	for {
		d.mu.Lock()
		unread := d.seen.String()[d.read:]
		d.mu.Unlock()
		if at := strings.Index(unread, for_); at >= 0 {
			d.read += at + len(for_)
			return unread[:at+len(for_)]
		}
		select {
		case _, open := <-d.more:
			if !open {
				d.t.Fatalf("%v ended without %q:\n%s", d.cmd.Args, for_, unread)
			}
		case <-end.C:
			d.t.Fatalf("%v does not say %q:\n%s", d.cmd.Args, for_, unread)
		}
	}
}

func (d *dialogue) types(line string) {
	d.t.Helper()
	_, err := d.master.WriteString(line + "\n")
	must(d.t, err)
}

// ends waits for the end and returns what was said since, and the exit code.
func (d *dialogue) ends() (string, int) {
	d.t.Helper()
	for range d.more {
	}
	err := d.cmd.Wait()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		d.t.Fatal(err)
	}
	return d.seen.String()[d.read:], d.cmd.ProcessState.ExitCode()
}

// stage is a folder with a tenant's register and evidence, and what a tracer saw of
// every command: its arguments, its environment, and those of what it started.
type stage struct {
	t       *testing.T
	dir     string
	tracer  string
	traces  int
	said    bytes.Buffer // by all commands but those that give a secret out
	request *regexp.Regexp
}

func newStage(t *testing.T) *stage {
	t.Helper()
	tracer, err := exec.LookPath("strace")
	if err != nil {
		testenv.Missing(t, "strace is not here")
	}
	s := &stage{t: t, dir: t.TempDir(), tracer: tracer, request: regexp.MustCompile(`(?m)^Request ([0-9a-f]{12})`)}
	must(t, os.Mkdir(filepath.Join(s.dir, "tmp"), 0o700))
	return s
}

// traced is a command under the tracer.
func (s *stage) traced(args []string) []string {
	s.traces++
	return append([]string{s.tracer, "-f", "-q", "-v", "-s", "100000", "-e", "trace=execve,execveat", "-o", filepath.Join(s.dir, "trace."+number(uint64(s.traces))), "halligan"}, args...)
}

// does runs a command that must succeed, and whose output tells no secret.
func (s *stage) does(args ...string) string {
	s.t.Helper()
	words := s.traced(args)
	cmd := exec.CommandContext(s.t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(s.dir, "home"), "TMPDIR="+filepath.Join(s.dir, "tmp"))
	out, err := cmd.CombinedOutput()
	s.said.Write(out)
	if err != nil {
		s.t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

// fails runs a command that must fail, and whose error tells no secret.
func (s *stage) fails(args ...string) {
	s.t.Helper()
	words := s.traced(args)
	cmd := exec.CommandContext(s.t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(s.dir, "home"), "TMPDIR="+filepath.Join(s.dir, "tmp"))
	out, err := cmd.CombinedOutput()
	s.said.Write(out)
	if err == nil {
		s.t.Fatalf("%v did not fail: %s", args, out)
	}
}

func (s *stage) at(args ...string) *dialogue { return converse(s.t, s.dir, s.traced(args)...) }

// begins has a register with people approved: ana with a key of age under a
// passphrase, ben with an SSH key under one, dora with paper.
func (s *stage) begins(ana, ben bearer) {
	s.t.Helper()
	for _, name := range []string{"ana", "ben"} {
		out, err := exec.CommandContext(s.t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(s.dir, name+".sign")).CombinedOutput()
		if err != nil {
			testenv.Missing(s.t, "ssh-keygen: "+string(out))
		}
	}
	tenant, err := filepath.Abs(filepath.Join("..", "..", "examples", "tenants", "tidewater"))
	must(s.t, err)
	must(s.t, os.WriteFile(filepath.Join(s.dir, "ana.pub"), []byte(ana.public), 0o600))
	must(s.t, os.WriteFile(filepath.Join(s.dir, "ben.pub"), []byte(ben.public), 0o600))
	s.does("init", "--from", tenant, "--tenant", "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b", "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--people", "2")
	s.does("person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.sign.pub", "--receiving", "ana.pub")
	s.does("person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.sign.pub", "--receiving", "ben.pub")
	s.does("person", "add", "Dora Ek", "--role", "custodian")
	s.agree(s.does("request", "begin", "--by", "Ana Weiss", "--why", "first", "--key", "ana.sign"))
}

// agree has ben approve what was asked for, and returns the request.
func (s *stage) agree(asked string) string {
	s.t.Helper()
	request := s.request.FindStringSubmatch(asked)[1]
	s.does("approve", request, "--as", "Ben Ode", "--key", "ben.sign")
	return request
}

// The whole story at terminals: a password is typed and sealed for two keys and a
// page; the page is shown, typed in again with an error, and opens with a key under a
// passphrase; it is sealed anew. Then nothing of it is found anywhere: in no file, no
// argument, no environment, and nothing that was said elsewhere.
func TestAtATerminalASecretIsSealedAndOpenedAndLeftNowhere(t *testing.T) {
	s := newStage(t)
	const phraseOfAna, phraseOfBen = "correct-horse-battery", "staple-trumpet-gravel"
	ana, ben := lockedBearer(t, s.dir, "ana", phraseOfAna), lockedSSH(t, s.dir, "ben", phraseOfBen)
	s.begins(ana, ben)
	ask := func(more ...string) string {
		return s.agree(s.does(append([]string{"request", "seal", "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--by", "Ana Weiss", "--why", "seal", "--key", "ana.sign"}, more...)...))
	}
	request := ask("--holder", "Ana Weiss", "--holder", "Ben Ode", "--holder", "Dora Ek")

	d := s.at("seal", "--request", request, "--out", "one.sealed")
	d.waits("not shown: ")
	d.types(sealedPassword)
	d.waits("once more: ")
	d.types(sealedPassword + "x")
	if said, code := d.ends(); code != 1 || !strings.Contains(said, "what was typed the second time is not the same") || strings.Contains(d.seen.String(), sealedPassword) {
		t.Fatalf("got %d %q", code, said)
	}
	s.said.WriteString(d.seen.String())

	d = s.at("seal", "--request", request, "--out", "one.sealed")
	d.waits("not shown: ")
	d.types(sealedPassword)
	d.waits("once more: ")
	d.types(sealedPassword)
	s.said.WriteString(d.waits("share 3 of set"))
	d.waits("Press Enter when nobody else looks on. ")
	d.types("")
	page := d.waits("Press Enter when it is on paper. ")
	d.types("")
	if said, code := d.ends(); code != 0 || !strings.Contains(page, clearScreen) || !strings.Contains(said, clearScreen) || strings.Contains(d.seen.String(), sealedPassword) {
		t.Fatalf("got %d %q", code, said)
	} else if _, after, _ := strings.Cut(said, clearScreen); !strings.Contains(after, "SHA-256, for the binder: "+shaOfFile(t, filepath.Join(s.dir, "one.sealed"))) {
		t.Errorf("the number for the binder is not said again after the screen is cleared: %q", after)
	}
	code := regexp.MustCompile(`HALLIGAN-SHARE-1:[A-Z2-7]+`).FindString(page)
	var rows []string
	for _, m := range regexp.MustCompile(`(?m)^\d  ([a-z ]+?)\r?$`).FindAllStringSubmatch(page, -1) {
		rows = append(rows, m[1])
	}
	if len(rows) != 8 || code == "" {
		t.Fatalf("the page has no share: %q", page)
	}

	secrets := map[string]string{"the password": sealedPassword, "ana's passphrase": phraseOfAna, "ben's passphrase": phraseOfBen, "the share": strings.TrimPrefix(code, "HALLIGAN-SHARE-1:"), "a row of the share": rows[3]}
	s.opensAtTheTerminal(ana, rows)
	s.fails("open", "one.sealed", "--to-stdout")
	s.fails("open", "one.sealed", "--identity", "ana.key", "--to-stdout") // there is no terminal to ask on

	request = ask("--holder", "Ana Weiss", "--holder", "Ben Ode", "--reseals", "one.sealed")
	d = s.at("reseal", "one.sealed", "--request", request, "--out", "two.sealed", "--identity", "ana.key", "--identity", "ben.key")
	d.waits("Passphrase of ana.key: ")
	d.types(phraseOfAna)
	d.waits("Passphrase of ben.key: ")
	d.types(phraseOfBen)
	if said, code := d.ends(); code != 0 || !strings.Contains(said, "Sealed in two.sealed") {
		t.Fatalf("got %d %q", code, said)
	}
	s.said.WriteString(d.seen.String())

	s.does("evidence", "export", "-o", "export")
	must(t, os.WriteFile(filepath.Join(s.dir, "said"), s.said.Bytes(), 0o600))
	found, files := leaksBelow(t, s.dir, secrets)
	for _, leak := range found {
		t.Error(leak)
	}
	if files < 20 || s.traces < 15 {
		t.Errorf("%d files and %d commands were looked at", files, s.traces)
	}
	traces, err := os.ReadFile(filepath.Join(s.dir, "trace."+number(uint64(s.traces))))
	if err != nil || !bytes.Contains(traces, []byte("HALLIGAN_HOME=")) || !bytes.Contains(traces, []byte(`"evidence", "export"`)) {
		t.Errorf("the tracer saw neither arguments nor the environment: %v %.300s", err, traces)
	}
}

func shaOfFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return fmt.Sprintf("%x", sha256.Sum256(data))
}

// opensAtTheTerminal types a share with a mistyped row, and opens with the key of ana.
func (s *stage) opensAtTheTerminal(ana bearer, rows []string) {
	s.t.Helper()
	d := s.at("open", "one.sealed", "--identity", ana.file, "--sign", "ana.sign", "--why", "drill")
	d.waits("Passphrase of " + ana.file + ": ")
	d.types("wrong")
	if said, code := d.ends(); code != 1 || !strings.Contains(said, "the passphrase is not right") {
		s.t.Fatalf("got %d %q", code, said)
	}
	d = s.at("open", "one.sealed", "--identity", ana.file, "--sign", "ana.sign", "--why", "drill")
	d.waits("Passphrase of " + ana.file + ": ")
	d.types("correct-horse-battery")
	d.waits("Ana Weiss is here, and it takes 2 of Ana Weiss, Ben Ode, Dora Ek")
	d.waits("row 1: ")
	wrong := "b" + rows[0][1:]
	if rows[0][0] == 'b' {
		wrong = "d" + rows[0][1:]
	}
	d.types(wrong)
	d.waits("again: row 1, word 1, letter 1: ")
	d.types(rows[0])
	for i, row := range rows[1:] {
		d.waits("row " + number(uint64(i+2)) + ": ")
		d.types(strings.ToUpper(row))
	}
	shown := d.waits("Afterwards the secret must be changed")
	recorded := d.waits("Press Enter when you have it: the screen is cleared. ")
	d.types("")
	said, code := d.ends()
	_, after, cleared := strings.Cut(said, clearScreen)
	for _, want := range []string{"Opened by Dora Ek, Ana Weiss", "Afterwards the secret must be changed", "recorded as entry"} {
		if !cleared || !strings.Contains(after, want) || strings.Contains(after, "Hf7q") {
			s.t.Errorf("after the screen is cleared, %q is not all that is there", after)
		}
	}
	if code != 0 || !strings.Contains(recorded, "recorded as entry") || !strings.Contains(shown, "secret    "+sealedPassword) || !strings.Contains(shown, "Hf7q Km3w Pz9K d2xy LmNp") || !strings.Contains(shown, "Opened by Dora Ek, Ana Weiss") {
		s.t.Fatalf("got %d %q %q", code, shown, said)
	}
}

// ctrlC presses Ctrl-C once and returns what was said to the end.
func (d *dialogue) ctrlC() string {
	d.t.Helper()
	_, err := d.master.WriteString("\x03")
	must(d.t, err)
	said, code := d.ends()
	if code != 1 {
		d.t.Errorf("got exit code %d", code)
	}
	return strings.Join(strings.Fields(said), " ")
}

// echoes reports whether the terminal shows what is typed.
func (d *dialogue) echoes() bool {
	d.t.Helper()
	state, err := unix.IoctlGetTermios(int(d.master.Fd()), unix.TCGETS)
	must(d.t, err)
	return state.Lflag&unix.ECHO != 0
}

// One Ctrl-C ends a question, and says what is so now.
func TestCtrlCEndsAQuestion(t *testing.T) {
	s := newStage(t)
	ana, ben := ageBearer(t, s.dir, "ana"), ageBearer(t, s.dir, "ben")
	s.begins(ana, ben)
	request := s.agree(s.does("request", "seal", "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--by", "Ana Weiss", "--why", "seal", "--key", "ana.sign", "--holder", "Ana Weiss", "--holder", "Ben Ode", "--holder", "Dora Ek"))
	begin := func(args ...string) *dialogue { return converse(t, s.dir, append([]string{"halligan"}, args...)...) }
	says := func(said string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(said, want) {
				t.Errorf("it does not say %q: %q", want, said)
			}
		}
	}

	for _, prompt := range []string{"not shown: ", "once more: "} {
		d := begin("seal", "--request", request, "--out", "one.sealed")
		if d.waits("not shown: "); prompt == "once more: " {
			d.types(sealedPassword)
			d.waits(prompt)
		}
		said := d.ctrlC()
		says(said, "error: interrupted: nothing was sealed, and the request stays approved", "hint: give the command again")
		if !d.echoes() || strings.Contains(d.seen.String(), sealedPassword) {
			t.Errorf("after %q the terminal does not show what is typed, or showed the password", prompt)
		}
	}

	d := begin("seal", "--request", request, "--out", "one.sealed")
	d.waits("not shown: ")
	d.types(sealedPassword)
	d.waits("once more: ")
	d.types(sealedPassword)
	d.waits("nobody else looks on. ")
	said := d.ctrlC()
	says(said, "error: interrupted: 1 page was not shown to the end (Dora Ek), and nothing keeps them: set ", "cannot be completed", "ask anew and seal anew", "one.sealed is valid: Ana Weiss, Ben Ode can open it, 2 together")

	d = begin("open", "one.sealed", "-i", ana.file, "--share", "-")
	d.waits("row 1: ")
	says(d.ctrlC(), "error: interrupted: nothing was opened", "hint: give the command again")
	d = begin("open", "one.sealed", "-i", ana.file)
	d.waits("row 1: ")
	says(d.ctrlC(), "error: interrupted: nothing was opened", "hint: give the command again")
}

// scanned are the codes on the pages of a PDF, as a camera reads them, page by page.
func scanned(t *testing.T, dir, pdf string) (codes []string) {
	t.Helper()
	for _, name := range []string{"pdftoppm", "zbarimg"} {
		if _, err := exec.LookPath(name); err != nil {
			testenv.Missing(t, "there is no "+name+" (poppler-utils, zbar-tools)")
		}
	}
	path := filepath.Join(dir, "printed.pdf")
	must(t, os.WriteFile(path, []byte(pdf), 0o600))
	must(t, exec.CommandContext(t.Context(), "pdftoppm", "-r", "150", "-gray", "-png", path, filepath.Join(dir, "printed")).Run())
	pages, err := filepath.Glob(filepath.Join(dir, "printed*.png"))
	must(t, err)
	for _, page := range pages {
		found, err := exec.CommandContext(t.Context(), "zbarimg", "--raw", "-q", page).Output()
		if err == nil { // it fails on a page without a code
			codes = append(codes, strings.Split(strings.TrimRight(string(found), "\n"), "\n")...)
		}
	}
	return codes
}

// What a camera reads from the envelopes opens the set, and no file has it.
func TestEnvelopesArePrintedAndOpen(t *testing.T) {
	s := newStage(t)
	ana, ben := ageBearer(t, s.dir, "ana"), ageBearer(t, s.dir, "ben")
	s.begins(ana, ben)
	ask := func(more ...string) string {
		return s.agree(s.does(append([]string{"request", "seal", "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--by", "Ana Weiss", "--why", "seal", "--key", "ana.sign", "--make", "30", "--seal-number", "H-104"}, more...)...))
	}
	request := ask("--holder", "Ana Weiss", "--holder", "Ben Ode", "--holder", "Dora Ek")
	if _, said, code := runs(t, s.dir, "seal", "--request", request, "--out", "one.sealed", "--envelopes", "pdf"); code != 2 || !strings.Contains(said, "--envelopes goes with --papers-to-stdout") {
		t.Errorf("got %d %q", code, said)
	}
	pdf, said, code := runs(t, s.dir, "seal", "--request", request, "--out", "one.sealed", "--papers-to-stdout", "--envelopes", "pdf", "--paper", "letter")
	if code != 0 || !strings.HasPrefix(pdf, "%PDF-") {
		t.Fatalf("got %d %q %.40q", code, said, pdf)
	}
	elsewhere := t.TempDir()
	codes := scanned(t, elsewhere, pdf)
	if len(codes) != 1 || !strings.HasPrefix(codes[0], "HALLIGAN-SHARE-1:") || strings.Contains(said, codes[0]) {
		t.Fatalf("the envelopes have the codes %q", codes)
	}
	if found, _ := leaksBelow(t, s.dir, map[string]string{"the share": strings.TrimPrefix(codes[0], "HALLIGAN-SHARE-1:")}); len(found) > 0 {
		t.Error(found)
	}
	must(t, os.WriteFile(filepath.Join(elsewhere, "share"), []byte(codes[0]), 0o600))
	if out, said, code := runs(t, s.dir, "open", "one.sealed", "-i", ana.file, "--share", filepath.Join(elsewhere, "share"), "--to-stdout"); code != 0 || len(out) != 31 {
		t.Errorf("got %d %q %q", code, out, said)
	}

	request = ask("--first", "Ana Weiss", "--second", "Dora Ek")
	page, said, code := runs(t, s.dir, "seal", "--request", request, "--out", "two.sealed", "--papers-to-stdout", "--envelopes", "html")
	if code != 0 {
		t.Fatalf("got %d %q", code, said)
	}
	if !strings.Contains(said, "--holder 'Dora Ek' --place PLACE --seal 'H-104'") {
		t.Errorf("the next commands do not have the number of the envelope: %q", said)
	}
	if regexp.MustCompile(`--kind password --account .*--seal `).MatchString(said) {
		t.Errorf("the file has the number of an envelope: %q", said)
	}
	for _, want := range []string{"half 2", "Dora Ek", "H-104", "by Ana Weiss with half 1 and Dora Ek with half 2, together", "right behind it without a blank", "age 1.1.1 or newer"} {
		if !strings.Contains(page, want) {
			t.Errorf("the envelope does not say %q", want)
		}
	}
}
