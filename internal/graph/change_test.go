package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"halligan/internal/graph"
	"halligan/plan"
)

const policyID = "aaaaaaaa-1111-1111-1111-111111111111"

// replica is a directory in memory whose reads may be late.
type replica struct {
	mu     sync.Mutex
	now    map[string]map[string]any // by id
	old    map[string]map[string]any // what late reads show
	late   func(read int) bool       // whether this read shows the old
	reads  int
	writes []string // method and path
	lose   func(write int) (before bool, resp *http.Response, err error)
	made   int
}

func newReplica(objects ...string) *replica {
	d := &replica{now: map[string]map[string]any{}}
	for _, o := range objects {
		var m map[string]any
		if err := json.Unmarshal([]byte(o), &m); err != nil {
			panic(err)
		}
		d.now[m["id"].(string)] = m
	}
	d.freeze()
	return d
}

func (d *replica) freeze() {
	d.old = map[string]map[string]any{}
	for id, o := range d.now {
		d.old[id] = maps.Clone(o)
	}
}

func (d *replica) answer(_ int, r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if r.Method == "GET" {
		d.reads++
		view := d.now
		if d.late != nil && len(d.writes) > 0 && d.late(d.reads) {
			view = d.old
		}
		if id == "policies" || id == "authenticationStrengthPolicies" {
			list, _ := json.Marshal(map[string]any{"value": slices.Collect(maps.Values(view))})
			return reply(200, string(list)), nil
		}
		if view[id] == nil {
			return reply(404, `{"error":{"code":"ResourceNotFound"}}`), nil
		}
		o, _ := json.Marshal(view[id])
		return reply(200, string(o)), nil
	}
	d.writes = append(d.writes, r.Method+" "+r.URL.Path)
	if d.lose != nil {
		if before, resp, err := d.lose(len(d.writes)); resp != nil || err != nil {
			if !before {
				d.carry(r, id)
			}
			return resp, err
		}
	}
	return d.carry(r, id), nil
}

func (d *replica) carry(r *http.Request, id string) *http.Response {
	var o map[string]any
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
		if err := json.Unmarshal(body, &o); err != nil {
			return reply(400, "")
		}
	}
	switch {
	case r.Method == "DELETE":
		delete(d.now, id)
		return reply(204, "")
	case strings.HasSuffix(r.URL.Path, "/updateAllowedCombinations"):
		parts := strings.Split(r.URL.Path, "/")
		maps.Copy(d.now[parts[len(parts)-2]], o)
		return reply(200, `{}`)
	case r.Method == "PATCH":
		maps.Copy(d.now[id], o)
		return reply(204, "")
	}
	d.made++
	o["id"] = fmt.Sprintf("bbbbbbbb-1111-1111-1111-%012d", d.made)
	o["createdDateTime"] = "2026-01-01T00:00:00Z"
	d.now[o["id"].(string)] = o
	made, _ := json.Marshal(o)
	return reply(201, string(made))
}

func carry(t *testing.T, d *replica, ch plan.Change) (graph.Outcome, error) {
	t.Helper()
	return inMemory(t, &wire{answer: d.answer}).Carry(t.Context(), ch)
}

var (
	existing = `{"id":"` + policyID + `","displayName":"CA001","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":[]},"clientAppTypes":["all"]},"sessionControls":null}`
	create   = plan.Change{Verb: plan.VerbCreate, Kind: plan.KindPolicy, Name: "CA002",
		Object: []byte(`{"displayName":"CA002","state":"disabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`)}
	update = plan.Change{Verb: plan.VerbUpdate, Kind: plan.KindPolicy, Subject: policyID, Name: "CA001", Object: []byte(`{"state":"disabled"}`)}
	remove = plan.Change{Verb: plan.VerbDelete, Kind: plan.KindPolicy, Subject: policyID, Name: "CA001"}
	reset  = &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
)

