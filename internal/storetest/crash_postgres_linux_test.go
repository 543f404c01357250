package storetest_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"halligan/internal/store"
	"halligan/internal/storetest"
)

// changes are the calls with which PostgreSQL changes a disk, and those with which
// it answers.
var changes = []string{"pwrite64", "pwritev", "pwritev2", "write", "fdatasync", "fsync", "sync_file_range", "ftruncate", "fallocate",
	"link", "linkat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "sendto", "sendmsg"}

// frail is how the server runs that is killed here. What keeps its promises is as
// it is by default. One killed process takes all others with it and nothing is
// repaired before the server is started again, so that its memory is lost; nobody
// writes in the background; and there is so little memory, and so little of the
// write-ahead log in one file, that a session writes pages and makes files itself.
var frail = []string{"restart_after_crash=off", "autovacuum=off", "bgwriter_lru_maxpages=0", "wal_writer_delay=10s", "wal_recycle=off",
	"min_wal_size=2MB", "shared_buffers=512kB", "wal_buffers=64kB"}

// crasher is a server with one store that is killed again and again.
type crasher struct {
	t        *testing.T
	strace   string
	pg       *storetest.Server
	settings []string
	database string
	address  string // of the store
	before   int    // entries it has
}

func newCrasher(t *testing.T, strace string) *crasher {
	c := &crasher{t: t, strace: strace, pg: storetest.Postgres(t, "--wal-segsize=1")}
	c.crash()
	c.database = c.pg.Database(t)
	return c
}

// crash kills all of the server that still runs, and starts it again.
func (c *crasher) crash() {
	c.pg.Kill(c.t, os.Kill)
	c.pg.Start(c.t, slices.Concat(frail, c.settings)...)
}

// schema gives the next store a place where nothing is.
func (c *crasher) schema() {
	storetest.Exec(c.t, c.database, "drop schema if exists halligan cascade", "create schema halligan")
	c.address, c.before = c.database+"&search_path=halligan", 0
}

// filled makes a store with some entries, whose lines are not compressed.
func (c *crasher) filled() {
	c.schema()
	db, err := store.Open(c.t.Context(), store.Options{URL: c.address})
	if err != nil {
		c.t.Fatal(err)
	}
	fill(c.t, db, newKey(c.t, "tidewater-log-1", 1), 3)
	if err := db.Close(); err != nil {
		c.t.Fatal(err)
	}
	storetest.Exec(c.t, c.address, "alter table entries alter column line set storage external")
	c.before = 3
}

// beside is a session beside that of the writer.
type beside struct {
	*sql.Conn
	db *sql.DB
}

func (s *beside) Close() { _, _ = s.Conn.Close(), s.db.Close() }

// connected opens a session in which the test asks and locks.
func (c *crasher) connected() *beside {
	db, err := sql.Open("pgx", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	conn, err := db.Conn(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return &beside{conn, db}
}

// until asks until the answer is yes. It is false when the server died.
func (c *crasher) until(s *beside, query string) bool {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for {
		var yes bool
		err := s.QueryRowContext(ctx, query).Scan(&yes)
		if ctx.Err() != nil {
			c.t.Fatalf("the answer stays no: %s", query)
		}
		if err != nil || yes {
			return err == nil
		}
	}
}

// process finds a process of the server by its kind.
func (c *crasher) process(kind string) (pid int) {
	s := c.connected()
	defer s.Close()
	if err := s.QueryRowContext(c.t.Context(), "select pid from pg_stat_activity where backend_type = $1", kind).Scan(&pid); err != nil {
		c.t.Fatalf("find the %s: %v", kind, err)
	}
	return pid
}

var killedBySignal = regexp.MustCompile(`(?m)^\d+ +\+\+\+ killed by SIGKILL`)

// watched runs do while strace meddles with a process of the server and with those
// that it starts. do says whether the server lives; watched returns what strace saw
// until then, and whether it killed.
func (c *crasher) watched(inject string, pid int, do func() (lives bool)) (journal string, killed bool) {
	path := filepath.Join(c.t.TempDir(), "strace")
	cmd := exec.Command(c.strace, "-f", "-y", "-s", "40", "-o", path, "-e", "signal=KILL", "-e", "trace="+strings.Join(changes, ","),
		"-e", "inject="+inject, "-p", strconv.Itoa(pid))
	trouble, err := cmd.StderrPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	lives := true
	end := func() {
		if lives {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it lets go of the server
		}
		_ = cmd.Wait() // else it ends with what it watches
	}
	if lines := bufio.NewScanner(trouble); !lines.Scan() || !strings.Contains(lines.Text(), "attached") {
		defer end()
		c.t.Fatalf("strace says %q", lines.Text())
	}
	func() {
		defer end()
		lives = do()
	}()
	text, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	os.Remove(path)
	if killed = killedBySignal.Match(text); !killed && !lives {
		c.t.Fatalf("the server died of something else\n%s", text)
	}
	return string(text), killed
}

// daily is about how many places of one call are tried when not all are asked for.
const daily = 6

// part is a process that takes part in an append.
type part struct {
	name     string
	appends  int                                      // entries that the writer is to append; 0 when it goes on for ever
	answers  bool                                     // it is what answers the writer
	server   bool                                     // it belongs to the server
	calls    []string                                 // that must be among those it makes
	settings []string                                 // of the server
	prepare  func(c *crasher)                         // once
	run      func(c *crasher, p part, in string) *run // with one injection
}

func parts() []part {
	n := 2
	if full {
		n = 6
	}
	return []part{
		{name: "the session of a writer", appends: n, server: true, answers: true, prepare: (*crasher).filled, run: (*crasher).session,
			calls: []string{"pwrite64", "fdatasync", "sendto", "fsync", "rename"}},
		{name: "the session of a writer that makes the store", appends: 1, server: true, answers: true, prepare: func(*crasher) {}, run: (*crasher).making,
			calls: []string{"pwrite64", "fdatasync", "sendto"}},
		{name: "the checkpointer beside a writer", server: true, prepare: (*crasher).filled, run: (*crasher).checkpointer,
			calls: []string{"pwrite64", "write", "fsync", "fdatasync", "rename", "unlink"}},
		{name: "the process that writes the log in the background", appends: 2, server: true, prepare: (*crasher).held, run: (*crasher).background,
			calls: []string{"pwrite64", "fdatasync"}, settings: []string{"wal_writer_delay=10ms", "wal_writer_flush_after=0", "wal_buffers=1MB", "shared_buffers=16MB"}},
		{name: "the writer", appends: n, prepare: (*crasher).filled, run: (*crasher).client, calls: []string{"write"}},
		{name: "the writer that makes the store", appends: 1, prepare: func(*crasher) {}, run: func(c *crasher, p part, in string) *run {
			c.schema()
			return c.client(p, in)
		}, calls: []string{"write"}},
	}
}

// writes runs a writer to its end.
func (c *crasher) writes(p part) *run {
	out, err := exec.Command(writer(c.t), "-store", c.address, "-n", strconv.Itoa(p.appends), "-big", "40000").Output()
	if ended, is := errors.AsType[*exec.ExitError](err); err != nil && (!is || strings.Contains(string(ended.Stderr), "panic")) {
		c.t.Fatalf("the writer: %v %s", err, ended.Stderr)
	}
	return heard(c.t, string(out))
}

func (c *crasher) session(p part, inject string) *run {
	storetest.Exec(c.t, c.database, "select pg_switch_wal()") // the session has to make the next file
	beside := c.connected()
	defer beside.Close()
	var r *run
	journal, killed := c.watched(inject, c.pg.PID(), func() bool {
		r = c.writes(p)
		// A session that ends leaves this table; one that is killed stays in it until
		// the server notices, and that ends this connection too.
		return c.until(beside, "select count(*) = 0 from pg_stat_activity where application_name = 'halligan'")
	})
	r.journal, r.killed = journal, killed
	return r
}

func (c *crasher) making(p part, inject string) *run {
	c.schema()
	return c.session(p, inject)
}

func (c *crasher) client(p part, inject string) *run {
	return meddle(c.t, c.strace, inject, c.address, "-n", strconv.Itoa(p.appends))
}

// rest reads what a child says until it ends.
func (c *child) rest() string {
	var said strings.Builder
	for c.out.Scan() {
		fmt.Fprintln(&said, c.out.Text())
	}
	c.cmd.Wait()
	return said.String()
}

// checkpointer has it carry pages into the database while a writer appends.
func (c *crasher) checkpointer(_ part, inject string) *run {
	w := start(c.t, c.address, "-n", "1000000", "-die")
	said := w.says("open") + "\n" + w.says("ack") + "\n"
	beside := c.connected()
	defer beside.Close()
	journal, killed := c.watched(inject, c.process("checkpointer"), func() bool {
		_, err := beside.ExecContext(c.t.Context(), "checkpoint")
		return err == nil
	})
	if !killed {
		w.cmd.Process.Kill()
	}
	r := heard(c.t, said+w.rest())
	r.journal, r.killed = journal, killed
	return r
}

// held makes a store whose transactions wait at their commit for a lock.
func (c *crasher) held() {
	c.filled()
	storetest.Exec(c.t, c.address,
		"create function wait() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(7); return null; end'",
		"create constraint trigger wait after insert on entries deferrable initially deferred for each row execute function wait()")
}

// background has the log of a transaction written before its end, by keeping the
// transaction from ending.
func (c *crasher) background(_ part, inject string) *run {
	w := start(c.t, c.address, "-big", "20000")
	said := w.says("open") + "\n" + w.append("one", "ack") + "\n"
	beside := c.connected()
	defer beside.Close()
	for _, statement := range []string{"checkpoint", "select pg_advisory_lock(7)"} {
		if _, err := beside.ExecContext(c.t.Context(), statement); err != nil {
			c.t.Fatal(err)
		}
	}
	journal, killed := c.watched(inject, c.process("walwriter"), func() bool {
		fmt.Fprintln(w.in, "two")
		lives := c.until(beside, "select count(*) = 1 from pg_locks where not granted") &&
			c.until(beside, "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn >= div(pg_current_wal_insert_lsn() - '0/0'::pg_lsn, 8192) * 8192")
		_, err := beside.ExecContext(c.t.Context(), "select pg_advisory_unlock(7)")
		return lives && err == nil
	})
	w.in.Close()
	r := heard(c.t, said+w.rest())
	r.journal, r.killed = journal, killed
	return r
}

// answered finds the commits that a session answered. One that is killed at its
// answer ends in "= ?"; one that another process is seen beside is unfinished.
var answered = regexp.MustCompile(`(?m)^\d+ +sendto\(.*\\vCOMMIT.*(?: = \d+|<unfinished \.\.\.>)$`)

// failsClosed says what is wrong with how a writer took the death of its server.
func (r *run) failsClosed(p part) error {
	refused := false
	for _, word := range r.words {
		refused = refused || word == "refused" || word == "unopened"
		if refused && word == "ack" {
			return errors.New("it went on writing after the server was gone")
		}
	}
	if strings.Contains(r.said, "refused false") {
		return errors.New("the loss of the server did not poison the store")
	}
	if !refused && (len(r.acks) < p.appends || p.appends == 0) {
		return errors.New("it neither refused nor acknowledged all")
	}
	if commits := len(answered.FindAllString(r.journal, -1)); p.answers && len(r.acks) > max(0, commits-1) { // one is that of the opening
		return fmt.Errorf("%d entries were acknowledged and %d commits answered", len(r.acks), commits)
	}
	return nil
}

// once runs a part with one injection, and says what is wrong with what it left.
func (c *crasher) once(p part, inject string) (*run, error) {
	r := p.run(c, p, inject)
	var err error
	if p.server {
		c.crash() // also where nothing was killed, and nothing left to start again
		if r.killed {
			err = r.failsClosed(p)
		}
	}
	if err == nil {
		err = survives(c.t, c.address, c.before, r.acks, 1)
	}
	if err != nil {
		p.prepare(c) // another store for the rest
		return r, fmt.Errorf("%w\nthe writer said:\n%s", err, r.said)
	}
	c.before = int(sizeOf(c.t, c.address))
	return r, nil
}

// placesOf counts the calls that a journal shows: the most that one process made.
func placesOf(journal string) map[string]int {
	counts, each := map[string]int{}, map[[2]string]int{}
	for _, m := range regexp.MustCompile(`(?m)^(\d+) +(\w+)\(`).FindAllStringSubmatch(journal, -1) {
		key := [2]string{m[1], m[2]}
		each[key]++
		counts[m[2]] = max(counts[m[2]], each[key])
	}
	return counts
}

// againMost is how often a call that a part was not seen to make is waited for again.
const againMost = 5

// enumerate kills a part at each of its calls in turn until there is none left.
func (c *crasher) enumerate(p part) {
	c.settings = p.settings
	c.crash()
	p.prepare(c)
	c.crash() // as before each run
	r, err := c.once(p, nothing)
	if err != nil || r.killed {
		c.t.Fatalf("%s, left alone: killed %v, %v", p.name, r.killed, err)
	}
	there := placesOf(r.journal)
	for _, call := range p.calls {
		if there[call] == 0 { // it is no longer what it was
			c.t.Errorf("%s makes no call of %s, only %v", p.name, call, there)
		}
	}
	for _, call := range changes {
		if there[call] == 0 {
			continue
		}
		kills := 0
		stride := 1
		if !full {
			stride = 1 + there[call]/daily
		}
		wanted := slices.Contains(p.calls, call)
		for n, again := 1, 0; ; n += stride {
			r, err := c.once(p, fmt.Sprintf("%s:signal=KILL:when=%d", call, n))
			if err != nil {
				c.t.Errorf("%s, killed at %s number %d: %v", p.name, call, n, err)
			}
			if r.killed {
				kills++
			} else if n >= there[call] {
				if kills > 0 || !wanted || again == againMost {
					break
				}
				n, again = 1-stride, again+1 // on a busy machine the server may not come to it in time
			}
		}
		c.t.Logf("%s, %s: %d places when left alone, killed at %d (one in %d)", p.name, call, there[call], kills, stride)
		if kills == 0 && wanted {
			c.t.Errorf("%s was never killed at %s: the injection does not work", p.name, call)
		}
	}
}

// One process of the server dies at each of its calls, and all others with it;
// then the writer does.
func TestKillAtEveryWriteBoundaryOfPostgresLosesNothingAcknowledged(t *testing.T) {
	strace := straced(t)
	queue := make(chan part, len(parts()))
	for _, p := range parts() {
		queue <- p
	}
	close(queue)
	for lane := range 2 { // each has a server and takes one part after the other
		t.Run(fmt.Sprintf("server %d", lane+1), func(t *testing.T) {
			t.Parallel()
			c := newCrasher(t, strace)
			for p := range queue {
				c.enumerate(p)
			}
		})
	}
}

// A kill leaves in the memory of the system what was not flushed, so that it says
// nothing about flushes.
func TestPostgresAnswersACommitAfterItHasFlushedTheLog(t *testing.T) {
	c := newCrasher(t, straced(t))
	c.filled()
	r := c.session(part{appends: 10}, nothing)
	dirty, flushed, commits := false, false, 0
	for line := range strings.Lines(r.journal) {
		m := traced.FindStringSubmatch(line)
		switch {
		case m == nil:
		case answered.MatchString(strings.TrimSuffix(line, "\n")):
			if commits++; dirty || !flushed {
				t.Errorf("commit %d was answered; written and not flushed: %v, flushed since the last: %v", commits, dirty, flushed)
			}
			flushed = false
		case !strings.Contains(m[3], "/pg_wal/"):
		case m[1] == "fdatasync" || m[1] == "fsync":
			dirty, flushed = false, true
		default:
			dirty = true
		}
	}
	if commits != 11 || len(r.acks) != 10 {
		t.Errorf("%d commits were seen and %d acknowledgements heard, want 11 and 10\n%s", commits, len(r.acks), r.said)
	}
}
