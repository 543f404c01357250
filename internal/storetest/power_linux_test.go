package storetest_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
)

// event is one thing that a writer did to its disk or said.
type event struct {
	call, path string
	data       []byte
	at         int64 // offset, or the new length
	failed     bool  // the call said so
}

const sector = 512

// disk is what a machine finds when it gets its power back: of each file what was
// flushed, and of the sectors written since then whichever reached the platter.
type disk struct {
	durable map[string][]byte
	since   map[string][]event
}

func (d *disk) apply(e event) {
	switch e.call {
	case "fsync", "fdatasync":
		if e.failed {
			// The system forgets that these pages were not written: they can be read,
			// and no later flush writes them (https://wiki.postgresql.org/wiki/Fsync_Errors).
			delete(d.since, e.path)
			return
		}
		d.durable[e.path] = settle(d.durable[e.path], d.since[e.path], func(int) bool { return true })
		delete(d.since, e.path)
	case "pwrite64", "ftruncate":
		d.since[e.path] = append(d.since[e.path], e)
	case "unlink", "unlinkat":
		// The name may come back: then recovery must tell that it is old. The worst
		// is tried elsewhere, by leaving the file out.
		delete(d.durable, e.path)
		delete(d.since, e.path)
	}
}

// settle writes events into a file, sector by sector as far as reached says.
func settle(file []byte, events []event, reached func(n int) bool) []byte {
	file = slices.Clone(file)
	n := 0
	for _, e := range events {
		if e.call == "ftruncate" {
			if n++; reached(n) {
				file = slices.Grow(file, int(e.at))
				file = append(file, make([]byte, max(0, int(e.at)-len(file)))...)[:e.at]
			}
			continue
		}
		for from := 0; from < len(e.data); {
			to := min(len(e.data), from+sector-int(e.at+int64(from))%sector)
			if n++; reached(n) {
				end := int(e.at) + to
				file = append(file, make([]byte, max(0, end-len(file)))...)
				copy(file[int(e.at)+from:], e.data[from:to])
			}
			from = to
		}
	}
	return file
}

// losses are ways in which sectors that were not flushed reach the disk.
var losses = map[string]func(r *rand.Rand) func(int) bool{
	"nothing unflushed arrives":             func(*rand.Rand) func(int) bool { return func(int) bool { return false } },
	"all arrives":                           func(*rand.Rand) func(int) bool { return func(int) bool { return true } },
	"all but the first sector arrives":      func(*rand.Rand) func(int) bool { return func(n int) bool { return n > 1 } },
	"every other sector arrives":            func(*rand.Rand) func(int) bool { return func(n int) bool { return n%2 == 0 } },
	"sectors arrive by chance":              func(r *rand.Rand) func(int) bool { return func(int) bool { return r.IntN(2) == 0 } },
	"sectors arrive but for few, by chance": func(r *rand.Rand) func(int) bool { return func(int) bool { return r.IntN(12) > 0 } },
}

var recorded = regexp.MustCompile(`^\d+ +(\w+)\((?:(\d+)<([^>]*)>|"([^"]*)"|AT_FDCWD[^,]*, "([^"]*)")(?:, "([^"]*)")?(?:, (\d+))?(?:, (\d+))?`)

// nothing is an injection that never comes.
const nothing = "renameat2:error=EIO:when=65535"