func TestChangeIsMadeOnceAndReadBack(t *testing.T) {
	for name, ch := range map[string]plan.Change{"create": create, "update": update, "delete": remove} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newReplica(existing)
				out, err := carry(t, d, ch)
				if err != nil || !out.Done || out.Wrote != 1 || len(d.writes) != 1 || out.ID == "" {
					t.Fatalf("%+v, writes %v: %v", out, d.writes, err)
				}
				out, err = carry(t, d, ch)
				if err != nil || !out.Done || out.Wrote != 0 || len(d.writes) != 1 {
					t.Errorf("again: %+v, writes %v: %v", out, d.writes, err)
				}
			})
		})
	}
}

// Fault 6: the work was done, and the answer is lost.
func TestLostAnswerIsReadBackAndNotRepeated(t *testing.T) {
	answers := map[string]func() (*http.Response, error){
		"504":        func() (*http.Response, error) { return reply(504, "<html>"), nil },
		"429":        func() (*http.Response, error) { return reply(429, ""), nil },
		"a reset":    func() (*http.Response, error) { return nil, reset },
		"half of it": func() (*http.Response, error) { return reply(201, `{"id":"bbbb`), nil },
	}
	for verb, ch := range map[string]plan.Change{"create": create, "update": update, "delete": remove} {
		for name, answer := range answers {
			for _, before := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, %s, carried out %v", verb, name, !before), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						d := newReplica(existing)
						d.lose = func(int) (bool, *http.Response, error) { resp, err := answer(); return before, resp, err }
						// Fault 18: reads are late as well.
						d.late = func(read int) bool { return read < 6 }
						start := time.Now()
						out, err := carry(t, d, ch)
						if len(d.writes) != 1 {
							t.Fatalf("written %d times: %v", len(d.writes), d.writes)
						}
						if before {
							if !errors.Is(err, graph.ErrOutcomeUnknown) || out.Done || strings.Contains(err.Error(), "took the change") {
								t.Errorf("not carried out, and yet %+v: %v", out, err)
							}
							if took := time.Since(start); took > 3*time.Minute {
								t.Errorf("took %s", took)
							}
						} else if err != nil || !out.Done || !strings.Contains(out.Seen, "lost") || d.made > 1 {
							t.Errorf("%+v: %v", out, err)
						}
					})
				})
			}
		}
	}
}

// Fault 18.
func TestCreatedButNotVisibleYetIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newReplica(existing)
		start := time.Now()
		d.late = func(int) bool { return time.Since(start) < 90*time.Second }
		out, err := carry(t, d, create)
		if err != nil || !out.Done || time.Since(start) < 90*time.Second || len(d.writes) != 1 {
			t.Errorf("after %s: %+v: %v", time.Since(start), out, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		d := newReplica(existing)
		d.late = func(int) bool { return true }
		start := time.Now()
		out, err := carry(t, d, create)
		if !errors.Is(err, graph.ErrOutcomeUnknown) || out.Done || out.ID == "" || time.Since(start) > 3*time.Minute {
			t.Errorf("after %s: %+v: %v", time.Since(start), out, err)
		}
	})
}

