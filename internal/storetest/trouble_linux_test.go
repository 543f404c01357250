package storetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"halligan/internal/store"
	"halligan/internal/storetest"
	"halligan/internal/testenv"
)

func TestAFullDiskIsReportedAndNothingAcknowledgedIsLost(t *testing.T) {
	base := prepared(t, 3)
	judge := func(t *testing.T, address string, out []byte, err error) {
		t.Helper()
		if _, is := errors.AsType[*exec.ExitError](err); err != nil && !is {
			t.Fatal(err)
		}
		r := heard(t, string(out))
		if !r.has("refused") || len(r.acks) == 0 {
			t.Errorf("the disk was not full where it was meant to be:\n%.300s", r.said)
		}
		if strings.Contains(r.said, "refused false") {
			t.Errorf("a full disk did not poison the store:\n%.300s", r.said)
		}
		if err := survives(t, address, 3, r.acks, 1); err != nil {
			t.Errorf("%v\nthe writer said:\n%.600s", err, r.said)
		}
	}
	t.Run("a limit on the length of files", func(t *testing.T) {
		limits := []int{150, 400, 700}
		if full {
			limits = nil
			for n := 110; n < 1300; n += 29 {
				limits = append(limits, n)
			}
		}
		for _, limit := range limits {
			address := filepath.Join(t.TempDir(), "log.db")
			if err := os.WriteFile(address, base, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", "-c", fmt.Sprintf(`ulimit -f %d; trap '' XFSZ; exec "$@"`, limit), "bash", writer(t), "-store", address, "-n", "60", "-big", "60000")
			out, err := cmd.Output()
			judge(t, address, out, err)
		}
	})
	t.Run("a file system of its own", func(t *testing.T) {
		small := t.TempDir()
		if err := syscall.Mount("halligan", small, "tmpfs", 0, "size=1200k"); err != nil {
			testenv.Missing(t, fmt.Sprintf("no file system can be mounted here: %v", err))
		}
		defer syscall.Unmount(small, syscall.MNT_DETACH)
		address := filepath.Join(small, "log.db")
		if err := os.WriteFile(address, base, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(writer(t), "-store", address, "-n", "60", "-big", "60000").Output()
		if err := syscall.Mount("halligan", small, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
			t.Fatal(err)
		}
		judge(t, address, out, err)
	})
}

// stops stops the child, and returns when it has: a signal is delivered in its time.
func (c *child) stops() {
	c.t.Helper()
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		c.t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(c.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		c.t.Fatalf("it did not stop: %v %v", status, err)
	}
}

func TestAStoppedOwnerKeepsTheStoreAndGoesOnWhenWoken(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		owner := start(t, address)
		owner.says("open")
		owner.append("one", "ack 0 one")
		owner.stops()
		_, err := store.Open(t.Context(), store.Options{URL: address})
		if owned, is := errors.AsType[*store.OwnedError](err); !is || owned.PID != owner.cmd.Process.Pid {
			t.Errorf("got %v, want the stopped owner", err)
		}
		if got := whats(t, p.open(store.Options{URL: address, ReadOnly: true})); len(got) != 1 {
			t.Errorf("read beside the stopped owner: got %q", got)
		}
		if err := owner.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		owner.append("two", "ack 1 two")
	})
}

// An owner that hangs after it was reached still takes what is sent to it: the
// system does that. Nobody waits for it, and who it is is said.
func TestAnOwnerThatHangsWhileItIsAskedIsNamedInSeconds(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		t.Parallel() // most of it is waiting
		o, socket := store.Options{URL: p.address("log.db")}, filepath.Join(p.dir, "s.sock")
		owner := start(t, o.URL, "-serve", socket)
		owner.says("open")
		r := reach(t, o, socket)
		if _, err := r.Append(t.Context(), saying("one")); err != nil {
			t.Fatal(err)
		}
		owner.stops()
		begin := time.Now()
		_, err := r.Append(t.Context(), saying("two"))
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("it was waited for %s", took)
		}
		host, _ := os.Hostname()
		pid := owner.cmd.Process.Pid
		owned, is := errors.AsType[*store.OwnedError](err)
		if !is || owned.PID != pid || owned.Host != host {
			t.Errorf("got %v, want process %d on %s", err, pid, host)
		}
		if _, is := errors.AsType[*store.DoubtError](err); !is || !strings.Contains(err.Error(), fmt.Sprintf("process %d on %s", pid, host)) ||
			!strings.Contains(hint(err), fmt.Sprintf("kill %d", pid)) {
			t.Errorf("got %v, hint %s", err, hint(err))
		}
		_, err = store.Reach(t.Context(), o, socket)
		if owned, is := errors.AsType[*store.OwnedError](err); !is || owned.PID != pid || !strings.Contains(hint(err), fmt.Sprintf("kill %d", pid)) {
			t.Errorf("reached while it hangs: got %v", err)
		}
		if err := owner.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Append(t.Context(), saying("three")); err != nil {
			t.Errorf("after it was woken: %v", err)
		}
	})
}

