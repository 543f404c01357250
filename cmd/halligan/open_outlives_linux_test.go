package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"halligan/seal"
)

// sides are the side logs of a home, as text.
func sides(t *testing.T, home string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(home, "side", "side-*", "entries.jsonl"))
	must(t, err)
	var all strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		must(t, err)
		all.Write(text)
	}
	return all.String()
}

// What is said beside the secret has a way out of its own, which may be full.
func TestAFullDiskForWhatIsSaidWithholdsNoSecret(t *testing.T) {
	dir := t.TempDir()
	room := listens(t, dir, atOnce)
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	must(t, err)
	defer full.Close()
	cmd := exec.CommandContext(t.Context(), "halligan", "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(dir, "home")), full
	out, err := cmd.Output()
	if string(out) != sealedPassword+"\n" || err == nil || !strings.Contains(room.all(), "account 1") || !strings.Contains(sides(t, filepath.Join(dir, "home")), `"opened"`) {
		t.Errorf("got %q, %v; told %q", out, err, room.all())
	}
}

// Who closes the terminal once the secret is there keeps it neither from the record nor
// from those who are to hear of it.
func TestAClosedTerminalEndsNoOpening(t *testing.T) {
	dir := t.TempDir()
	closed := make(chan struct{})
	room := listens(t, dir, func(ctx context.Context) {
		select {
		case <-closed:
		case <-ctx.Done():
		}
	})
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", share)
	d.waits(sealedPassword)
	must(t, d.master.Close()) // the kernel sends SIGHUP
	close(closed)
	_ = d.cmd.Wait()
	if status := d.cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		t.Errorf("it was killed: %v", status.Signal())
	}
	if record := sides(t, filepath.Join(dir, "home")); !strings.Contains(record, `"opened"`) || !strings.Contains(room.all(), "account 1") {
		t.Errorf("recorded %q, told %q", record, room.all())
	}
}

// A register on a disk that hangs is a FIFO that nobody writes: the people to call are
// named, the channel is told, and a side log has the record.
func TestARegisterThatHangsStopsNoOpening(t *testing.T) {
	dir := t.TempDir()
	room := listens(t, dir, atOnce)
	must(t, syscall.Mkfifo(filepath.Join(dir, "halligan.yaml"), 0o600))
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	began := time.Now()
	out, said, code := runs(t, dir, "open", file, "-i", ana.file, "--share", share, "--to-stdout")
	whom, told := strings.Index(said, "Ana Weiss: +44 20 7946 0001"), strings.Index(said, "told: webhook")
	if took := time.Since(began); code != 0 || out != sealedPassword+"\n" || whom < 0 || told < whom || !strings.Contains(said, "side log") || took > 20*time.Second {
		t.Errorf("after %v: %d %q %s", took, code, out, said)
	}
}

// A key that does not sign is skipped with Ctrl-C: whom to call stands there before it,
// and neither the record nor the channels are skipped with it.
func TestCtrlCSkipsASignatureAlone(t *testing.T) {
	dir := t.TempDir()
	signing := make(chan struct{})
	room := listens(t, dir, func(ctx context.Context) {
		select {
		case <-signing:
		case <-ctx.Done():
		}
	})
	key := filepath.Join(dir, "key")
	must(t, syscall.Mkfifo(key, 0o600))
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", share, "--sign", key)
	if shown := d.waits("signing the record with"); !strings.Contains(shown, "Ana Weiss: +44 20 7946 0001") {
		t.Errorf("whom to call is not said before: %q", shown)
	}
	_, err := d.master.WriteString("\x03")
	must(t, err)
	d.waits("it was skipped")
	close(signing)
	said := d.waits("Press Enter when you have it")
	for _, want := range []string{"told: webhook at 127.0.0.1", "recorded in a side log", "nobody signed the record"} {
		if !strings.Contains(said, want) || strings.Contains(said, "NOT told") {
			t.Errorf("it does not say %q: %q", want, said)
		}
	}
	_, err = d.master.WriteString("\x03")
	must(t, err)
	if rest, code := d.ends(); !strings.Contains(rest, clearScreen) || code != 0 {
		t.Errorf("got %d %q", code, rest)
	}
}

// A terminal tells Ctrl-C to ssh-keygen, too, which may end of it before this program
// has heard of it. That one Ctrl-C still skips the signature, and nothing behind it.
func TestACtrlCThatEndsTheSigningProgramFirstSkipsASignatureAlone(t *testing.T) {
	dir := t.TempDir()
	arrived := filepath.Join(dir, "arrived")
	must(t, syscall.Mkfifo(arrived, 0o600))
	room := listens(t, dir, func(context.Context) {
		_, err := os.ReadFile(arrived) // until it was written
		must(t, err)
	})
	must(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "bin", "ssh-keygen"), []byte("#!/bin/sh\n"+
		"(sleep 0.2; kill -INT $PPID; sleep 0.2; echo >'"+arrived+"') <&- >&- 2>&- &\nkill -INT $$\n"), 0o700))
	t.Setenv("PATH", filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	ana := ageBearer(t, dir, "ana")
	file, share := sealAnnouncing(t, dir, []seal.Announce{{Kind: "webhook", Address: room.URL}}, ana)
	d := converse(t, dir, "halligan", "open", file, "-i", ana.file, "--share", share, "--sign", ana.file)
	said := d.waits("Press Enter when you have it")
	for _, want := range []string{"is not signed by " + ana.file + ": it was skipped", "told: webhook at 127.0.0.1", "recorded in a side log", "nobody signed the record"} {
		if !strings.Contains(said, want) || strings.Contains(said, "NOT told") || strings.Contains(said, "signal:") {
			t.Errorf("it does not say %q: %q", want, said)
		}
	}
	d.types("")
	if rest, code := d.ends(); !strings.Contains(rest, clearScreen) || code != 0 {
		t.Errorf("got %d %q", code, rest)
	}
}
