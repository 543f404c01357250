package main

import (
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite golden files and generated documents; read the difference as code")

func TestMain(m *testing.M) {
	// Most of the time of these tests is spent waiting, as a program has to that is
	// told to come back later. -parallel still says otherwise.
	_ = flag.Set("test.parallel", "8") // the flag is there
	testscript.Main(tests{m}, map[string]func(){"halligan": main, "age-plugin-halligantest": agePlugin})
}

// TestScripts runs testdata/script/*.txtar against the real main. Beside what
// testscript brings, a script can say
//
//	exits CODE COMMAND [ARGUMENT]...
//
// because the difference between the codes is a promise, and "!" only tells
// failure from success.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Setup: func(env *testscript.Env) error {
			// The surroundings of whoever runs the tests must not show in them.
			for _, name := range []string{"NO_COLOR", "COLUMNS", "TERM", "SOURCE_DATE_EPOCH"} {
				env.Setenv(name, "")
			}
			// What people state holds from a day until another, and today lies between.
			now := time.Now().UTC()
			for name, days := range map[string]int{"LONGAGO": -60, "YESTERDAY": -1, "TODAY": 0, "OVERMORROW": 2, "LATER": 190, "TOOLATE": 1900} {
				env.Setenv(name, now.AddDate(0, 0, days).Format(time.DateOnly))
			}
			env.Setenv("HALLIGAN_HOME", filepath.Join(env.WorkDir, "home"))
			tenant, err := filepath.Abs(filepath.Join("..", "..", "examples", "tenants", "tidewater"))
			env.Setenv("TIDEWATER", tenant)
			return err
		},
		Cmds:      map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "people": people, "capture": capture, "flip": flip},
		Condition: surroundings,
	})
}

func exits(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT]...")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, is := errors.AsType[*exec.ExitError](err)
		if !is {
			ts.Fatalf("exits: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: got exit code %d, want %d", args[1:], got, want)
	}
}
