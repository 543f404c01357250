package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	timeout time.Duration // --timeout; 0 is 30 s
	want    want          // instead of the case's
	within  time.Duration // check ends in this time; 0 is timeout and programSlack
}

// programSlack is how long after its --timeout a process is ended, and the case
// has failed.
const programSlack = 15 * time.Second

// late is when a process that had three or four seconds has ended even on a busy
// machine. Without its --timeout it would take half a minute at least.
const late = 10 * time.Second

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

// ways are the two ways to run a command: in process, and by the program.
func (f *faultTenant) ways(t testing.TB) map[string]func(args ...string) (code int, out, said string) {
	return map[string]func(args ...string) (int, string, string){
		"in process": func(args ...string) (int, string, string) { return f.run(t.Context(), nil, args...) },
		"program":    func(args ...string) (int, string, string) { return f.runProgram(t.Context(), t, args...) },
	}
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
	program(t) // building it is not what is timed
	timeout := cmp.Or(c.outside.timeout, 30*time.Second)
	ctx, stop := context.WithTimeout(t.Context(), 2*(timeout+programSlack))
	defer stop()
	must(t, f.site.SetFaults(c.specs(f)...))
	received.take()
	before, start := f.site.Requests()["token"], time.Now()
	exit, out, said := f.runProgram(ctx, t, "check", "--register", f.register, "--format", "json", "--timeout", timeout.String())
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
	args := []string{"prove", "--timeout", timeout.String()}
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
			if most := cmp.Or(c.outside.within, cmp.Or(c.outside.timeout, 30*time.Second)+programSlack); got.took > most {
				t.Errorf("check took %s, want at most %s", got.took, most)
			}
		})
	}
}

// waitedOutside: what can be seen of a wait from outside. A path was asked for
// twice with so much time between, and nothing else more than once.
func (o *faulted) waitedOutside(path string, least, most time.Duration) error {
	var asked []sent
	for _, s := range slices.SortedFunc(slices.Values(o.sent), func(a, b sent) int { return a.at.Compare(b.at) }) {
		if strings.HasSuffix(s.path, path) {
			asked = append(asked, s)
		} else if s.status == 429 {
			return fmt.Errorf("%s was throttled as well", s.path)
		}
	}
	if len(asked) != 2 {
		return fmt.Errorf("%s was asked for %d times, want twice", path, len(asked))
	}
	if gap := asked[1].at.Sub(asked[0].done); gap < least || gap > most+underWay {
		return fmt.Errorf("%s was asked for again after %s, want between %s and %s", path, gap, least, most)
	}
	return nil
}

// underWay is how long requests and answers are under way at most, on a busy
// machine.
const underWay = 500 * time.Millisecond

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

// A defence that is off outside of a test would be no defence: no flag and no
// variable of the environment leads to one, and the program as it is built has
// nothing else.
func TestOnlyTestsSwitchDefencesOff(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	forbidden := map[bool][]string{
		true:  {"flag.", "os.LookupEnv", "os.Environ", "Without =", "testing\""}, // of internal/graph
		false: {"graph.Defence", "custody.Defence", "Without[", "Without =", "tune:", ".tune ="},
	}
	// These have defences and look up which are off, or pass on what a test gave.
	own := map[string][]string{"custody/decide.go": {"Without["}, "internal/app/corridor.go": {"custody.Defence"}, "internal/app/fold.go": {"custody.Defence", "Without["}}
	must(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, path)
		for _, word := range forbidden[strings.HasPrefix(path, "internal/graph/")] {
			if strings.Contains(string(text), word) && !slices.Contains(own[path], word) {
				t.Errorf("%s: %s", path, word)
			}
		}
		for _, m := range environment.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(askedOfTheEnvironment, m[1]) {
				t.Errorf("%s: it asks the environment for %q", path, m[1])
			}
		}
		return err
	}))
}

// environment finds what is asked of the environment: getenv("NAME"), os.Getenv(name).
var environment = regexp.MustCompile(`(?i)\bgetenv\(([^()]+)\)`)

// askedOfTheEnvironment is all of it: where to keep things, how to write, and what
// tests need.
var askedOfTheEnvironment = []string{`"HALLIGAN_HOME"`, `"SOURCE_DATE_EPOCH"`, `"COLUMNS"`, `"NO_COLOR"`, `"TERM"`, `"XDG_CACHE_HOME"`, `"HALLIGAN_REQUIRE"`,
	"variable", // internal/testenv, which is for tests
	"name",     // internal/graph: what would lead azidentity elsewhere, and is refused
	`"PATH"`,   // scripts and internal/storetest: where other programs are
}
