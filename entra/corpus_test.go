package entra_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"halligan/entra"
	"halligan/internal/testenv"
)

// policySet is one published set of policies: an export or a baseline.
type policySet struct {
	Repo     string   `json:"repo"`
	Source   string   `json:"source"`
	Policies []string `json:"policies"`
}

func policySets(t testing.TB) (string, []policySet) {
	t.Helper()
	root := filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "conditional-access")
	data, err := os.ReadFile(filepath.Join(root, "sets.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sets []policySet
	if err := json.Unmarshal(data, &sets); err != nil {
		t.Fatal(err)
	}
	return root, sets
}

// files returns the texts of a set by base name, each as it was published.
func (s policySet) files(t testing.TB, root string) (names []string, texts [][]byte) {
	t.Helper()
	for i, name := range s.Policies {
		data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, fmt.Sprintf("%03d-%s", i, filepath.Base(name)))
		texts = append(texts, data)
	}
	return names, texts
}

func array(texts [][]byte) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, text := range texts {
		if i > 0 {
			b.WriteString(",\r\n")
		}
		b.Write(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")))
	}
	b.WriteByte(']')
	return b.Bytes()
}

func utf16With(order binary.AppendByteOrder, mark bool, text []byte) []byte {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for _, u := range utf16.Encode([]rune(string(text))) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func zipOf(t testing.TB, names []string, texts [][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, name := range names {
		w, err := z.Create("export/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(texts[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// forms lists the forms in which people hand over a set of policies.
var forms = []struct {
	name string
	of   func(t testing.TB, names []string, texts [][]byte) []entra.Source
}{
	{"single files", func(_ testing.TB, names []string, texts [][]byte) []entra.Source {
		var out []entra.Source
		for i := range names {
			out = append(out, entra.Source{Name: names[i], Data: texts[i]})
		}
		return out
	}},
	{"a folder", func(_ testing.TB, names []string, texts [][]byte) []entra.Source {
		folder := fstest.MapFS{"README.md": {Data: []byte("# policies")}}
		for i := range names {
			folder["ConditionalAccess/"+names[i]] = &fstest.MapFile{Data: texts[i]}
		}
		return []entra.Source{{Name: "export", FS: folder}}
	}},
	{"one array", func(_ testing.TB, _ []string, texts [][]byte) []entra.Source {
		return []entra.Source{{Name: "policies.json", Data: array(texts)}}
	}},
	{"an answer of Graph", func(_ testing.TB, _ []string, texts [][]byte) []entra.Source {
		data := fmt.Sprintf(`{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":%s}`, array(texts))
		return []entra.Source{{Name: "stdin", Data: []byte(data)}}
	}},
	{"UTF-16 with a byte order mark", func(_ testing.TB, _ []string, texts [][]byte) []entra.Source {
		return []entra.Source{{Name: "policies.json", Data: utf16With(binary.LittleEndian, true, array(texts))}}
	}},
	{"UTF-16 big endian without a mark", func(_ testing.TB, _ []string, texts [][]byte) []entra.Source {
		return []entra.Source{{Name: "policies.json", Data: utf16With(binary.BigEndian, false, array(texts))}}
	}},
	{"a zip archive", func(t testing.TB, names []string, texts [][]byte) []entra.Source {
		return []entra.Source{{Name: "export.zip", Data: zipOf(t, names, texts)}}
	}},
	{"deep in a report", func(_ testing.TB, _ []string, texts [][]byte) []entra.Source {
		data := fmt.Sprintf(`{"MetaData":{"Tool":"ScubaGear"},"Raw":{"baseline_version":"1","conditional_access_policies":%s,"service_plans":[]}}`, array(texts))
		return []entra.Source{{Name: "ScubaResults.json", Data: []byte(data)}}
	}},
}

// Every published set is read whole in every form, and nothing but the policies
// is found in it.
func TestPublishedSetsAreReadWholeInEveryForm(t *testing.T) {
	root, sets := policySets(t)
	if len(sets) != 62 {
		t.Fatalf("got %d sets, want 62", len(sets))
	}
	for _, set := range sets {
		names, texts := set.files(t, root)
		for _, form := range forms {
			s, err := entra.Read(form.of(t, names, texts)...)
			if err != nil {
				t.Fatal(err)
			}
			if s.PoliciesRead() != len(set.Policies) {
				t.Errorf("%s %s as %s: got %d policies, want %d; troubles %v", set.Repo, set.Source, form.name, s.PoliciesRead(), len(set.Policies), s.View().Troubles)
			}
			if s.Incomplete() {
				t.Errorf("%s %s as %s: incomplete: %v", set.Repo, set.Source, form.name, s.View().Troubles)
			}
			if st := s.Status(entra.PartPolicies); st.Status != entra.StatusRead {
				t.Errorf("%s %s as %s: policies are %q, want read", set.Repo, set.Source, form.name, st.Status)
			}
		}
	}
}

// A Snapshot of a published set, written and read again, is the same Snapshot.
func TestPublishedSetsSurviveTheRoundTrip(t *testing.T) {
	root, sets := policySets(t)
	for _, set := range sets {
		names, texts := set.files(t, root)
		s, err := entra.Read(forms[0].of(t, names, texts)...)
		if err != nil {
			t.Fatal(err)
		}
		checkRoundTrip(t, s)
	}
}

// checkRoundTrip writes a Snapshot, reads it again, and demands the same digest.
func checkRoundTrip(t *testing.T, s *entra.Snapshot) {
	t.Helper()
	again, err := entra.Read(entra.Source{Name: "snapshot.json", Data: s.JSON()})
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != s.Digest() {
		t.Errorf("the digest changed in a round trip:\n%s\n%s", s.JSON(), again.JSON())
	}
}

// What stands beside the policies in the corpus is recognised too.
func TestPublishedLocationsAndStrengthsAreRecognised(t *testing.T) {
	root, _ := policySets(t)
	for pattern, count := range map[string]func(*entra.Content) int{
		"*/_namedLocations/*.json": func(c *entra.Content) int { return len(c.Locations) },
		"*/_authStrengths/*.json":  func(c *entra.Content) int { return len(c.Strengths) },
	} {
		paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: got %d files, error %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s, err := entra.Read(entra.Source{Name: filepath.Base(path), Data: data})
			if err != nil {
				t.Fatal(err)
			}
			if got := count(s.View()); got != 1 || s.Incomplete() {
				t.Errorf("%s: got %d objects, want 1; troubles %v", path, got, s.View().Troubles)
			}
		}
	}
}

// The published file with a trailing comma is named with its place.
func TestMalformedFileIsNamedWithLineAndColumn(t *testing.T) {
	root, _ := policySets(t)
	paths, _ := filepath.Glob(filepath.Join(root, "*", "_malformed", "*.json"))
	if len(paths) != 1 {
		t.Fatalf("got %d malformed files, want 1", len(paths))
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	s, _ := entra.Read(entra.Source{Name: "malformed.json", Data: data})
	troubles := s.View().Troubles
	want := entra.Trouble{File: "malformed.json", Line: 28, Column: 55, What: "not valid JSON: a comma before ']'"}
	if len(troubles) != 1 || troubles[0] != want {
		t.Errorf("got %+v, want %+v", troubles, want)
	}
}