// The new owner of a store that crashed must begin a write-ahead log of its own;
// a reader of the old one is in the way, and only as long as it reads.
func TestAfterACrashAReaderIsWaitedForNotWrittenBehind(t *testing.T) {
	address := filepath.Join(t.TempDir(), "log.db")
	owner := start(t, address)
	owner.says("open")
	owner.append("one", "ack 0 one")
	owner.cmd.Process.Kill()
	owner.cmd.Wait()
	reader, err := store.Open(t.Context(), store.Options{URL: address, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	err = reader.View(t.Context(), func(store.View) error {
		_, err := store.Open(t.Context(), store.Options{URL: address})
		if _, is := errors.AsType[*store.ReaderError](err); !is || hint(err) == "" {
			t.Errorf("while it is read: got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := survives(t, address, 1, map[uint64]string{0: "one"}, 0); err != nil {
		t.Error(err)
	}
}

// Many appends run while the signal comes; where it hits is chance, and the
// enumeration above leaves nothing to chance.
func TestAWriterThatIsEndedOrKilledLosesNothingAcknowledged(t *testing.T) {
	rounds := 3
	if full {
		rounds = 40
	}
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 1)
		db.Close()
		before := 1
		for round := range rounds {
			for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGSTOP} {
				cmd := exec.Command(writer(t), "-store", address, "-n", "1000000")
				out, err := cmd.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				var said strings.Builder
				lines := bufio.NewScanner(out)
				for n := 0; lines.Scan(); n++ {
					fmt.Fprintln(&said, lines.Text())
					if n == 5+3*round {
						if err := cmd.Process.Signal(signal); err != nil {
							t.Fatal(err)
						}
						if signal == syscall.SIGSTOP {
							cmd.Process.Kill()
						}
					}
				}
				cmd.Wait()
				r := heard(t, said.String())
				if len(r.acks) == 0 || !r.has("open") {
					t.Fatalf("the writer said %q", r.said)
				}
				if err := survives(t, address, before, r.acks, 1); err != nil {
					t.Fatalf("%s: %v", signal, err)
				}
				before = int(sizeOf(t, address))
			}
		}
	})
}

func sizeOf(t *testing.T, address string) uint64 {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{URL: address, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var size uint64
	if err := db.View(t.Context(), func(v store.View) error { size = v.Size(); return nil }); err != nil {
		t.Fatal(err)
	}
	return size
}

// The server with all its processes is killed while four append.
func TestAServerThatIsKilledLosesNothingAcknowledged(t *testing.T) {
	rounds := 3
	if full {
		rounds = 25
	}
	pg := storetest.Postgres(t)
	address := pg.Database(t)
	key := newKey(t, "tidewater-log-1", 1)
	acks := map[uint64]string{}
	before := 0
	for round := range rounds {
		db, err := store.Open(t.Context(), store.Options{URL: address})
		if err != nil {
			t.Fatal(err)
		}
		if warnings := db.Warnings(); len(warnings) != 0 {
			t.Errorf("the server flushes, and is warned of: %q", warnings)
		}
		group := db.Group(key)
		var mutex sync.Mutex
		enough := make(chan struct{})
		var once sync.Once
		var wait sync.WaitGroup
		for w := range 4 {
			wait.Go(func() {
				add := []appender{alone{db, key}, grouped{group}}[w%2]
				for i := 0; ; i++ {
					what := fmt.Sprintf("round %d worker %d step %d", round, w, i)
					got, err := add.add(context.WithoutCancel(t.Context()), saying(what))
					if err != nil {
						if db.Poisoned() == nil {
							t.Errorf("the server died and the store does not say so: %v", err)
						}
						return
					}
					mutex.Lock()
					acks[got[0].Index] = what
					if len(acks) >= before+20+7*round {
						once.Do(func() { close(enough) })
					}
					mutex.Unlock()
				}
			})
		}
		<-enough
		pg.Kill(t, os.Kill)
		wait.Wait()
		group.Close()
		db.Close()
		pg.Start(t)
		if err := survives(t, address, 0, acks, 4*(round+1)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		size := int(sizeOf(t, address))
		acks[uint64(size-1)] = "after"
		before = len(acks)
	}
}

func TestAServerThatDoesNotFlushIsWarnedOf(t *testing.T) {
	pg := storetest.Postgres(t)
	pg.Kill(t, os.Interrupt)
	pg.Start(t, "fsync=off", "synchronous_commit=off")
	address := pg.Database(t)
	db, err := store.Open(t.Context(), store.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if warnings := db.Warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "fsync = off") {
		t.Errorf("got %q, want a warning about fsync", warnings)
	}
}
