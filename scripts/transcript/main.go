// Transcript runs the console transcripts of a document and says where it no
// longer tells the truth.
//
// A transcript is a fenced block marked "console". A line that begins with "$ "
// is a command, a line that begins with "> " continues a command that ended in a
// backslash, and the lines below are what it prints, stdout and stderr together.
// A line "..." stands for any number of lines. A command must succeed, unless the
// last line shown is the "exit status N" of go run, or the next command is
// "echo $?" and shows the code. Commands run in the current folder, each in its
// own shell.
//
// The commands of blocks marked "console trial" run one after another in a folder
// of their own that is empty at first, with the program as built from the current
// folder as halligan. They have none of the settings of whoever runs this; examples
// of the checkout are at examples/.
//
// What the go command says about downloads is left out: a newcomer sees it once.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// step is one command of a transcript and what the document shows for it.
type step struct {
	line    int // of the command in the document
	command string
	shown   []string
	trial   bool // runs in the trial folder
}

// several collects a flag that may be given more than once.
type several []string

func (s *several) String() string     { return strings.Join(*s, ", ") }
func (s *several) Set(v string) error { *s = append(*s, v); return nil }

func main() {
	var ran several
	flag.Var(&ran, "ran", "a `command` that need not run again; may be given more than once")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: transcript [-ran COMMAND] DOCUMENT")
		os.Exit(2)
	}
	if err := check(os.Stdout, flag.Arg(0), ran); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// check runs the transcripts of document and tells progress which command is
// running, for one may take minutes.
func check(progress io.Writer, document string, ran []string) error {
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	steps, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("read transcript of %s: %w", document, err)
	}
	folder, err := trial(steps)
	if err != nil {
		return err
	}
	if folder != "" {
		defer os.RemoveAll(folder)
	}
	var faults []error
	last := 0
	for i, s := range steps {
		if slices.Contains(ran, s.command) {
			fmt.Fprintf(progress, "$ %s   (ran before)\n", s.command)
			last = 0
			continue
		}
		fmt.Fprintf(progress, "$ %s\n", s.command)
		where := ""
		if s.trial {
			where = folder
		}
		printed, code, err := run(s.command, last, where)
		if err != nil {
			return fmt.Errorf("%s:%d: run %q: %w", document, s.line, s.command, err)
		}
		last = code
		codeShown := i+1 < len(steps) && steps[i+1].command == "echo $?"
		if fault := s.compare(printed, code, codeShown); fault != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %q: %w", document, s.line, s.command, fault))
		}
	}
	return errors.Join(faults...)
}

// parse finds the commands of all console blocks. A document without any is an
// error: the check would pass and have checked nothing.
func parse(text string) ([]step, error) {
	var steps []step
	inside, begun, isTrial := false, false, false
	for number, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case !inside:
			isTrial = line == "```console trial"
			inside, begun = isTrial || line == "```console", false
		case line == "```":
			inside = false
		case strings.HasPrefix(line, "$ "):
			steps, begun = append(steps, step{line: number + 1, command: strings.TrimPrefix(line, "$ "), trial: isTrial}), true
		case !begun && line != "":
			return nil, fmt.Errorf("line %d: output before the first command", number+1)
		case begun:
			s := &steps[len(steps)-1]
			if more, continues := strings.CutPrefix(line, "> "); continues && strings.HasSuffix(s.command, `\`) {
				s.command += "\n" + more
				continue
			}
			s.shown = append(s.shown, line)
		}
	}
	if inside {
		return nil, errors.New("a console block does not end")
	}
	if len(steps) == 0 {
		return nil, errors.New("no console block with a command")
	}
	return steps, nil
}

// trial makes the folder in which the trial commands run, "" where there are none.
func trial(steps []step) (string, error) {
	if !slices.ContainsFunc(steps, func(s step) bool { return s.trial }) {
		return "", nil
	}
	folder, err := os.MkdirTemp("", "trial-")
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err == nil {
		err = os.Symlink(filepath.Join(here, "examples"), filepath.Join(folder, "examples"))
	}
	if err == nil {
		build := exec.Command("go", "build", "-o", filepath.Join(folder, ".bin")+string(filepath.Separator), "./cmd/halligan")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		var out []byte
		if out, err = build.CombinedOutput(); err != nil {
			err = fmt.Errorf("build halligan for the trial: %w: %s", err, out)
		}
	}
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// run executes command in a shell that believes the last command ended with
// code last, so that "echo $?" works. A folder that is not "" is where it runs.
func run(command string, last int, folder string) (printed string, code int, err error) {
	shell := exec.Command("bash", "-c", fmt.Sprintf("(exit %d)\n%s", last, command))
	if folder != "" {
		shell.Dir = folder
		shell.Env = append(os.Environ(), "PATH="+filepath.Join(folder, ".bin")+string(filepath.ListSeparator)+os.Getenv("PATH"), "HALLIGAN_HOME="+filepath.Join(folder, "home"), "COLUMNS=80")
	}
	out, err := shell.CombinedOutput()
	if exit, is := errors.AsType[*exec.ExitError](err); is {
		return string(out), exit.ExitCode(), nil
	}
	return string(out), 0, err
}

var (
	download   = regexp.MustCompile(`^go: (downloading|finding|added|upgraded) `)
	exitStatus = regexp.MustCompile(`^exit status \d+$`)
)

// compare says how what was printed differs from what the document shows.
func (s step) compare(printed string, code int, codeShown bool) error {
	var got []string
	for line := range strings.Lines(printed) {
		line = strings.TrimRight(line, "\r\n")
		if !download.MatchString(line) {
			got = append(got, strings.TrimRight(line, " "))
		}
	}
	got = trimBlank(got)
	want := trimBlank(s.shown)
	failureShown := codeShown
	if len(want) > 0 && !codeShown {
		failureShown = exitStatus.MatchString(want[len(want)-1])
		if failureShown && code == 0 {
			return fmt.Errorf("ended with code 0, the document shows %q", want[len(want)-1])
		}
	}
	if code != 0 && !failureShown {
		return fmt.Errorf("ended with code %d, which the document does not show; it printed\n%s", code, printed)
	}
	if !matches(got, want) {
		return fmt.Errorf("printed something else\n--- shown\n%s\n--- printed\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	return nil
}

// matches compares line by line; "..." in want stands for any number of lines.
func matches(got, want []string) bool {
	for i, line := range want {
		if line == "..." {
			for skip := 0; skip <= len(got)-i; skip++ {
				if matches(got[i+skip:], want[i+1:]) {
					return true
				}
			}
			return false
		}
		if i >= len(got) || got[i] != line {
			return false
		}
	}
	return len(got) == len(want)
}

// trimBlank drops blank lines at both ends, which separate commands for the eye.
func trimBlank(lines []string) []string {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	for len(lines) > 0 && blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	return lines
}
