package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/custody"
	"halligan/examples"
	"halligan/seal"
)

// listener is a webhook that keeps what it hears.
type listener struct {
	*httptest.Server
	mu    sync.Mutex
	heard bytes.Buffer
}

// listens begins one, whose certificate the programs of this test believe. First is
// what happens before it answers.
func listens(t *testing.T, dir string, first func(ctx context.Context)) *listener {
	t.Helper()
	l := &listener{}
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		_ = r.Write(&l.heard)
		l.mu.Unlock()
		first(r.Context())
		fmt.Fprint(w, "ok")
	}))
	l.Config.ErrorLog = log.New(io.Discard, "", 0)
	l.StartTLS()
	t.Cleanup(l.Close)
	roots := filepath.Join(dir, "roots.pem")
	must(t, os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw}), 0o600))
	t.Setenv("SSL_CERT_FILE", roots) // crypto/x509 reads it
	return l
}

func (l *listener) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard.String()
}

func atOnce(context.Context) {}

// hangs answers nothing until the other hangs up.
func hangs(ctx context.Context) { <-ctx.Done() }

// sealAnnouncing seals the password for two keys and a page, in a file that names
// channels, and writes the share of the page beside it.
func sealAnnouncing(t *testing.T, dir string, channels []seal.Announce, people ...bearer) (file, share string) {
	t.Helper()
	combine, err := examples.Combiner()
	must(t, err)
	p := &seal.Plan{Form: seal.FormShares, Need: 2, Account: "ea-north@example.com", Label: "account 1 <!channel>", What: "the password", Made: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC),
		Call: []string{"Ana Weiss: +44 20 7946 0001"}, Announce: channels, Combine: combine, Holders: []seal.To{{Name: "Dora Ek"}}}
	for _, b := range people {
		to := seal.To{Name: b.name, Key: b.public}
		to.Recipient, err = seal.ParseRecipient(b.public)
		must(t, err)
		p.Holders = append(p.Holders, to)
	}
	s, err := seal.Seal(rand.Reader, p, custody.NewSecret([]byte(sealedPassword)))
	must(t, err)
	file, share = filepath.Join(dir, "account.sealed"), filepath.Join(dir, "page")
	must(t, os.WriteFile(file, s.Bytes, 0o600))
	must(t, os.WriteFile(share, s.Papers[0].QR.Reveal(), 0o600))
	return file, share
}

// initialised has a register and evidence in a folder.
func initialised(t *testing.T, dir string) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(dir, "halligan.yaml"), []byte("version: 1\ntenant:\n  id: 8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b\naccounts:\n  - id: 2786d9fb-aa4e-4778-8abb-11a546852728\n"), 0o600))
	if _, said, code := runs(t, dir, "init", "--people", "2"); code != 0 {
		t.Fatal(said)
	}
}

// With the real program at a terminal: the secret is shown, then its channels are told,
// then the person reads who was told, who was not and whom to call, also once the
// screen is cleared. Nothing secret goes over a wire, in no way of writing.
func TestAnOpeningIsToldOnTheChannelsOfTheFile(t *testing.T) {
	dir := t.TempDir()
	room, post := listens(t, dir, atOnce), newPostOffice(t, "")
	initialised(t, dir)
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{
		{Kind: "slack", Address: room.URL + "/services/hidden-part", Name: "Room"},
		{Kind: "email", Address: "smtp://" + post.address, To: []string{"security@example.com"}},
		{Kind: "webhook", Address: "https://127.0.0.1:1/gone"},
		{Kind: "pigeon", Address: "roof"},
	}, ana)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", share, "--why", "drill of November")
	shown := d.waits("telling 4 channels that it was opened")
	if !strings.Contains(shown, "secret    "+sealedPassword) {
		t.Errorf("the secret is not there before anybody is told: %q", shown)
	}
	said := d.waits("Press Enter when you have it")
	d.types("")
	rest, code := d.ends()
	_, after, _ := strings.Cut(rest, clearScreen)
	for _, text := range []string{shown + said, after} {
		flat := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"told: Slack at 127.0.0.1 (Room)", "told: mail to security@example.com via 127.0.0.1", "NOT told: webhook at 127.0.0.1: nothing takes connections there", "Tell them yourself",
			"NOT told: pigeon at no host: this version does not know channels of this kind", "this program told 2 of 4 channels, and calls nobody", "Tell these people now; this program t", "Ana Weiss: +44 20 7946 0001", "recorded as entry"} {
			if !strings.Contains(flat, want) {
				t.Errorf("it does not say %q: %s", want, flat)
			}
		}
		if strings.Contains(text, "hidden-part") || strings.Contains(after, sealedPassword) {
			t.Errorf("it shows the address, or the secret still: %q", text)
		}
	}
	if code != 3 && code != 0 {
		t.Errorf("got %d", code)
	}
	wires := room.all() + <-post.mails
	page, err := os.ReadFile(share)
	must(t, err)
	key, err := os.ReadFile(ana.file)
	must(t, err)
	secrets := map[string]string{"the password": sealedPassword, "the share": strings.TrimPrefix(string(page), "HALLIGAN-SHARE-1:"), "the key": strings.TrimSpace(strings.Split(string(key), "\n")[1]), "the name to sign in with": "ea-north@example.com"}
	for _, leak := range leaksIn([]byte(wires), secrets) {
		t.Error(leak)
	}
	if !strings.Contains(wires, "drill of November") || !strings.Contains(wires, "/services/hidden-part") || strings.Contains(wires, `"text":"Halligan: opened: the password of account 1 <`) {
		t.Errorf("they were told %q", wires)
	}
	out, errs, code := runs(t, dir, "evidence", "log", "--kind", "announced", "--format", "json")
	for _, want := range []string{"Slack at 127.0.0.1 (Room)", "nothing takes connections there", "tell of an opening", `"answer":`, `"at":`} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("the evidence does not know %q: %d %s %s", want, code, out, errs)
		}
	}
	if strings.Contains(out, "hidden-part") {
		t.Errorf("the evidence has the address: %s", out)
	}
}

