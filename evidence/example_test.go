package evidence_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/testenv"
)

var update = flag.Bool("update", false, "rewrite the example log; read the difference as code: old logs must stay verifiable")

const (
	exampleFolder     = "../examples/evidence/log"
	exampleKey        = "../examples/evidence/key.txt"
	exampleCheckpoint = "../examples/evidence/checkpoint.txt"
)

// exampleLog is a short history of a company that does not exist: two people, a
// change of the key, a text that tries to look like something else.
func exampleLog(t testing.TB) *fakeLog {
	return recipe{
		size: 12, sizes: []uint64{1, 4, 9, 12}, changes: map[int]string{5: "rotated"},
		keys: []*evidence.LogKey{newKey(t, "tidewater-log-1", 41), newKey(t, "tidewater-log-2", 42)},
		entry: func(i int) evidence.Entry {
			return []evidence.Entry{
				{},
				{Kind: evidence.KindRegister, Who: []string{"ana", "ben"}, What: "approve register", After: digest},
				{Kind: evidence.KindCheck, Who: []string{"os:ana@laptop"}, What: "check", Subject: digest, Data: json.RawMessage(`{"grade":"B","failed":3}`)},
				{Kind: evidence.KindNote, Who: []string{"ana"}, What: "note", Why: "Gr\u00fc\u00dfe \u202efdp.exe \U0001F692"},
				{Kind: evidence.KindRequest, Who: []string{"ana"}, What: "open", On: "ea-north@tidewaterinstruments.onmicrosoft.com", Why: "quarterly drill", Subject: digest},
				{},
				{Kind: evidence.KindApproval, Who: []string{"ben"}, What: "approve request", Subject: digest, Data: json.RawMessage(`{"method":"ssh"}`)},
				{Kind: evidence.KindIntent, Who: []string{"ana", "ben"}, What: "open", On: "ea-north@tidewaterinstruments.onmicrosoft.com", Subject: digest},
				{Kind: evidence.KindOutcome, Who: []string{"ana", "ben"}, What: "open", Refers: ref(7), Source: noon, Skew: -250e6,
					RequestIDs: []string{"7c1f7e0a-0d3c-4d7f-9f52-4c0d1cb1f0aa"}, Before: digest, After: digest},
				{Kind: evidence.KindRefusal, Who: []string{"mallory"}, What: "open", Why: "not one of the approvers"},
				{Kind: evidence.KindCheckpoint, Who: []string{"ana"}, What: "print checkpoint", Data: json.RawMessage(`{"size":9,"to":"the binder"}`)},
				{Kind: evidence.KindSideLog, Who: []string{"ana"}, What: "merge side log", Marks: []string{"evidence late", "one person"}},
			}[i]
		},
	}.build(t)
}

// A log that was written once must be verifiable for ever: the example is made
// anew and compared byte for byte.
func TestTheFormDoesNotChange(t *testing.T) {
	l := exampleLog(t)
	want := map[string][]byte{exampleKey: []byte(l.keys[1] + "\n"), exampleCheckpoint: l.notes[4]}
	for name, content := range l.files() {
		want[filepath.Join(exampleFolder, name)] = content
	}
	for name, content := range want {
		if *update {
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, content, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s is not what this version writes (%v)", name, err)
		}
	}
	result, err := evidence.Verify(os.DirFS(exampleFolder), evidence.VerifyOptions{Keys: l.keys[1:], Checkpoints: l.notes[4:5]})
	if err != nil || result.Size != 12 || result.Outside != 1 {
		t.Errorf("the example: %+v, %v", result, err)
	}
}

// page is docs/evidence-format.md.
func page(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("../docs/evidence-format.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestThePageSaysWhatTheCodeDoes(t *testing.T) {
	text, l := page(t), exampleLog(t)
	root := strings.TrimPrefix(good(l), "good 12 ")
	text = strings.ReplaceAll(text, "\n    ", "\n") // examples stand indented
	for _, want := range []string{string(l.lines[3]), string(l.notes[4]), l.keys[0], l.keys[1], root, string(hashesOf(l.lines)[3])} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show\n%s", want)
		}
	}
	for _, k := range evidence.Kinds {
		if !strings.Contains(text, "| `"+string(k.Kind)+"` | "+k.Doc+" |") {
			t.Errorf("the page does not have the kind | `%s` | %s |", k.Kind, k.Doc)
		}
	}
}

