package lockout_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halligan/internal/testenv"
	"halligan/lockout"
)

func TestOwnVectors(t *testing.T) {
	f, err := lockout.OwnVectors()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) != 40 {
		t.Errorf("got %d vectors, want 40", len(f.Vectors))
	}
	judge(t, f)
}

func judge(t *testing.T, f *lockout.VectorFile) {
	t.Helper()
	for _, r := range lockout.Selftest(f) {
		if !r.OK {
			t.Errorf("%s %s\nwant %s\ngot  %s\nreason: %s", r.ID, r.Title, r.Want, r.Got, r.Reason)
		}
	}
}

// More files of the same schema, made by others, through HALLIGAN_VECTORS.
func TestOtherVectors(t *testing.T) {
	where, files := testenv.Folder(t, "HALLIGAN_VECTORS"), 0
	err := filepath.WalkDir(where, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.EqualFold(filepath.Ext(path), ".json") {
			return err
		}
		files++
		t.Run(filepath.Base(path), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := lockout.ReadVectors(data)
			if err != nil {
				t.Fatal(err)
			}
			judge(t, f)
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Errorf("no .json file in %s", where)
	}
}

// A selftest that cannot fail is worth nothing: each kind of expectation, made
// wrong, must be reported.
func TestSelftestNotices(t *testing.T) {
	for name, c := range map[string]struct{ id, change, to string }{
		"a verdict":                   {"S01", `"verdict":"PROVED"`, `"verdict":"LOCKOUT"`},
		"a blocker":                   {"S04", `"control":"block"`, `"control":"mfa"`},
		"a point that is not denied":  {"S26", `"denyPoint":{"signInRisk":"high"}`, `"denyPoint":{"signInRisk":"low"}`},
		"a point that is not allowed": {"S26", `"allowPoint":{"signInRisk":"medium"}`, `"allowPoint":{"signInRisk":"high"}`},
		"a margin":                    {"S39", `"margin":1`, `"margin":2`},
		"a set of events":             {"S39", `[["deleteGroup","g-bg"]],`, ``},
		"a single point of failure":   {"S40", `["deleteGroup","g-bg"],`, ``},
		"a point of failure too many": {"S40", `["deleteGroup","g-bg"],`, `["deleteGroup","g-bg"],["loseSite","safe-a"],`},
	} {
		t.Run(name, func(t *testing.T) {
			one := compactVector(t, c.id)
			wrong := strings.Replace(one, c.change, c.to, 1)
			if wrong == one {
				t.Fatalf("%s has no %s", c.id, c.change)
			}
			for text, ok := range map[string]bool{one: true, wrong: false} {
				f, err := lockout.ReadVectors([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				if r := lockout.Selftest(f)[0]; r.OK != ok {
					t.Errorf("got ok %v, want %v\nwant %s\ngot  %s", r.OK, ok, r.Want, r.Got)
				}
			}
		})
	}
}

// compactVector returns a file with one of our vectors, without white space.
func compactVector(t testing.TB, id string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors/ca-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Schema  string            `json:"schema"`
		Goals   json.RawMessage   `json:"goals"`
		Vectors []json.RawMessage `json:"vectors"`
	}
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	f.Vectors = slices.DeleteFunc(f.Vectors, func(v json.RawMessage) bool {
		var head struct{ ID string }
		return json.Unmarshal(v, &head) != nil || head.ID != id
	})
	if len(f.Vectors) != 1 {
		t.Fatalf("no vector %s", id)
	}
	out, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The corners of the semantics that the worked vectors leave out.
func TestCornerVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/vectors/corner-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := lockout.ReadVectors(data)
	if err != nil {
		t.Fatal(err)
	}
	judge(t, f)
}