// The other side answers only when the secret was read: whoever waited for it before
// would wait for ever.
func TestTheSecretWaitsForNoChannel(t *testing.T) {
	dir := t.TempDir()
	read := make(chan struct{})
	room := listens(t, dir, func(ctx context.Context) {
		select {
		case <-read:
		case <-ctx.Done():
		}
	})
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	cmd := exec.CommandContext(t.Context(), "halligan", "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(dir, "home"))
	out, err := cmd.StdoutPipe()
	must(t, err)
	var said bytes.Buffer
	cmd.Stderr = &said
	must(t, cmd.Start())
	secret := make([]byte, len(sealedPassword)+1)
	_, err = io.ReadFull(out, secret)
	must(t, err)
	close(read)
	rest, err := io.ReadAll(out)
	must(t, err)
	must(t, cmd.Wait())
	if string(secret) != sealedPassword+"\n" || len(rest) > 0 || !strings.Contains(said.String(), "told: webhook at 127.0.0.1") || strings.Contains(said.String(), "NOT told") || strings.Count(room.all(), "POST / ") != 1 {
		t.Errorf("got %q, then %q, %s", secret, rest, said.String())
	}
}

// Channels that hang, and a file whose channels are wrong, end no opening.
func TestChannelsThatHangEndInTime(t *testing.T) {
	dir := t.TempDir()
	room := listens(t, dir, hangs)
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}, {Kind: "teams", Address: room.URL}, {Kind: "email", Address: "smtp://127.0.0.1:1"}}, ana)
	began := time.Now()
	out, said, code := runs(t, dir, "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	if took := time.Since(began); took > 25*time.Second || out != sealedPassword+"\n" || code != 0 || strings.Count(said, "NOT told: ") != 3 || strings.Count(said, "did not answer in time") != 2 || !strings.Contains(said, "this program could tell nobody") {
		t.Errorf("after %v: %d %q %s", took, code, out, said)
	}
}

// The first Ctrl-C skips the telling and leaves the secret on the screen; the next one
// clears it.
func TestCtrlCSkipsTheTelling(t *testing.T) {
	dir := t.TempDir()
	room := listens(t, dir, hangs)
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", share)
	d.waits("Ctrl-C skips it")
	began := time.Now()
	_, err := d.master.WriteString("\x03")
	must(t, err)
	said := d.waits("Press Enter when you have it")
	if took := time.Since(began); took > 9*time.Second || !strings.Contains(said, "it was skipped") || strings.Contains(said, clearScreen) {
		t.Errorf("after %v: %q", took, said)
	}
	_, err = d.master.WriteString("\x03")
	must(t, err)
	rest, code := d.ends()
	if key, cleared := strings.Index(rest, "^C"), strings.Index(rest, clearScreen); key < 0 || cleared < key || code != 0 {
		t.Errorf("got %d %q", code, rest)
	}
}

// Whoever takes the secret out of a pipe and hangs up keeps nobody from hearing of it.
func TestABrokenPipeKeepsNobodyFromHearing(t *testing.T) {
	dir := t.TempDir()
	room := listens(t, dir, atOnce)
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	r, w, err := os.Pipe()
	must(t, err)
	must(t, r.Close())
	cmd := exec.CommandContext(t.Context(), "halligan", "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(dir, "home"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &said
	err = cmd.Run()
	must(t, w.Close())
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), "told: webhook") || !strings.Contains(said.String(), "side log") || !strings.Contains(room.all(), "account 1") {
		t.Errorf("got %v %s", err, said.String())
	}
}

// A page that went bad on an old stick keeps nobody out, and is told.
func TestADamagedPageKeepsNobodyOut(t *testing.T) {
	dir := t.TempDir()
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, nil, ana)
	data, err := os.ReadFile(file)
	must(t, err)
	data[bytes.Index(data, []byte("It takes "))] ^= 1 // in OPEN.txt
	must(t, os.WriteFile(file, data, 0o600))
	out, said, code := runs(t, dir, "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	if code != int(exitTrouble) || out != sealedPassword+"\n" || !strings.Contains(said, "damaged: OPEN.txt") {
		t.Errorf("%d %q %s", code, out, said)
	}
}
