package storetest_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"halligan/internal/store"
	"halligan/internal/storetest"
)

var builtWriter = struct {
	once sync.Once
	path string
}{}

// writer returns the path of the program that the tests kill, built once.
func writer(t testing.TB) string {
	t.Helper()
	builtWriter.once.Do(func() {
		built := storetest.BuildWriter(t)
		kept, err := os.MkdirTemp("", "halligan-writer-")
		if err != nil {
			t.Fatal(err)
		}
		builtWriter.path = filepath.Join(kept, "writer")
		if err := os.Rename(built, builtWriter.path); err != nil {
			t.Fatal(err)
		}
	})
	if builtWriter.path == "" {
		t.Fatal("the writer was not built")
	}
	return builtWriter.path
}

// child is a writer that runs.
type child struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, address string, more ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(writer(t), append([]string{"-store", address}, more...)...)}
	in, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stderr = os.Stderr
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.in, c.out = in, bufio.NewScanner(out)
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait() })
	return c
}

func (c *child) says(want string) string {
	c.t.Helper()
	if !c.out.Scan() {
		c.t.Fatalf("the writer ended, want %q", want)
	}
	if !strings.HasPrefix(c.out.Text(), want) {
		c.t.Fatalf("the writer says %q, want %q", c.out.Text(), want)
	}
	return c.out.Text()
}

func (c *child) append(what, want string) string {
	c.t.Helper()
	fmt.Fprintln(c.in, what)
	return c.says(want)
}

func TestASecondOwnerIsRefusedAndToldWhoTheFirstIs(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		first := start(t, address)
		first.says("open")
		first.append("one", "ack 0 one")
		_, err := store.Open(t.Context(), store.Options{URL: address})
		owned, is := errors.AsType[*store.OwnedError](err)
		host, _ := os.Hostname()
		if !is || owned.PID != first.cmd.Process.Pid || owned.Host != host || owned.Since.IsZero() {
			t.Fatalf("got %v, want the owner %d on %s", err, first.cmd.Process.Pid, host)
		}
		if !strings.Contains(hint(err), fmt.Sprint(first.cmd.Process.Pid)) {
			t.Errorf("hint %q does not name the process", hint(err))
		}
		second := start(t, address)
		if text := second.says("unopened"); !strings.Contains(text, fmt.Sprintf("process %d on %s", first.cmd.Process.Pid, host)) {
			t.Errorf("got %q", text)
		}
		first.append("two", "ack 1 two") // unharmed
		first.in.Close()
		first.says("closed")
		if got := whats(t, p.open(store.Options{URL: address})); len(got) != 2 {
			t.Errorf("got %q", got)
		}
	})
}

func TestAKilledOwnerLeavesTheStoreAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		first := start(t, address)
		first.says("open")
		first.append("one", "ack 0 one")
		first.cmd.Process.Kill()
		first.cmd.Wait()
		var db *store.DB
		var err error
		// PostgreSQL notices a closed socket by itself, and has to be given the chance.
		for range 1000 {
			if db, err = store.Open(t.Context(), store.Options{URL: address}); err == nil || p.pg == nil {
				break
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if got := whats(t, db); len(got) != 1 || got[0] != "one" {
			t.Errorf("got %q", got)
		}
		fill(t, db, p.key, 1)
	})
}

func TestWhatTheOwnerFileSaysKeepsNobodyOut(t *testing.T) {
	dir := t.TempDir()
	address := filepath.Join(dir, "log.db")
	for name, text := range map[string]string{
		"a process id that is in use again": fmt.Sprintf(`{"pid":%d,"host":"here","since":"2020-01-01T00:00:00Z"}`, os.Getppid()),
		"process 1":                         `{"pid":1,"host":"here","since":"2020-01-01T00:00:00Z"}`,
		"nonsense":                          "\x00\xff{{{",
		"much nonsense":                     strings.Repeat("x", 1<<20),
	} {
		if err := os.WriteFile(address+".owner", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := store.Open(t.Context(), store.Options{URL: address})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		db.Close()
	}
}

// A store under two names must still have one lock.
func TestAStoreHasOneOwnerUnderAllItsNames(t *testing.T) {
	dir := t.TempDir()
	address := filepath.Join(dir, "log.db")
	db, err := store.Open(t.Context(), store.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(address, link); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Options{URL: link})
	if _, is := errors.AsType[*store.OwnedError](err); !is {
		t.Errorf("through a symbolic link: got %v", err)
	}
	hard := filepath.Join(dir, "hard.db")
	if err := os.Link(address, hard); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), store.Options{URL: hard})
	if _, is := errors.AsType[*store.ForeignError](err); !is {
		t.Errorf("through a hard link: got %v", err)
	}
}

func TestAnOwnerThatLostItsDatabaseCannotWriteLater(t *testing.T) {
	p := newPlace(t, server.Server(t))
	address := p.address("")
	hung := p.open(store.Options{URL: address})
	fill(t, hung, p.key, 2)
	// Its session is cut while it hangs, and another takes over.
	storetest.Exec(t, address, `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
	next := p.open(store.Options{URL: address})
	fill(t, next, p.key, 1)
	for range 2 {
		if _, err := hung.Append(t.Context(), p.key, saying("late")); err == nil {
			t.Fatal("the owner that hung wrote")
		} else if _, is := errors.AsType[*store.PoisonedError](err); !is {
			t.Errorf("got %v", err)
		}
	}
	_, err := store.Open(t.Context(), store.Options{URL: address})
	if _, is := errors.AsType[*store.OwnedError](err); !is {
		t.Errorf("opening again: got %v", err)
	}
	fill(t, next, p.key, 1)
	if got := whats(t, next); len(got) != 4 {
		t.Errorf("got %q", got)
	}
}

// The number of the owner decides even where the lock of the session does not
// hold, as behind a pooler or on a network file system without locks.
func TestAnOwnerWithAnOldNumberCannotWrite(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 2)
		storetest.Exec(t, address, `update store set fence = fence + 1`)
		_, err := db.Append(t.Context(), p.key, saying("late"))
		poisoned, is := errors.AsType[*store.PoisonedError](err)
		if !is {
			t.Fatalf("got %v", err)
		}
		if _, is := errors.AsType[*store.FencedError](poisoned.Why); !is {
			t.Errorf("got %v", err)
		}
		if got := whats(t, db); len(got) != 2 {
			t.Errorf("got %q", got)
		}
	})
}

func TestErrorsAndNamesHoldNoPassword(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, address := range []string{
		"postgres://halligan:" + secret + "@127.0.0.1:1/none?connect_timeout=1",
		"postgres://halligan:" + secret + "@127.0.0.1:99999999/none",
		"postgres://halligan:" + secret + "@[::1/none",
		"postgres://127.0.0.1:1/none?password=" + secret + "&connect_timeout=1&port=x",
		"postgres://halligan:" + secret + "%zz@127.0.0.1:1/none",
	} {
		_, err := store.Open(t.Context(), store.Options{URL: address})
		if err == nil {
			t.Fatalf("%s was opened", address)
		}
		if strings.Contains(err.Error(), secret) || bytes.Contains(fmt.Appendf(nil, "%+v", err), []byte(secret)) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
