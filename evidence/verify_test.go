package evidence_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"halligan/evidence"
)

func (d damage) check(t testing.TB, who, got string) {
	t.Helper()
	if got != d.want && (d.want != "good" || !strings.HasPrefix(got, "good ")) {
		t.Errorf("%s: %s says %q, want %q", d.name, who, got, d.want)
	}
}

func TestEveryDamageIsFoundAndNamed(t *testing.T) {
	o := evidence.VerifyOptions{}.Remembering()
	for _, d := range damages(t) {
		d.check(t, "Verify", machine(d.files, d.options(o)))
	}
}

// A comparison whose loss no case notices is not needed, or not tested.
func TestEveryStepOfVerifyIsNeeded(t *testing.T) {
	all, remembering := damages(t), evidence.VerifyOptions{}.Remembering()
	if len(evidence.StepNames) != evidence.Steps {
		t.Fatalf("%d names for %d steps", len(evidence.StepNames), evidence.Steps)
	}
	for i, name := range evidence.StepNames {
		var missed []string
		for n, d := range all {
			if n%7 != 0 && strings.Contains(d.name, "swapped") {
				continue // there are thousands of them
			}
			if strings.HasPrefix(d.want, "bad ") && machine(d.files, d.options(remembering).Without(i)) != d.want {
				missed = append(missed, d.name)
			}
		}
		if len(missed) == 0 {
			t.Errorf("without %s every damage is still found", name)
			continue
		}
		t.Logf("without %s: %d damages are missed or named wrongly, for example %q", name, len(missed), missed[0])
	}
}

func TestTheResultSaysWhichKeyVouchesForWhat(t *testing.T) {
	l := sixty(t).build(t)
	result, err := evidence.Verify(folder(l.files()), evidence.VerifyOptions{Keys: l.keys, Checkpoints: l.notes[7:9]})
	if err != nil {
		t.Fatal(err)
	}
	wantKeys := []evidence.Vouch{{Key: l.keys[0], From: 0, To: 31}, {Key: l.keys[1], From: 31, To: 40}, {Key: l.keys[2], From: 40, To: 60}}
	wantLosses := []evidence.Loss{{Index: 45, Old: l.keys[1], New: l.keys[2]}}
	if !slices.Equal(result.Keys, wantKeys) || !slices.Equal(result.Losses, wantLosses) {
		t.Errorf("got %+v and %+v, want %+v and %+v", result.Keys, result.Losses, wantKeys, wantLosses)
	}
	var sizes []uint64
	for _, c := range result.Checkpoints {
		sizes = append(sizes, c.Size)
	}
	if !slices.Equal(sizes, l.sizes) || result.Outside != 2 || result.Origin != origin || result.Size != 60 {
		t.Errorf("got %v, %d from outside, %q, %d", sizes, result.Outside, result.Origin, result.Size)
	}
}

func TestTheResultOfABadLogCoversWhatIsGood(t *testing.T) {
	l := sixty(t).build(t)
	broken := with(l.files(), evidence.EntriesFile, bytes.Replace(l.files()[evidence.EntriesFile], []byte(`{"index":20,`), []byte(`{"index":02,`), 1))
	result, err := evidence.Verify(folder(broken), evidence.VerifyOptions{Keys: l.keys})
	f, is := asFinding(err)
	if !is || f.Index != 20 || f.Hint() == "" || !strings.Contains(f.Error(), "entry 20") {
		t.Fatalf("got %v", err)
	}
	if result.Size != 16 || len(result.Checkpoints) != 3 || result.Root != result.Checkpoints[2].Root {
		t.Errorf("got %+v", result)
	}
}