// record runs a writer and returns everything it did to its files.
func record(t *testing.T, address, inject string, args ...string) []event {
	t.Helper()
	strace := straced(t)
	journal := filepath.Join(t.TempDir(), "strace")
	cmd := exec.Command(strace, append([]string{"-f", "-q", "-y", "-xx", "-s", "4194304", "-e", "signal=none", "-o", journal,
		"-e", "inject=" + inject, "-e", "trace=" + strings.Join(boundaries, ","), writer(t), "-store", address}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && inject == nothing {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	var events []event
	for line := range bytes.Lines(text) {
		m := recorded.FindSubmatch(line)
		if m == nil {
			continue
		}
		e := event{call: string(m[1]), path: string(m[3]), data: unhex(t, m[6]), failed: bytes.Contains(line, []byte("(INJECTED)"))}
		if len(m[4])+len(m[5]) > 0 {
			e.path = string(unhex(t, append(m[4], m[5]...)))
		} else if strings.Contains(e.path, `\x`) {
			e.path = string(unhex(t, m[3]))
		}
		e.path = filepath.Base(e.path)
		switch e.call {
		case "pwrite64":
			e.at, _ = strconv.ParseInt(string(m[8]), 10, 64)
		case "ftruncate":
			e.at, _ = strconv.ParseInt(string(m[7]), 10, 64)
		case "write":
			if string(m[2]) != "1" {
				continue
			}
			e.path = "said"
		}
		events = append(events, e)
	}
	return events
}

func unhex(t *testing.T, text []byte) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(string(text), `\x`, ""))
	if err != nil {
		t.Fatalf("%v in %.60q", err, text)
	}
	return raw
}

// A kill leaves what was written; a loss of power only what was flushed, and of
// the rest any sectors in any order. Here the disk is rebuilt after each single
// call, in several ways.
func TestALossOfPowerAtAnyMomentLosesNothingAcknowledged(t *testing.T) {
	rounds := 1
	if full {
		rounds = 2
	}
	dir := t.TempDir()
	address := filepath.Join(dir, "log.db")
	base := prepared(t, 3)
	if err := os.WriteFile(address, base, 0o600); err != nil {
		t.Fatal(err)
	}
	events := record(t, address, nothing, busy()...)
	d := &disk{durable: map[string][]byte{"log.db": base}, since: map[string][]event{}}
	acks := map[uint64]string{}
	chance := rand.New(rand.NewPCG(1, 2))
	places, flushes := 0, 0
	for i, e := range events {
		if e.path == "said" {
			for index, what := range heard(t, string(e.data)).acks {
				acks[index] = what
			}
		}
		if e.call == "fsync" {
			flushes++
		}
		d.apply(e)
		if !strings.HasPrefix(e.path, "log.db") && e.path != "said" || strings.HasSuffix(e.path, "-shm") || strings.HasSuffix(e.path, ".owner") {
			continue
		}
		for name, loss := range losses {
			for range rounds {
				places++
				if err := d.comesBack(t, loss(chance), acks); err != nil {
					t.Errorf("after call %d (%s %s %d), %s: %v", i, e.call, e.path, e.at, name, err)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	if len(acks) < 4 || flushes < 5 || places < 100 {
		t.Errorf("%d acknowledgements, %d flushes and %d places were seen: the recording does not work", len(acks), flushes, places)
	}
	t.Logf("%d calls, %d disks", len(events), places)
}

func (d *disk) comesBack(t *testing.T, reached func(int) bool, acks map[uint64]string) error {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"log.db", "log.db-wal", "log.db-journal"} {
		_, flushed := d.durable[name]
		_, written := d.since[name]
		if !flushed && !written {
			continue
		}
		content := settle(d.durable[name], d.since[name], reached)
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return survives(t, filepath.Join(dir, "log.db"), 3, acks, 1)
}

// A flush that failed once and then succeeds has flushed nothing of what failed.
// The store that is opened after it must not build on pages that only memory has.
func TestAfterAFlushThatFailedALossOfPowerLosesNothingAcknowledged(t *testing.T) {
	base := prepared(t, 3)
	refused := 0
	for n := 1; ; n++ {
		address := filepath.Join(t.TempDir(), "log.db")
		if err := os.WriteFile(address, base, 0o600); err != nil {
			t.Fatal(err)
		}
		d := &disk{durable: map[string][]byte{"log.db": base}, since: map[string][]event{}}
		acks := map[uint64]string{}
		failed := false
		run := func(inject string, args ...string) {
			for _, e := range record(t, address, inject, args...) {
				if e.path == "said" {
					r := heard(t, string(e.data))
					for index, what := range r.acks {
						acks[index] = what
					}
					if r.has("refused") {
						refused++
					}
				}
				failed = failed || e.failed
				d.apply(e)
				if e.path == "said" {
					if err := d.comesBack(t, func(int) bool { return false }, acks); err != nil {
						t.Errorf("flush %d failed; power lost after %q: %v", n, e.data, err)
					}
				}
			}
		}
		run(fmt.Sprintf("fsync:error=EIO:when=%d", n), "-n", "3", "-die")
		if !failed {
			break
		}
		run(nothing, "-n", "2")
	}
	if refused < 3 {
		t.Errorf("%d appends met the failed flush, want 3 or more", refused)
	}
}

// running is the file of a store and its write-ahead log while its owner still
// has it open, with the checkpoint of the whole.
type running struct {
	db, wal []byte
	size    int
	note    []byte
}

func stillRunning(t *testing.T, n int) running {
	t.Helper()
	address := filepath.Join(t.TempDir(), "log.db")
	p := newPlace(t, nil)
	db := p.open(store.Options{URL: address})
	fill(t, db, p.key, n)
	var r running
	var err error
	r.size = n
	if r.db, err = os.ReadFile(address); err != nil {
		t.Fatal(err)
	}
	if r.wal, err = os.ReadFile(address + "-wal"); err != nil {
		t.Fatal(err)
	}
	if err := db.View(t.Context(), func(v store.View) error { r.note = v.Checkpoint(); return nil }); err != nil {
		t.Fatal(err)
	}
	return r
}

// What a copy has lost is lost; it must be the end of the log, and whoever knows
// more must notice.
func TestACopyThatWasCutOrFilledWithZerosIsAShorterLogOrNone(t *testing.T) {
	whole := stillRunning(t, 5)
	frame := 4096 + 24
	damages := map[string]func(wal []byte, at int) []byte{
		"cut":               func(wal []byte, at int) []byte { return wal[:at] },
		"filled with zeros": func(wal []byte, at int) []byte { return append(wal[:at], make([]byte, len(wal)-at)...) },
		"a sector of zeros": func(wal []byte, at int) []byte { clear(wal[at:min(at+sector, len(wal))]); return wal },
		"frames swapped": func(wal []byte, at int) []byte {
			first := 32 + (at-32)/frame*frame
			if at < 32 || first+2*frame > len(wal) {
				return nil
			}
			a := slices.Clone(wal[first : first+frame])
			copy(wal[first:], wal[first+frame:first+2*frame])
			copy(wal[first+frame:], a)
			return wal
		},
		"a bit flipped": func(wal []byte, at int) []byte { wal[at] ^= 1; return wal },
	}
	step := sector
	if !full {
		step = 5 * sector
	}
	shorter := 0
	for name, damage := range damages {
		for at := len(whole.wal) / sector * sector; at >= 0; at -= step {
			if at >= len(whole.wal) {
				continue
			}
			wal := damage(slices.Clone(whole.wal), at)
			if wal == nil {
				continue
			}
			size, err := whole.remains(t, whole.db, wal)
			if err != nil {
				t.Errorf("write-ahead log, %s at %d: %v", name, at, err)
			}
			if size < whole.size {
				shorter++
			}
		}
	}
	if shorter < 20 {
		t.Errorf("only %d copies were shorter: the damage does not reach the log", shorter)
	}
}

func TestADatabaseFileThatWasCutOrFilledWithZerosIsNeverTakenAsWhole(t *testing.T) {
	base := prepared(t, 60)
	db := running{size: 60}
	step := 4096
	if full {
		step = sector
	}
	found := 0
	for at := 0; at < len(base); at += step {
		for name, damaged := range map[string][]byte{
			"cut":               base[:at],
			"filled with zeros": append(slices.Clone(base[:at]), make([]byte, len(base)-at)...),
			"a page of zeros":   slices.Concat(base[:at], make([]byte, min(4096, len(base)-at)), base[min(at+4096, len(base)):]),
		} {
			if name == "cut" && at == 0 {
				continue // an empty file is a new store: only a witness knows
			}
			size, err := db.remains(t, damaged, nil)
			if err != nil {
				t.Errorf("%s at %d: %v", name, at, err)
			}
			if size < 60 {
				found++
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d damages were noticed", found)
	}
}

// remains opens a damaged copy and returns how many entries it has, -1 when it was
// refused or Check found it. It says what is wrong if a copy is taken for more
// than it is.
func (r running) remains(t *testing.T, db, wal []byte) (int, error) {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	address, witness := filepath.Join(dir, "log.db"), filepath.Join(dir, "witness")
	if err := errors.Join(os.WriteFile(address, db, 0o600), os.Mkdir(witness, 0o700)); err != nil {
		return 0, err
	}
	if wal != nil {
		if err := os.WriteFile(address+"-wal", wal, 0o600); err != nil {
			return 0, err
		}
	}
	s, err := store.Open(t.Context(), store.Options{URL: address, Witness: witness})
	if err != nil {
		return -1, nil // refused
	}
	defer s.Close()
	if r.note != nil {
		if err := os.WriteFile(filepath.Join(witness, s.Identity().ID+".checkpoint"), r.note, 0o600); err != nil {
			return 0, err
		}
	}
	o := evidence.VerifyOptions{Keys: []string{firstKey}}
	report, err := s.Check(t.Context(), o)
	if err != nil || report.Evidence != nil || len(report.Damage) > 0 {
		return -1, nil
	}
	size := int(report.Size)
	if r.note == nil {
		if size != r.size {
			return size, fmt.Errorf("%d entries pass for the whole log", size)
		}
		return size, nil
	}
	if size == r.size {
		return size, nil
	}
	if report.Fork == nil || !report.Fork.RolledBack {
		return size, fmt.Errorf("%d entries, and Check does not hear the witness: %+v", size, report)
	}
	o.Checkpoints = [][]byte{r.note}
	if report, err = s.Check(t.Context(), o); err != nil || report.Evidence == nil || report.Evidence.Index != uint64(size) ||
		size > 0 && report.Evidence.Fault != evidence.RolledBack {
		return size, fmt.Errorf("%d entries, and a checkpoint from outside says %+v, %v", size, report, err)
	}
	_, err = s.Append(t.Context(), newKey(t, "tidewater-log-1", 1), saying("after"))
	if fork, is := errors.AsType[*store.ForkError](err); !is || !fork.RolledBack {
		return size, fmt.Errorf("%d entries, and an append is not refused: %v", size, err)
	}
	return size, nil
}