func TestObjectOfTheSameNameIsNotTakenForOurs(t *testing.T) {
	for name, other := range map[string]string{
		"with one more exclusion": `{"id":"` + policyID + `","displayName":"CA002","state":"disabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["x"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`,
		"with another control":    `{"id":"` + policyID + `","displayName":"CA002","state":"disabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newReplica(other)
				out, err := carry(t, d, create)
				if err != nil || out.ID == policyID || d.made != 1 {
					t.Errorf("%+v: %v", out, err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		alike := strings.Replace(string(create.Object), `{"includeUsers":["All"]}`, `{"includeUsers":["All"],"excludeUsers":["x"]}`, 1)
		d := newReplica(`{"id":"` + policyID + `",` + alike[1:])
		d.lose = func(int) (bool, *http.Response, error) { return true, nil, reset }
		if out, err := carry(t, d, create); !errors.Is(err, graph.ErrOutcomeUnknown) || out.Done {
			t.Errorf("one that was there before is taken for ours: %+v: %v", out, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		filled := `{"id":"` + policyID + `","@odata.etag":"x","displayName":"CA002","state":"disabled","createdDateTime":"2026-01-01T00:00:00Z","templateId":null,
			"conditions":{"users":{"includeUsers":["All"],"excludeUsers":[],"includeGroups":[]},"clientAppTypes":["all"],"locations":null},"grantControls":{"operator":"OR","builtInControls":["mfa"],"authenticationStrength@odata.context":"x","authenticationStrength":null},"sessionControls":null}`
		out, err := carry(t, newReplica(filled), create)
		if err != nil || out.ID != policyID || out.Wrote != 0 {
			t.Errorf("what Graph fills in makes a difference: %+v: %v", out, err)
		}
	})
}

func TestRefusedChangeIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newReplica(existing)
		d.lose = func(int) (bool, *http.Response, error) {
			return true, reply(403, `{"error":{"code":"Authorization_RequestDenied","message":"no"}}`), nil
		}
		for _, ch := range []plan.Change{create, update, remove} {
			out, err := carry(t, d, ch)
			if e := wantKind(t, err, graph.KindDenied); out.Done || e.Unsure || !strings.Contains(e.Hint(), "Policy.ReadWrite") {
				t.Errorf("%+v: %v", out, err)
			}
		}
	})
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return nil, errors.New("asked") }}
	for name, ch := range map[string]plan.Change{
		"a question":         {Verb: plan.VerbDeleteGroup, Subject: policyID},
		"a name, and no id":  {Verb: plan.VerbDelete, Kind: plan.KindPolicy, Subject: "CA001"},
		"an id that climbs":  {Verb: plan.VerbDelete, Kind: plan.KindPolicy, Subject: "../x"},
		"no object":          {Verb: plan.VerbCreate, Kind: plan.KindPolicy},
		"nothing to write":   {Verb: plan.VerbUpdate, Kind: plan.KindPolicy, Subject: policyID, Object: []byte(`{"id":"x"}`)},
		"a kind of no shelf": {Verb: plan.VerbDelete, Kind: "user", Subject: policyID},
	} {
		if _, err := inMemory(t, w).Carry(t.Context(), ch); err == nil || w.count() != 0 {
			t.Errorf("%s: %v, %d requests", name, err, w.count())
		}
	}
}

func TestStrengthIsChangedByItsAction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newReplica(`{"id":"` + policyID + `","displayName":"S","description":"","allowedCombinations":["fido2"],"policyType":"custom"}`)
		ch := plan.Change{Verb: plan.VerbUpdate, Kind: plan.KindStrength, Subject: policyID, Object: []byte(`{"description":"new","allowedCombinations":["x509CertificateMultiFactor","fido2"]}`)}
		out, err := carry(t, d, ch)
		if err != nil || !out.Done || len(d.writes) != 2 || d.writes[0] != "POST /v1.0/policies/authenticationStrengthPolicies/"+policyID+"/updateAllowedCombinations" {
			t.Errorf("%+v, %v: %v", out, d.writes, err)
		}
	})
}

// Fault 19.
func TestChangedBackIsSaidOnlyWhenThreeReadsAgree(t *testing.T) {
	for name, tt := range map[string]struct {
		late func(read int) bool
		want graph.Standing
	}{
		"old, then new":     {func(read int) bool { return read == 1 }, graph.StandingHolds},
		"old, old, new":     {func(read int) bool { return read <= 2 }, graph.StandingHolds},
		"old, and it stays": {func(int) bool { return true }, graph.StandingGone},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newReplica(existing)
				d.now[policyID]["state"] = "disabled"
				d.writes, d.late = []string{"before"}, tt.late
				got, err := inMemory(t, &wire{answer: d.answer}).Stands(t.Context(), update, policyID)
				if got != tt.want || err != nil {
					t.Errorf("got %q, want %q: %v", got, tt.want, err)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(403, ""), nil }}
		if got, err := inMemory(t, w).Stands(t.Context(), update, policyID); got != graph.StandingUnknown || err == nil {
			t.Errorf("denied: got %q, %v", got, err)
		}
	})
}
