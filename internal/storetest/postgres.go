// Package storetest runs stores for tests: a PostgreSQL server of its own, and
// the suite that holds every kind of store to the promises of internal/store.
//
// A server is started as a user without rights on a socket in a temporary
// folder, listens on no network, and ends with the process that started it.
package storetest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named pgx

	"halligan/internal/testenv"
)

// Server is a running PostgreSQL.
type Server struct {
	binaries, folder string
	process          *exec.Cmd
	exited           chan error
	log              *bytes.Buffer // read it after exited only
	databases        int           // made so far; one test at a time makes them
}

// Postgres starts a server from the binaries in the folder that
// HALLIGAN_POSTGRES names, and stops it when the test ends. What is given beside
// the test goes to initdb.
func Postgres(t testing.TB, initdb ...string) *Server {
	t.Helper()
	s := newServer(t, initdb...)
	t.Cleanup(func() {
		s.Kill(t, throwAway)
		os.RemoveAll(s.folder)
	})
	return s
}

func newServer(t testing.TB, more ...string) *Server {
	t.Helper()
	binaries := testenv.Folder(t, "HALLIGAN_POSTGRES")
	folder, err := os.MkdirTemp("", "halligan-pg-") // t.TempDir is too long for the name of a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{binaries: binaries, folder: folder}
	if err := giveAway(folder); err != nil {
		t.Fatal(err)
	}
	initdb := s.command("initdb", append([]string{"-D", s.data(), "-U", "halligan", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}, more...)...)
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(t)
	return s
}

// Shared is one server for all tests of a package. Its zero value is ready;
// TestMain stops it.
type Shared struct {
	mutex  sync.Mutex
	server *Server
}

// Server starts the server at the first call.
func (s *Shared) Server(t testing.TB) *Server {
	t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.server == nil {
		s.server = newServer(t)
	}
	return s.server
}

// Stop ends the server, if one was started.
func (s *Shared) Stop() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.server == nil {
		return nil
	}
	err := s.server.stop(throwAway)
	return errors.Join(err, os.RemoveAll(s.server.folder))
}

// PID is the process of the running server that the others of it come from.
func (s *Server) PID() int { return s.process.Process.Pid }

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// command runs a program of PostgreSQL, which refuses to run as root.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.binaries, name), args...)
	cmd.Dir = s.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=" + s.folder}
	lower(cmd)
	return cmd
}

// Start starts the server (again) and waits until it answers.
func (s *Server) Start(t testing.TB, settings ...string) {
	t.Helper()
	args := []string{"-D", s.data(), "-k", s.folder, "-c", "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=16MB"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	s.log = &bytes.Buffer{}
	s.process = s.command("postgres", args...)
	ready, err := s.process.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.exited = make(chan error, 1)
	started, accepts := make(chan error, 1), make(chan struct{})
	var once sync.Once
	go func() { // ends with the server
		started <- runTied(s.process)
		for lines := bufio.NewReader(ready); ; {
			line, err := lines.ReadString('\n')
			s.log.WriteString(line)
			if strings.Contains(line, "ready to accept connections") {
				once.Do(func() { close(accepts) })
			}
			if err != nil {
				break
			}
		}
		s.exited <- s.process.Wait()
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	select { // to ask all the time would only delay it
	case <-accepts:
	case <-t.Context().Done():
	case gone := <-s.exited:
		s.exited <- gone
	}
	if err := s.answers(t.Context()); err != nil {
		s.Kill(t, os.Kill)
		t.Fatalf("postgres does not answer: %v\n%s", err, s.log)
	}
}

func (s *Server) answers(ctx context.Context) error {
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		err := db.PingContext(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case gone := <-s.exited:
			s.exited <- gone
			return fmt.Errorf("it ended: %w", errors.Join(gone, err))
		default: // the next ping is the waiting
		}
	}
}

// throwAway is PostgreSQL's immediate shutdown: what it would still write is
// deleted anyway.
const throwAway = syscall.SIGQUIT

// Kill ends the server with a signal: os.Interrupt is PostgreSQL's fast shutdown,
// os.Kill a crash of the server with all its processes.
func (s *Server) Kill(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := s.stop(signal); err != nil {
		t.Errorf("stop postgres: %v", err)
	}
}

func (s *Server) stop(signal os.Signal) error {
	if s.process == nil {
		return nil
	}
	if err := signalAll(s.process, signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-s.exited
	s.process = nil
	_ = os.Remove(filepath.Join(s.data(), "postmaster.pid")) // a crash leaves it
	return nil
}

func (s *Server) url(database string) string {
	query := url.Values{"host": {s.folder}, "user": {"halligan"}}
	return "postgres:///" + database + "?" + query.Encode()
}

// Database makes an empty database and returns its address.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.databases++
	name := fmt.Sprintf("store%d", s.databases)
	s.Exec(t, s.url("postgres"), "create database "+name+" template template0")
	return s.url(name)
}

// Exec runs SQL as the administrator of a database.
func (s *Server) Exec(t testing.TB, address string, statements ...string) {
	t.Helper()
	Exec(t, address, statements...)
}

// Exec runs SQL in a store past the store itself, as an administrator could.
func Exec(t testing.TB, address string, statements ...string) {
	t.Helper()
	driver := "sqlite"
	if strings.HasPrefix(address, "postgres") {
		driver = "pgx"
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
