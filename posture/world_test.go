package posture_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"halligan/entra"
	"halligan/lockout"
	"halligan/posture"
	"halligan/register"
)

// A world is what the checks are judged on in tests: the fragments of
// testdata/base merged into one JSON tree
//
//	{"now": "…", "snapshot": {…docs/snapshot.md…}, "register": {…halligan.yaml…}, "records": {…}}
//
// and changed by the steps of a case. Objects merge key by key; lists append,
// except that elements with the same id (or part and subject) merge.
type world map[string]any

// The worlds are many, large and short-lived: less of the time goes to collecting them.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

func baseWorld(t *testing.T) world {
	t.Helper()
	files, err := filepath.Glob("testdata/base/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fragments in testdata/base: %v", err)
	}
	slices.Sort(files)
	var w any = map[string]any{}
	for _, f := range files {
		w = mergeTree(w, readJSON(t, f))
	}
	return w.(map[string]any)
}

func readJSON(t *testing.T, file string) any {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func mergeTree(a, b any) any {
	switch b := b.(type) {
	case map[string]any:
		m, ok := a.(map[string]any)
		if !ok {
			m = map[string]any{}
		}
		for k, v := range b {
			k = spelled(m, k)
			m[k] = mergeTree(m[k], v)
		}
		return m
	case []any:
		list, _ := a.([]any)
		for _, e := range b {
			at := slices.IndexFunc(list, func(x any) bool { return key(x) != "" && key(x) == key(e) })
			if at < 0 {
				list = append(list, mergeTree(nil, e))
			} else {
				list[at] = mergeTree(list[at], e)
			}
		}
		return list
	}
	return b
}

// spelled is a key as the object spells it already, whatever its case.
func spelled(m map[string]any, k string) string {
	for known := range m {
		if strings.EqualFold(known, k) {
			return known
		}
	}
	return k
}

// key identifies an element of a list.
func key(x any) string {
	m, ok := x.(map[string]any)
	if !ok {
		return ""
	}
	if p, ok := m["part"]; ok {
		raw, _ := m["raw"].(map[string]any)
		return fmt.Sprint(p, "|", m["subject"], "|", raw["id"])
	}
	if id, ok := m["id"].(string); ok {
		return id
	}
	return ""
}

// step changes one place of a world. Place is a path such as
//
//	snapshot/users/id=1111…/enabled
//	snapshot/objects/part=users,subject=1111…/raw/mail
//	snapshot/objects/part=devices/*          every element that fits
//
// where name=value picks the elements of a list, and a number picks one by
// position. To sets a value; Remove takes the place away; Add appends to the
// list there.
type step struct {
	Place  string `json:"place"`
	To     any    `json:"to"`
	Add    any    `json:"add"`
	Remove bool   `json:"remove"`
}

func (w world) apply(s step) error {
	segments := splitPlace(s.Place)
	touched := 0
	var walk func(v any, at int) (any, bool)
	last := func(old any) (any, bool) {
		touched++
		switch {
		case s.Remove:
			return nil, false
		case s.Add != nil:
			list, _ := old.([]any)
			return append(list, s.Add), true
		}
		return s.To, true
	}
	walk = func(v any, at int) (any, bool) {
		if at == len(segments) {
			return last(v)
		}
		switch v := v.(type) {
		case []any:
			out := []any{}
			for i, e := range v {
				if !picks(segments[at], e, i) {
					out = append(out, e)
					continue
				}
				if x, keep := walk(e, at+1); keep {
					out = append(out, x)
				}
			}
			return out, true
		case map[string]any:
			k := spelled(v, segments[at])
			if _, is := v[k]; !is && (at+1 < len(segments) || s.Remove) {
				if at+1 < len(segments) && !s.Remove {
					v[k] = map[string]any{}
				} else {
					return v, true
				}
			}
			if x, keep := walk(v[k], at+1); keep {
				v[k] = x
			} else {
				delete(v, k)
			}
			return v, true
		}
		return v, true
	}
	walk(map[string]any(w), 0)
	if touched == 0 {
		return fmt.Errorf("%s: nothing is there", s.Place)
	}
	return nil
}

func splitPlace(place string) []string {
	place = strings.ReplaceAll(place, `\/`, "\x00")
	out := strings.Split(place, "/")
	for i := range out {
		out[i] = strings.ReplaceAll(out[i], "\x00", "/")
	}
	return out
}

func picks(segment string, e any, i int) bool {
	if segment == "*" || segment == fmt.Sprint(i) {
		return true
	}
	m, ok := e.(map[string]any)
	if !ok {
		return segment == fmt.Sprint(e)
	}
	for _, c := range strings.Split(segment, ",") {
		name, value, ok := strings.Cut(c, "=")
		if !ok {
			return false
		}
		var at any = m
		for _, n := range strings.Split(name, ".") {
			x, _ := at.(map[string]any)
			at = x[n]
		}
		if fmt.Sprint(at) != value {
			return false
		}
	}
	return true
}

// typedLists are the keys of the snapshot under which a part's typed objects
// stand; denying a part empties them.
var typedLists = map[entra.Part][]string{
	entra.PartRoleEligibility: nil,
	entra.PartLicences:        {"servicePlans"},
	entra.PartAuthorization:   {"ssprAllowed"},
}

// deny makes a part one that may not be read.
func (w world) deny(p entra.Part) {
	snap := w["snapshot"].(map[string]any)
	parts, _ := snap["parts"].(map[string]any)
	parts[string(p)] = map[string]any{"status": "denied", "detail": "403 Authorization_RequestDenied"}
	keys, ok := typedLists[p]
	if !ok {
		keys = []string{string(p)}
	}
	for _, k := range keys {
		if _, list := snap[k].([]any); list {
			snap[k] = []any{}
		} else {
			delete(snap, k)
		}
	}
	for _, list := range []string{"objects", "readings"} {
		items, _ := snap[list].([]any)
		snap[list] = slices.DeleteFunc(items, func(e any) bool { return e.(map[string]any)["part"] == string(p) })
	}
	if p == entra.PartRoleEligibility {
		items, _ := snap["roleAssignments"].([]any)
		snap["roleAssignments"] = slices.DeleteFunc(items, func(e any) bool { return e.(map[string]any)["assignment"] == "eligible" })
	}
}

func (w world) clone() world { return copyTree(map[string]any(w)).(map[string]any) }

func copyTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = copyTree(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = copyTree(e)
		}
		return out
	}
	return v
}

