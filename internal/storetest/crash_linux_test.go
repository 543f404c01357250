package storetest_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
	"halligan/internal/testenv"
)

// full asks for the exhaustive sizes.
var full = os.Getenv("HALLIGAN_FULL") == "1"

// boundaries are the calls with which a store changes a disk.
var boundaries = []string{"pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "unlinkat", "rename", "renameat", "renameat2"}

func straced(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		testenv.Missing(t, "strace is not installed")
	}
	if out, err := exec.Command(path, "-f", "-qq", "-o", os.DevNull, writer(t), "-store", filepath.Join(t.TempDir(), "s"), "-n", "1").CombinedOutput(); err != nil {
		testenv.Missing(t, fmt.Sprintf("strace cannot trace here: %v %s", err, out))
	}
	return path
}

// run is a writer that was meddled with.
type run struct {
	acks    map[uint64]string
	words   []string // the first word of each line it said
	said    string
	journal string // what strace saw
	killed  bool
}

func (r *run) has(word string) bool {
	return strings.Contains(" "+strings.Join(r.words, " ")+" ", " "+word+" ")
}

// meddle runs a writer on a store under strace with one injection.
func meddle(t testing.TB, strace, inject, address string, args ...string) *run {
	t.Helper()
	journal := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command(strace, append([]string{"-f", "-q", "-y", "-s", "24", "-o", journal, "-e", "trace=" + strings.Join(boundaries, ","),
		"-e", "signal=none", "-e", "inject=" + inject, writer(t), "-store", address}, args...)...)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err := cmd.Run()
	if _, is := errors.AsType[*exec.ExitError](err); err != nil && !is || strings.Contains(trouble.String(), "panic") {
		t.Fatalf("strace: %v %s", err, trouble.String())
	}
	r := heard(t, out.String())
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	r.journal = string(text)
	if status, is := cmd.ProcessState.Sys().(syscall.WaitStatus); is { // strace ends as what it traced did
		r.killed = status.Signaled() && status.Signal() == syscall.SIGKILL
	}
	os.Remove(journal)
	return r
}

// heard reads what a writer said. A last line without its end was not said.
func heard(t testing.TB, text string) *run {
	t.Helper()
	r := &run{acks: map[uint64]string{}, said: text}
	whole := text[:strings.LastIndexByte(text, '\n')+1]
	for lines := bufio.NewScanner(strings.NewReader(whole)); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), " ", 3)
		r.words = append(r.words, fields[0])
		if fields[0] == "ack" {
			index, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil || len(fields) != 3 {
				t.Fatalf("the writer said %q", lines.Text())
			}
			r.acks[index] = fields[2]
		}
	}
	return r
}

