//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

	"halligan/internal/testenv"
)

// house is a folder with a register, two people with keys, and evidence, in which
// the program runs as processes.
type house struct {
	t           *testing.T
	dir, folder string // folder: of the tenant's evidence
}

func newHouse(t *testing.T) *house {
	t.Helper()
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		testenv.Missing(t, "ssh-keygen (package openssh-client) is not there")
	}
	program(t)
	dir, err := os.MkdirTemp("", "hs") // short: the path of a socket has little room
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	h := &house{t, dir, filepath.Join(dir, "home", tidewater)}
	from, err := filepath.Abs(filepath.Join("..", "..", "examples", "tenants", "tidewater"))
	must(t, err)
	must(t, os.Symlink(from, filepath.Join(dir, "tenant")))
	for _, name := range []string{"ana", "ben"} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", filepath.Join(dir, name)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	h.run(0, "init", "--from", "tenant", "--tenant", tidewater, "--account", "ea-north@tidewaterinstruments.onmicrosoft.com", "--people", "2")
	h.run(0, "person", "add", "Ana Weiss", "--role", "operator", "--role", "approver", "--signing", "ana.pub")
	h.run(0, "person", "add", "Ben Ode", "--role", "approver", "--signing", "ben.pub")
	h.run(0, "approve", h.ask("begin"), "--as", "Ben Ode", "--key", "ben")
	return h
}

// ask has Ana ask for something, and returns the request.
func (h *house) ask(what ...string) string {
	h.t.Helper()
	out := h.run(0, append(append([]string{"request"}, what...), "--by", "Ana Weiss", "--why", "a test", "--key", "ana")...)
	m := regexp.MustCompile(`(?m)^Request ([0-9a-f]{12})$`).FindStringSubmatch(out)
	if m == nil {
		h.t.Fatalf("no request in %s", out)
	}
	return m[1]
}

func (h *house) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program(h.t), args...)
	cmd.Env = append(os.Environ(), "HALLIGAN_HOME="+filepath.Join(h.dir, "home"))
	cmd.Dir, cmd.WaitDelay = h.dir, time.Second
	return cmd
}

// run runs the program and wants an exit code of it.
func (h *house) run(want int, args ...string) string {
	h.t.Helper()
	out, err := h.try(want, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

func (h *house) try(want int, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	out, err := h.command(ctx, args...).CombinedOutput()
	if err != nil && ctx.Err() != nil {
		return "", fmt.Errorf("%q did not end in a minute: %s", args, out)
	}
	code := 0
	if exit, is := err.(*exec.ExitError); is {
		code = exit.ExitCode()
	} else if err != nil {
		return "", err
	}
	if code != want {
		return "", fmt.Errorf("%q ends with %d, want %d:\n%s", args, code, want, out)
	}
	return string(out), nil
}

// served runs halligan serve until the test ends or the process is ended.
func (h *house) serve() *exec.Cmd {
	h.t.Helper()
	cmd := h.command(context.WithoutCancel(h.t.Context()), "serve")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	must(h.t, err)
	must(h.t, cmd.Start())
	h.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // killed
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "Serving the evidence of ") {
		h.t.Fatalf("serve says %q: %v: %s", line, err, said.String())
	}
	return cmd
}

// size is how many entries the log has.
func (h *house) size() int {
	h.t.Helper()
	var got struct{ Size int }
	must(h.t, json.Unmarshal([]byte(h.run(0, "evidence", "log", "--format", "json")), &got))
	return got.Size
}

// verified exports the log and verifies it with the key that it has now.
func (h *house) verified() {
	h.t.Helper()
	page := filepath.Join(h.dir, "printed.txt")
	must(h.t, os.WriteFile(page, []byte(h.run(0, "evidence", "checkpoint")), 0o600))
	export := filepath.Join(h.dir, fmt.Sprintf("export%d", h.size()))
	h.run(0, "evidence", "export", "-o", export)
	h.run(0, "evidence", "verify", export, "--key", page, "--checkpoint", page)
}

// While one process serves the evidence, others write at once: nothing is lost or
// doubled, requests and approvals among them.
func TestCommandsWriteThroughServe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.serve()
	before := h.size()
	const writers = 8
	var all sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		all.Go(func() {
			_, errs[i] = h.try(3, "check", "--from", "tenant", "--record", "-o", fmt.Sprintf("report%d.md", i))
		})
	}
	h.run(0, "person", "add", "Carl Roe", "--role", "viewer")
	h.run(0, "approve", h.ask("register"), "--as", "Ben Ode", "--key", "ben")
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
	// request, approval, intent, register, outcome
	if got := h.size(); got != before+writers+5 {
		t.Errorf("the log grew by %d entries, want %d: %s", got-before, writers+5, h.run(0, "evidence", "log", "--last", "0"))
	}
	h.verified()
	if out := h.run(1, "request", "log-key", "--by", "Ana Weiss", "--why", "x", "--key", "ana"); !strings.Contains(out, "hint: end halligan serve") {
		t.Errorf("a change of the log key says %s", out)
	}
}