func TestTheVerifierInPythonFromTheCommandLine(t *testing.T) {
	script, err := filepath.Abs(verifier)
	if err != nil {
		t.Fatal(err)
	}
	l := exampleLog(t)
	key := l.keys[1]
	damaged := func(spoil func(dir string) error) string {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(exampleFolder)); err != nil {
			t.Fatal(err)
		}
		if err := spoil(dir); err != nil {
			testenv.Missing(t, err.Error())
		}
		return dir
	}
	outside, err := filepath.Abs(exampleCheckpoint)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := filepath.Abs(exampleFolder)
	if err != nil {
		t.Fatal(err)
	}
	short := damaged(func(dir string) error {
		for name, content := range files(l.lines[:9], hashesOf(l.lines)[:9], l.notes[:4]) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"the example":                     {[]string{"--key", key, "--checkpoint", outside, whole}, 0, good(l) + "\n"},
		"rolled back":                     {[]string{"--key", key, "--checkpoint", outside, short}, 3, "bad 9 rolled-back\n"},
		"another key":                     {[]string{"--key", newKey(t, "tidewater-log-2", 7).Public(), whole}, 3, "bad 0 key\n"},
		"no key":                          {[]string{whole}, 2, ""},
		"a key that is none":              {[]string{"--key", key[1:], whole}, 2, ""},
		"a checkpoint that is none":       {[]string{"--key", key, "--checkpoint", script, whole}, 2, ""},
		"a file that does not belong":     {[]string{"--key", key, damaged(func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) })}, 3, "bad 0 file\n"},
		"a folder that does not belong":   {[]string{"--key", key, damaged(func(dir string) error { return os.Mkdir(filepath.Join(dir, "x"), 0o700) })}, 3, "bad 0 file\n"},
		"a file that is missing":          {[]string{"--key", key, damaged(func(dir string) error { return os.Remove(filepath.Join(dir, evidence.HashesFile)) })}, 3, "bad 0 file\n"},
		"a link in place of a file":       {[]string{"--key", key, damaged(func(dir string) error { return relink(dir, whole) })}, 3, "bad 0 file\n"},
		"a folder in place of a file":     {[]string{"--key", key, damaged(func(dir string) error { return refolder(dir) })}, 3, "bad 0 file\n"},
		"a line that is altered":          {[]string{"--key", key, damaged(func(dir string) error { return alter(dir, l) })}, 3, "bad 6 altered\n"},
		"an empty file as the checkpoint": {[]string{"--key", key, "--checkpoint", os.DevNull, whole}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), python(t), append([]string{"-B", script}, c.args...)...)
			out, err := cmd.Output()
			if _, is := errors.AsType[*exec.ExitError](err); err != nil && !is {
				t.Fatal(err)
			}
			if cmd.ProcessState.ExitCode() != c.code || string(out) != c.want {
				t.Errorf("got %d %q, want %d %q", cmd.ProcessState.ExitCode(), out, c.code, c.want)
			}
			if c.code != 3 && c.code != 0 {
				return
			}
			o := evidence.VerifyOptions{Keys: []string{c.args[1]}}
			if c.args[2] == "--checkpoint" {
				o.Checkpoints = l.notes[4:5]
			}
			var ours string
			result, err := evidence.Verify(os.DirFS(c.args[len(c.args)-1]), o)
			if f, is := asFinding(err); is {
				ours = f.Machine()
			} else if err == nil {
				ours = result.Machine()
			}
			if ours+"\n" != c.want {
				t.Errorf("Verify says %q (%v), want %q", ours, err, c.want)
			}
		})
	}
}

func relink(dir, whole string) error {
	name := filepath.Join(dir, evidence.HashesFile)
	return errors.Join(os.Remove(name), os.Symlink(filepath.Join(whole, evidence.HashesFile), name))
}

func refolder(dir string) error {
	name := filepath.Join(dir, evidence.HashesFile)
	return errors.Join(os.Remove(name), os.Mkdir(name, 0o700))
}

func alter(dir string, l *fakeLog) error {
	lines := replaced(l.lines, 6, bytes.Replace(l.lines[6], []byte("ben"), []byte("ana"), 1))
	return os.WriteFile(filepath.Join(dir, evidence.EntriesFile), joined(lines), 0o600)
}
