package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/internal/testenv"
	"halligan/plan"
)

// dated is one export of the tenant that was published fifteen times.
type dated struct {
	name     string
	policies []json.RawMessage
}

// datedExports reads the fifteen exports in the order in which they were made.
// The last file has no date in its name; the newest policy in each tells.
func datedExports(t *testing.T) []dated {
	root := filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "conditional-access")
	var sets []struct {
		Repo, Source string
		Policies     []string
	}
	data, err := os.ReadFile(filepath.Join(root, "sets.json"))
	if err == nil {
		err = json.Unmarshal(data, &sets)
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []dated
	for _, s := range sets {
		if s.Repo != "denis-beuermann/ConditionalAccess" || !strings.HasPrefix(s.Source, "archive/") {
			continue
		}
		d := dated{name: filepath.Base(s.Source)}
		for _, p := range s.Policies {
			raw, err := os.ReadFile(filepath.Join(root, p))
			if err != nil {
				t.Fatal(err)
			}
			d.policies = append(d.policies, raw)
		}
		out = append(out, d)
	}
	newest := func(d dated) string {
		latest := ""
		for _, raw := range d.policies {
			var p struct{ CreatedDateTime, ModifiedDateTime string }
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatal(err)
			}
			latest = max(latest, p.CreatedDateTime, p.ModifiedDateTime)
		}
		return latest
	}
	slices.SortStableFunc(out, func(a, b dated) int { return strings.Compare(newest(a), newest(b)) })
	if len(out) != 15 {
		t.Fatalf("got %d dated exports, want 15", len(out))
	}
	return out
}

// export writes the policies as Graph lists them.
func (d *dated) export() entra.Source {
	return entra.Source{Name: d.name, Data: fmt.Appendf(nil, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[%s]}`,
		strings.Join(texts(d.policies), ","))}
}

func texts(raw []json.RawMessage) []string {
	out := make([]string, len(raw))
	for i := range raw {
		out[i] = string(raw[i])
	}
	return out
}

// plainDiff is a difference of two lists of policies, by id, made from the JSON
// with nothing of this project. equal says when two policies are the same.
func plainDiff(t *testing.T, before, after []json.RawMessage, equal func(a, b any) bool) (added, removed, changed []string) {
	index := func(list []json.RawMessage) map[string]any {
		out := map[string]any{}
		for _, raw := range list {
			var p map[string]any
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatal(err)
			}
			id := strings.ToLower(p["id"].(string))
			if out[id] != nil {
				t.Fatalf("id %s twice", id)
			}
			out[id] = p
		}
		return out
	}
	a, b := index(before), index(after)
	for id, p := range b {
		if q, ok := a[id]; !ok {
			added = append(added, id)
		} else if !equal(q, p) {
			changed = append(changed, id)
		}
	}
	for id := range a {
		if _, ok := b[id]; !ok {
			removed = append(removed, id)
		}
	}
	slices.Sort(added)
	slices.Sort(removed)
	slices.Sort(changed)
	return added, removed, changed
}

// plain reduces decoded JSON to a text by the rules that the package documents:
// annotations and times of change say nothing; null, "" and what holds nothing
// else are absent; a list is a set and a list of one is that one; the case of
// words counts in names and rules only.
func plain(v any, key string) string {
	switch v := v.(type) {
	case nil:
		return ""
	case map[string]any:
		var members []string
		for k, e := range v {
			if strings.Contains(k, "@") || k == "createdDateTime" || k == "modifiedDateTime" {
				continue
			}
			if text := plain(e, k); text != "" {
				members = append(members, fmt.Sprintf("%q:%s", k, text))
			}
		}
		if len(members) == 0 {
			return ""
		}
		slices.Sort(members)
		return "{" + strings.Join(members, ",") + "}"
	case []any:
		var members []string
		for _, e := range v {
			if text := plain(e, key); text != "" {
				members = append(members, text)
			}
		}
		slices.Sort(members)
		members = slices.Compact(members)
		switch len(members) {
		case 0:
			return ""
		case 1:
			return members[0]
		}
		return "[" + strings.Join(members, ",") + "]"
	case string:
		if v == "" {
			return ""
		}
		if key != "displayName" && key != "rule" && key != "description" {
			words := strings.Split(strings.ToLower(v), ",")
			if key == "allowedCombinations" {
				slices.Sort(words)
			}
			v = strings.Join(words, ",")
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%q", fmt.Sprint(v))
}

func ids[T any](list []T, id func(T) entra.ID) []string {
	var out []string
	for _, x := range list {
		out = append(out, id(x).Key())
	}
	slices.Sort(out)
	return out
}

func TestDatedExportsDifferAsAPlainDiffSays(t *testing.T) {
	exports := datedExports(t)
	ref := func(r plan.Ref) entra.ID { return r.ID }
	for i := 1; i < len(exports); i++ {
		before, after := &exports[i-1], &exports[i]
		t.Run(before.name+" to "+after.name, func(t *testing.T) {
			base, err := entra.Read(before.export())
			if err != nil {
				t.Fatal(err)
			}
			proposal, err := plan.Read(base, after.export())
			if err != nil {
				t.Fatal(err)
			}
			if proposal.Format != plan.FormatExport {
				t.Errorf("read as %q, want %q", proposal.Format, plan.FormatExport)
			}
			next, err := plan.Apply(base, proposal.Changes...)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := next.PoliciesRead(), len(after.policies); got != want {
				t.Errorf("%d policies after the changes, want %d", got, want)
			}
			d := plan.Diff(base, next).Policies
			changedIDs := ids(d.Changed, func(c plan.Changed) entra.ID { return c.ID })
			added, removed, changed := plainDiff(t, before.policies, after.policies, func(a, b any) bool { return plain(a, "") == plain(b, "") })
			t.Logf("%d added, %d removed, %d changed, %d restated", len(added), len(removed), len(changed), len(d.Restated))
			for _, c := range []struct {
				what      string
				got, want []string
			}{
				{"added", ids(d.Added, ref), added},
				{"removed", ids(d.Removed, ref), removed},
				{"changed", changedIDs, changed},
			} {
				if !slices.Equal(c.got, c.want) {
					t.Errorf("%s: got %v, want %v", c.what, c.got, c.want)
				}
			}
			// What is restated still differs as text, and nothing else does.
			_, _, rewritten := plainDiff(t, before.policies, after.policies, func(a, b any) bool {
				x, _ := json.Marshal(a)
				y, _ := json.Marshal(b)
				return string(x) == string(y)
			})
			all := slices.Sorted(slices.Values(append(slices.Clone(changedIDs), ids(d.Restated, ref)...)))
			if !slices.Equal(all, rewritten) {
				t.Errorf("changed and restated: got %v, want %v", all, rewritten)
			}
		})
	}
}