// A second owner is refused, and told who the first is.
func TestSecondServeIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.serve()
	host, err := os.Hostname()
	must(t, err)
	out := h.run(1, "serve")
	if want := fmt.Sprintf("process %d on %s owns it since ", first.Process.Pid, host); !strings.Contains(out, want) || !strings.Contains(out, fmt.Sprintf("kill %d", first.Process.Pid)) {
		t.Errorf("got %s, want %q", out, want)
	}
}

// A process that is killed holds nothing: the next command writes at once, and the
// socket that is left keeps nobody from serving again.
func TestKilledServeHoldsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.serve()
	must(t, first.Process.Kill())
	_ = first.Wait() // killed
	start := time.Now()
	h.run(3, "check", "--from", "tenant", "--record", "-o", "report.md")
	took := time.Since(start)
	t.Logf("the next command wrote in %s", took.Round(time.Millisecond))
	if took > late/2 {
		t.Errorf("the next command took %s", took)
	}
	second := h.serve()
	h.run(3, "check", "--from", "tenant", "--record", "-o", "report2.md")
	h.verified()
	must(t, second.Process.Signal(syscall.SIGTERM))
	if err := second.Wait(); err != nil {
		t.Errorf("the second one did not serve: %v", err)
	}
}

// A process that hangs keeps the store, and keeps nobody waiting: what reads works,
// and what writes ends soon, having written nothing, and says which process to end.
func TestHungServeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.serve()
	h.run(3, "check", "--from", "tenant", "--record", "-o", "report.md") // it serves
	before := h.size()
	must(t, first.Process.Signal(syscall.SIGSTOP))
	var status syscall.WaitStatus // a signal is delivered in its time
	if _, err := syscall.Wait4(first.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("it did not stop: %v %v", status, err)
	}
	if got := h.size(); got != before {
		t.Errorf("the log has %d entries, want %d", got, before)
	}
	start := time.Now()
	out := h.run(1, "check", "--from", "tenant", "--record", "-o", "report2.md")
	took := time.Since(start)
	t.Logf("the writing command gave up in %s", took.Round(time.Millisecond))
	if took > 2*late {
		t.Errorf("it took %s", took)
	}
	host, err := os.Hostname()
	must(t, err)
	pid := first.Process.Pid
	for _, want := range []string{fmt.Sprintf("process %d on %s owns it since ", pid, host), "and does not answer", fmt.Sprintf("hint: end it on %s (kill %d)", host, pid)} {
		if !strings.Contains(out, want) {
			t.Errorf("got %s, want %q", out, want)
		}
	}
	must(t, first.Process.Signal(syscall.SIGCONT))
	h.run(3, "check", "--from", "tenant", "--record", "-o", "report3.md")
	if got := h.size(); got != before+1 {
		t.Errorf("the log has %d entries, want %d: what was given up was written after all", got, before+1)
	}
	h.verified()
}

// Ctrl-C and the signal of a service manager end it well, and leave no socket.
func TestServeEndsOnSignals(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		first := h.serve()
		h.run(3, "check", "--from", "tenant", "--record", "-o", "report-"+signal.String()+".md") // it serves
		socket := filepath.Join(h.folder, "s.sock")
		info, err := os.Stat(socket)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket: %v, %v", info, err)
		}
		must(t, first.Process.Signal(signal))
		if err := first.Wait(); err != nil {
			t.Errorf("%s: it ends with %v", signal, err)
		}
		if _, err := os.Stat(socket); !os.IsNotExist(err) {
			t.Errorf("%s: the socket is still there: %v", signal, err)
		}
	}
}