// goals are those for which the accounts of a world are proved.
var goals = []string{"entraAdminCenter", "recover:entraAdminCenter"}

// input makes the world what Judge takes.
func (w world) input(t *testing.T) *posture.Input {
	t.Helper()
	in := &posture.Input{}
	var err error
	if in.Now, err = time.Parse(time.RFC3339, w["now"].(string)); err != nil {
		t.Fatal(err)
	}
	snap, err := json.Marshal(w["snapshot"])
	if err != nil {
		t.Fatal(err)
	}
	in.Snapshot = snapshotOf(t, snap)
	if r, ok := w["register"]; ok && r != nil {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		in.Register = registerOf(t, text)
	}
	if r, ok := w["records"]; ok && r != nil {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(text)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&in.Records); err != nil {
			t.Fatalf("the records of the world: %v", err)
		}
	}
	prover := lockout.New(in.Snapshot)
	for _, a := range in.Register.Or().Accounts {
		in.Accounts = append(in.Accounts, posture.Subject{ID: a.ID, Name: a.Name, Verdicts: verdictsOf(t, prover, snap, a.ID, register.DayOf(in.Now))})
	}
	return in
}

// Most worlds share the register, and many the Snapshot, with the base. What was
// read and proved for one text is kept; the checks change nothing of it.
var (
	baseOnce      sync.Once
	baseText      string
	baseSnapshot  *entra.Snapshot
	keptRegisters sync.Map // text → *register.Register
	keptVerdicts  sync.Map // account and day on the base → []lockout.Verdict
)

func snapshotOf(t *testing.T, text []byte) *entra.Snapshot {
	t.Helper()
	read := func(text []byte) *entra.Snapshot {
		s, err := entra.Read(entra.Source{Name: "world.json", Data: text})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range s.View().Troubles {
			t.Fatalf("the snapshot of the world: %+v", x)
		}
		return s
	}
	baseOnce.Do(func() {
		base, err := json.Marshal(baseWorld(t)["snapshot"])
		if err != nil {
			t.Fatal(err)
		}
		baseText, baseSnapshot = string(base), read(base)
	})
	if string(text) == baseText {
		return baseSnapshot
	}
	return read(text)
}

func registerOf(t *testing.T, text []byte) *register.Register {
	t.Helper()
	if r, ok := keptRegisters.Load(string(text)); ok {
		return r.(*register.Register)
	}
	r := &register.Register{}
	if err := yaml.UnmarshalWithOptions(text, r, yaml.Strict()); err != nil {
		t.Fatalf("the register of the world: %v", err)
	}
	keptRegisters.Store(string(text), r)
	return r
}

func verdictsOf(t *testing.T, prover *lockout.Prover, snap []byte, account entra.ID, day register.Day) []lockout.Verdict {
	t.Helper()
	kept := string(snap) == baseText
	key := account.Key() + " " + string(day)
	if v, ok := keptVerdicts.Load(key); ok && kept {
		return v.([]lockout.Verdict)
	}
	var out []lockout.Verdict
	for _, name := range goals {
		g, _ := lockout.ResolveGoal(name)
		v, err := prover.Prove(lockout.Question{Account: account, Goal: g, Now: lockout.Date(day)})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if kept {
		keptVerdicts.Store(key, out)
	}
	return out
}

// statuses are the answers by check and account: "id-enabled 1111…" → "pass".
func statuses(findings []posture.Finding) map[string]posture.Status {
	out := map[string]posture.Status{}
	for _, f := range findings {
		out[strings.TrimSpace(f.Check.ID+" "+string(f.Account))] = f.Status
	}
	return out
}

// flipped lists the checks whose answer differs for some account.
func flipped(before, after map[string]posture.Status) []string {
	ids := map[string]bool{}
	for k, s := range before {
		if after[k] != s {
			ids[strings.Fields(k)[0]] = true
		}
	}
	for k := range after {
		if _, ok := before[k]; !ok {
			ids[strings.Fields(k)[0]] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}