func TestAVerificationThatCannotBeMadeIsNoVerdict(t *testing.T) {
	l := sixty(t).build(t)
	broken := errors.New("the disk is broken")
	whole := folder(l.files())
	tests := map[string]struct {
		fsys fs.FS
		o    evidence.VerifyOptions
		hint string
	}{
		"no key":                        {whole, evidence.VerifyOptions{}, "binder"},
		"a key that is none":            {whole, evidence.VerifyOptions{Keys: []string{l.keys[0] + "x"}}, "binder"},
		"a key with a sign more":        {whole, evidence.VerifyOptions{Keys: []string{l.keys[2] + "="}}, "binder"},
		"a checkpoint that is none":     {whole, evidence.VerifyOptions{Keys: l.keys, Checkpoints: [][]byte{[]byte("x")}}, ""},
		"a checkpoint that is cut":      {whole, evidence.VerifyOptions{Keys: l.keys, Checkpoints: [][]byte{l.notes[0][:100]}}, ""},
		"a folder that is not there":    {os.DirFS(filepath.Join(t.TempDir(), "x")), evidence.VerifyOptions{Keys: l.keys}, ""},
		"entries that cannot be read":   {failing{whole, evidence.EntriesFile, broken}, evidence.VerifyOptions{Keys: l.keys}, ""},
		"hashes that cannot be read":    {failing{whole, evidence.HashesFile, broken}, evidence.VerifyOptions{Keys: l.keys}, ""},
		"checkpoints that are not read": {failing{whole, evidence.CheckpointsFile, broken}, evidence.VerifyOptions{Keys: l.keys}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := evidence.Verify(tt.fsys, tt.o)
			if _, is := asFinding(err); err == nil || is {
				t.Fatalf("got %v, want an error that is no verdict", err)
			}
			var hinted interface{ Hint() string }
			if tt.hint != "" && (!errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), tt.hint)) {
				t.Errorf("got %v, want a hint with %q", err, tt.hint)
			}
		})
	}
}

// failing is a folder of which one file breaks after 100 bytes.
type failing struct {
	fs.FS
	name string
	why  error
}

func (f failing) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err == nil && name == f.name {
		return brokenFile{file, io.MultiReader(io.LimitReader(file, 100), iotest.ErrReader(f.why))}, nil
	}
	return file, err
}

type brokenFile struct {
	fs.File
	r io.Reader
}

func (b brokenFile) Read(p []byte) (int, error) { return b.r.Read(p) }

// Verify reads in pieces; where they end must not matter.
func TestAFileThatComesInPiecesIsTheSame(t *testing.T) {
	for _, d := range damages(t)[:200] {
		got, err := evidence.Verify(pieces{folder(d.files)}, d.options(evidence.VerifyOptions{}.Remembering()))
		line := got.Machine()
		if f, is := asFinding(err); is {
			line = f.Machine()
		}
		d.check(t, "Verify in pieces", line)
	}
}

type pieces struct{ fs.FS }

func (p pieces) Open(name string) (fs.File, error) {
	file, err := p.FS.Open(name)
	if err != nil || name == "." {
		return file, err
	}
	return brokenFile{file, iotest.OneByteReader(file)}, nil
}

func (p pieces) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(p.FS, name) }

// Many bytes are looked at together; each value must count at each place.
func TestEveryByteOfALineIsLookedAt(t *testing.T) {
	l := sixty(t).build(t)
	k := evidence.VerifyOptions{Keys: l.keys[:1]}.Remembering()
	for at := range 40 {
		for c := range 256 {
			if c == '\n' || slow && (at+c)%11 != 0 {
				continue
			}
			text := []byte(`{"index":7,"kind":"` + strings.Repeat("a", 45) + `}`)
			text[19+at] = byte(c)
			got := machine(signedAgain(t, replaced(l.lines, 7, text)), k)
			want := "good"
			if c < 0x20 || c > 0x7E {
				want = bad(7, evidence.Malformed)
			}
			if !strings.HasPrefix(got, want) {
				t.Errorf("byte %#x at %d: got %q, want %q", c, at, got, want)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	l := exampleLog(f)
	whole := l.files()
	f.Add(whole[evidence.EntriesFile], whole[evidence.HashesFile], whole[evidence.CheckpointsFile])
	f.Add(whole[evidence.EntriesFile], whole[evidence.HashesFile], evidence.JoinCheckpoints(l.notes[2:]))
	f.Add(whole[evidence.HashesFile], whole[evidence.EntriesFile], []byte{})
	o := evidence.VerifyOptions{Keys: l.keys, Checkpoints: l.notes[4:]}
	f.Fuzz(func(t *testing.T, entries, hashes, checkpoints []byte) {
		_, err := evidence.Verify(folder(map[string][]byte{evidence.EntriesFile: entries, evidence.HashesFile: hashes, evidence.CheckpointsFile: checkpoints}), o)
		if _, is := asFinding(err); err != nil && !is {
			t.Fatalf("no verdict: %v", err)
		}
		if err == nil && (!bytes.Equal(entries, whole[evidence.EntriesFile]) || !bytes.Equal(hashes, whole[evidence.HashesFile])) {
			t.Errorf("good:\n%s\n%s\n%s", entries, hashes, checkpoints)
		}
	})
}