// survives opens a store anew and says what is wrong with it: acknowledged entries
// must be there, at most the entries that were being written may be there beside
// them, and the log must verify. Then it must take another entry.
func survives(t testing.TB, address string, before int, acks map[uint64]string, unsaid int) error {
	db, err := store.Open(t.Context(), store.Options{URL: address})
	if err != nil {
		return fmt.Errorf("open anew: %w", err)
	}
	defer db.Close()
	var all []string
	err = db.View(t.Context(), func(v store.View) error {
		for e, err := range v.Find("", "") {
			if err != nil {
				return err
			}
			all = append(all, e.What)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for index, what := range acks {
		if index >= uint64(len(all)) || all[index] != what {
			return fmt.Errorf("entry %d %q was acknowledged and is lost; there are %q", index, what, all)
		}
	}
	if len(all) < before || len(all) > before+len(acks)+unsaid {
		return fmt.Errorf("there are %d entries: %d before, %d acknowledged", len(all), before, len(acks))
	}
	if _, err := db.Append(t.Context(), newKey(t, "tidewater-log-1", 1), saying("after")); err != nil {
		return fmt.Errorf("append after: %w", err)
	}
	report, err := db.Check(t.Context(), evidence.VerifyOptions{Keys: []string{firstKey}})
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if !report.Good() {
		return fmt.Errorf("check found %+v", report)
	}
	return nil
}

// prepared makes a store with some entries and returns its file's content.
func prepared(t *testing.T, n int) []byte {
	t.Helper()
	address := filepath.Join(t.TempDir(), "log.db")
	db, err := store.Open(t.Context(), store.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, newKey(t, "tidewater-log-1", 1), n)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(address)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// enumerate meddles with each call in turn until there is none left.
func enumerate(t *testing.T, how string, base []byte, before int, args []string, judge func(r *run, call string, n int) error) {
	strace := straced(t)
	root := t.TempDir()
	var count sync.Map
	var wait sync.WaitGroup
	calls := make(chan string, len(boundaries))
	for _, call := range boundaries {
		calls <- call
	}
	close(calls)
	for range 2 { // each takes one call after the other
		wait.Go(func() {
			for call := range calls {
				for n := 1; ; n++ {
					dir := filepath.Join(root, fmt.Sprintf("%s-%d", call, n))
					if err := os.Mkdir(dir, 0o700); err != nil {
						t.Error(err)
						return
					}
					address := filepath.Join(dir, "log.db")
					if base != nil {
						if err := os.WriteFile(address, base, 0o600); err != nil {
							t.Error(err)
							return
						}
					}
					r := meddle(t, strace, fmt.Sprintf("%s:%s:when=%d", call, how, n), address, args...)
					if !r.killed && !strings.Contains(r.journal, "(INJECTED)") {
						break // the run has fewer of these calls
					}
					count.Store(call, n)
					err := judge(r, call, n)
					if err == nil {
						err = survives(t, address, before, r.acks, 1)
					}
					if err != nil {
						t.Errorf("%s number %d, %s: %v\nthe writer said:\n%s", call, n, how, err, r.said)
					}
					os.RemoveAll(dir)
				}
			}
		})
	}
	wait.Wait()
	total := 0
	for _, call := range boundaries {
		if n, there := count.Load(call); there {
			total += n.(int)
			t.Logf("%s: %d places", call, n)
		}
	}
	if total < 30 {
		t.Errorf("%s: only %d places were found: the injection does not work", how, total)
	}
}

// busy is a run in which the write-ahead log is given its length, is carried over
// and begins anew.
func busy() []string {
	if full {
		return []string{"-n", "14", "-pages", "16", "-big", "9000"}
	}
	return []string{"-n", "4", "-pages", "8"}
}

func TestKillAtEveryWriteBoundaryLosesNothingAcknowledged(t *testing.T) {
	args := busy()
	enumerate(t, "signal=KILL", prepared(t, 3), 3, args, func(r *run, _ string, _ int) error {
		if !r.killed {
			return errors.New("it was not killed")
		}
		return nil
	})
}

func TestKillWhileTheStoreIsMadeLeavesOneThatOpens(t *testing.T) {
	enumerate(t, "signal=KILL", nil, 0, []string{"-n", "1"}, func(*run, string, int) error { return nil })
}

// injected finds what was injected into a call that matters: on a file of the
// store, and not where the log is only given its length.
var injected = regexp.MustCompile(`(?m)^\d+ +(\w+)\((\d+<[^>]*(?:log\.db|log\.db-wal|log\.db-journal)>)?.*\(INJECTED\)$`)

// giveLength is a write of zeros that are no frames, which may fail.
var giveLength = regexp.MustCompile(`"(\\0)+"\.\.\., [0-9]{5,},`)

// afterInjection returns the first word that the writer said after the injection.
func (r *run) afterInjection() (word string, ofStore bool) {
	at := injected.FindStringSubmatchIndex(r.journal)
	if at == nil {
		return "", false
	}
	line := r.journal[at[0]:at[1]]
	ofStore = at[4] >= 0 && !giveLength.MatchString(line)
	rest := r.journal[at[1]:]
	said := regexp.MustCompile(`write\(1<[^>]*>, "(\w+)`).FindStringSubmatch(rest)
	if said == nil {
		return "", ofStore
	}
	return said[1], ofStore
}

func TestAWriteOrFlushThatFailsIsReportedAndNothingAcknowledgedIsLost(t *testing.T) {
	args := busy()
	base := prepared(t, 3)
	for _, how := range []string{"error=EIO", "error=ENOSPC"} {
		t.Run(how, func(t *testing.T) {
			enumerate(t, how, base, 3, args, func(r *run, call string, _ int) error {
				word, ofStore := r.afterInjection()
				if ofStore && word == "ack" {
					return errors.New("an entry was acknowledged although a write before it had failed")
				}
				refused := false
				for _, word := range r.words {
					refused = refused || word == "refused"
					if refused && word == "ack" {
						return errors.New("it went on writing after a write had failed")
					}
				}
				if strings.Contains(r.said, "refused false") {
					return errors.New("a failed write did not poison the store")
				}
				return nil
			})
		})
	}
}

// traced is one call that strace saw.
var traced = regexp.MustCompile(`^\d+ +(\w+)\((\d+)<([^>]*)>(?:, "([^"]*)")?`)

func TestEveryAcknowledgementFollowsAFlushOfAllThatWasWritten(t *testing.T) {
	strace := straced(t)
	address := filepath.Join(t.TempDir(), "log.db")
	r := meddle(t, strace, "renameat2:error=EIO:when=65535", address, "-n", "20", "-pages", "16", "-big", "3000")
	dirty, acks := map[string]bool{}, 0
	for line := range strings.Lines(r.journal) {
		m := traced.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		call, path, text := m[1], filepath.Base(m[3]), m[4]
		switch {
		case m[2] == "1":
			if strings.HasPrefix(text, "ack") {
				acks++
				for path := range dirty {
					t.Errorf("%q was said before %s was flushed", text, path)
				}
			}
		case strings.HasSuffix(path, ".owner") || strings.HasSuffix(path, "-shm"): // made anew from the rest
		case call == "fsync" || call == "fdatasync":
			delete(dirty, path)
		case strings.HasPrefix(path, "log.db"):
			dirty[path] = true
		}
	}
	if acks != 20 || len(r.acks) != 20 {
		t.Errorf("%d acknowledgements were seen, %d heard, want 20\n%s", acks, len(r.acks), r.said)
	}
}
