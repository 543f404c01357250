package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/internal/app"
	"halligan/internal/testenv"
)

// Each fault is met twice: in process, where the test hastens waits and switches
// defences off, and here by the program as people have it: built by go build, run
// as a process of its own, with nothing shared but the folder of profiles. It
// waits as long as it waits, and has its own limits. What it sent is what the
// tenant received.

// outside is how a case differs for the program. Where it differs, it is because
// the program has larger limits than the run in process.
type outside struct {
	spec    string        // instead of the case's
	timeout string        // --timeout; "" is 30s
	want    want          // instead of the case's
	within  time.Duration // check ends in this time; 0 is programBound
	rare    string        // why it is run with HALLIGAN_FULL=1 only; "" every day
}

// programBound is after when a process is ended, and the case has failed.
const programBound = 60 * time.Second

// built is the program, built once for all tests.
var built struct {
	once      sync.Once
	dir, file string
	err       error
}

// program returns the file of the program: a plain build, as it is released.
func program(t testing.TB) string {
	t.Helper()
	goTool, err := exec.LookPath("go")
	if err != nil {
		testenv.Missing(t, "there is no go to build the program with")
	}
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "halligan-program"); built.err != nil {
			return
		}
		built.file = filepath.Join(built.dir, "halligan")
		if runtime.GOOS == "windows" {
			built.file += ".exe"
		}
		cmd := exec.Command(goTool, "build", "-trimpath", "-o", built.file, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=", "GOARCH=")
		if said, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("build the program: %w: %s", err, said)
		}
	})
	must(t, built.err)
	return built.file
}

// tests are all tests, and what is left of them is cleared away.
type tests struct{ *testing.M }

// Run implements testscript.TestingM.
func (m tests) Run() int {
	defer func() {
		if built.dir != "" {
			_ = os.RemoveAll(built.dir)
		}
	}()
	return m.M.Run()
}

// runProgram runs the program as a process of its own.
func (f *faultTenant) runProgram(ctx context.Context, t testing.TB, args ...string) (code int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program(t), args...)
	cmd.Env = append(os.Environ(), "HALLIGAN_HOME="+f.path("home"))
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = f.dir, &stdout, &stderr, time.Second
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// receipts is what a tenant received, as it records it.
type receipts struct {
	mu  sync.Mutex
	all []sent
}

// Write implements io.Writer.
func (r *receipts) Write(line []byte) (int, error) {
	var one struct {
		Time   time.Time
		URL    string
		Status int
	}
	if err := json.Unmarshal(line, &one); err != nil {
		return 0, err
	}
	u, err := url.Parse(one.URL)
	if err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, sent{host: u.Scheme + "://" + u.Host, path: u.Path, status: one.Status, at: one.Time, done: time.Now()})
	return len(line), nil
}

func (r *receipts) take() []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.all
	r.all = nil
	return all
}

// runOutside runs check and prove under faults, each as a process.
func (c *faultCase) runOutside(t testing.TB, f *faultTenant, received *receipts) *faulted {
	t.Helper()
	got := &faulted{outside: true, proof: -1}
	timeout := cmp.Or(c.outside.timeout, "30s")
	ctx, stop := context.WithTimeout(t.Context(), programBound)
	defer stop()
	must(t, f.site.SetFaults(c.specs(f)...))
	received.take()
	before, start := f.site.Requests()["token"], time.Now()
	exit, out, said := f.runProgram(ctx, t, "check", "--register", f.register, "--format", "json", "--timeout", timeout)
	got.exit, got.said, got.took, got.tokens, got.cut = exit, said, time.Since(start), f.site.Requests()["token"]-before, ctx.Err() != nil
	got.sent = received.take()
	var report app.CheckReport
	if json.Unmarshal([]byte(out), &report) == nil {
		got.report = &report
	}
	if c.checkOnly {
		return got
	}
	must(t, f.site.SetFaults(c.specs(f)...))
	args := []string{"prove", "--timeout", timeout}
	for _, a := range f.accounts {
		args = append(args, "--account", a)
	}
	got.proof, got.proved, _ = f.runProgram(ctx, t, args...)
	got.cut = got.cut || ctx.Err() != nil
	return got
}

// runFaultsOutside runs the cases of one fault by the program, each beside the
// others and with a tenant of its own.
func runFaultsOutside(t *testing.T, base *faulted, cases []faultCase) {
	for _, c := range cases {
		if c.outside.rare != "" && os.Getenv("HALLIGAN_FULL") == "" {
			t.Logf("%s: with HALLIGAN_FULL=1 only: %s", c.name, c.outside.rare)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var received receipts
			f := serveTenant(t, &received, "contoso-hardened", hardened...)
			c.spec = cmp.Or(c.outside.spec, c.spec)
			if c.outside.want != nil {
				c.want = c.outside.want
			}
			got := c.runOutside(t, f, &received)
			t.Logf("check took %s, with %d requests", got.took.Round(time.Millisecond), len(got.sent))
			if err := c.judge(base, got); err != nil {
				t.Fatal(err)
			}
			if most := c.outside.within; most > 0 && got.took > most {
				t.Errorf("check took %s, want at most %s", got.took, most)
			}
		})
	}
}

// gap is how long after the first answer to a path it was asked for again: what
// can be seen of a wait from outside.
func (o *faulted) gap(path string) (gap time.Duration, err error) {
	var asked []sent
	for _, s := range slices.SortedFunc(slices.Values(o.sent), func(a, b sent) int { return a.at.Compare(b.at) }) {
		if strings.HasSuffix(s.path, path) {
			asked = append(asked, s)
		}
	}
	if len(asked) != 2 {
		return 0, fmt.Errorf("%s was asked for %d times, want twice", path, len(asked))
	}
	return asked[1].at.Sub(asked[0].at), nil
}

// The program as it is built every day judges the tenant without faults as it is
// judged in process.
func TestProgramJudgesTheTenantAlike(t *testing.T) {
	t.Parallel()
	runFaultsOutside(t, good(t), []faultCase{{name: "no fault", want: both(overcome, tokens(2))}})
}

// The program that these tests run is the one that people get: no tags, no
// settings of the linker, nothing of the test in it.
func TestProgramIsAPlainBuild(t *testing.T) {
	t.Parallel()
	info, err := buildinfo.ReadFile(program(t))
	must(t, err)
	for _, s := range info.Settings {
		switch s.Key {
		case "-tags", "-ldflags", "-gcflags", "-race", "-cover":
			t.Errorf("it is built with %s=%s", s.Key, s.Value)
		case "CGO_ENABLED":
			if s.Value != "0" {
				t.Errorf("it is built with CGO_ENABLED=%s", s.Value)
			}
		}
	}
}
