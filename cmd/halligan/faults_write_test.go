package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/plan"
)

// There is no command that writes yet. These faults are tried on what commands
// will write with: graph.Client.Carry.

// writer is a client of an application that may change policies.
type writer struct {
	site   *sandbox.Site
	config graph.Config
	client *graph.Client
	mu     sync.Mutex
	writes []string
}

// newWriter opens a tenant; begin makes the client.
func newWriter(t *testing.T) *writer {
	t.Helper()
	state, err := sandbox.Example("contoso-pim-shared")
	must(t, err)
	w := &writer{}
	w.site, err = sandbox.Open(t.Context(), sandbox.Config{State: state}, "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = w.site.Close() }) // a connection that was reset may still be open
	ca, err := w.site.Save(t.TempDir())
	must(t, err)
	text, err := os.ReadFile(ca)
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	cloud, err := graph.CustomCloud(w.site.URL, roots)
	must(t, err)
	app, secret := secretOf(state, "Policy pipeline")
	credential, err := graph.SignIn{Method: graph.MethodSecret, Cloud: cloud, Tenant: state.ID, ClientID: app, Secret: custody.NewSecret([]byte(secret))}.Build()
	must(t, err)
	w.config = graph.Config{Cloud: cloud, Tenant: state.ID, Credential: credential, Sleep: hasty,
		Limits: graph.Limits{Operation: 5 * time.Second}, Wrap: func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method != http.MethodGet {
					w.mu.Lock()
					w.writes = append(w.writes, r.Method)
					w.mu.Unlock()
				}
				return next.RoundTrip(r)
			})
		}}
	return w
}

// begin puts the tenant back to where it began, and makes a client without a
// defence.
func (w *writer) begin(off graph.Defence) (err error) {
	w.config.Without = map[graph.Defence]bool{off: true}
	w.writes = nil
	if w.client, err = graph.New(w.config); err != nil {
		return err
	}
	return errors.Join(w.site.SetFaults(), w.site.Reset())
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const draft = `{"displayName":"Block everything from the moon","state":"disabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
	"grantControls":{"operator":"OR","builtInControls":["block"]}}`

// named counts the policies of a name.
func (w *writer) named(name string) (n int, id string) {
	w.site.View(func(s *sandbox.State) {
		for _, p := range s.All("identity/conditionalAccess/policies") {
			if p["displayName"] == name {
				n, id = n+1, fmt.Sprint(p["id"])
			}
		}
	})
	return n, id
}

const moon = "Block everything from the moon"

// carry carries out a change under a fault; the change is made for what is there.
func (w *writer) carry(ctx context.Context, fault string, verb plan.Verb) (graph.Outcome, plan.Change, error) {
	ch := plan.Change{Verb: verb, Kind: plan.KindPolicy, Name: moon, Object: json.RawMessage(draft)}
	if verb != plan.VerbCreate {
		out, err := w.client.Carry(ctx, plan.Change{Verb: plan.VerbCreate, Kind: plan.KindPolicy, Name: moon, Object: json.RawMessage(draft)})
		if err != nil {
			return out, ch, err
		}
		ch.Subject, ch.Object = out.ID, json.RawMessage(`{"state":"enabledForReportingButNotEnforced"}`)
		w.writes = nil
	}
	if err := w.site.SetFaults(fault); err != nil {
		return graph.Outcome{}, ch, err
	}
	out, err := w.client.Carry(ctx, ch)
	return out, ch, err
}

// tryWrites asserts that something holds, and that it does not with a defence off.
func tryWrites(t *testing.T, w *writer, off graph.Defence, judge func(w *writer) error) {
	t.Helper()
	must(t, w.begin(""))
	must(t, judge(w))
	if off == "" {
		return
	}
	must(t, w.begin(off))
	if err := judge(w); err == nil {
		t.Errorf("the test does not notice that a defence is off: %s", off)
	} else {
		t.Logf("without %q: %v", off, err)
	}
}

// In process only: no command writes yet, so the program cannot show it.
func TestFault06AnswerToAWriteIsLost(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	for _, fault := range []string{"504", "reset", "429"} {
		for verb, left := range map[plan.Verb]int{plan.VerbCreate: 1, plan.VerbUpdate: 1, plan.VerbDelete: 0} {
			t.Run(fault+" "+string(verb), func(t *testing.T) {
				tryWrites(t, w, graph.DefenceWriteOnce, func(w *writer) error {
					out, _, err := w.carry(t.Context(), "6="+fault, verb)
					n, _ := w.named(moon)
					switch {
					case err != nil:
						return err
					case n != left || len(w.writes) != 1 || out.Wrote != 1:
						return fmt.Errorf("%d such policies, want %d; written %v", n, left, w.writes)
					case !out.Done || !strings.Contains(out.Seen, "the answer was lost"):
						return fmt.Errorf("got %+v", out)
					}
					return nil
				})
			})
		}
	}
}

// In process only: no command writes yet, so the program cannot show it.
func TestFault18CreatedAndNotVisibleYet(t *testing.T) {
	t.Parallel()
	tryWrites(t, newWriter(t), graph.DefenceSettle, func(w *writer) error {
		out, _, err := w.carry(t.Context(), "18=late,value=300ms", plan.VerbCreate)
		if n, id := w.named(moon); err != nil || n != 1 || out.ID != id || !out.Done || len(w.writes) != 1 {
			return fmt.Errorf("%d policies, %+v, %v, written %v", n, out, err, w.writes)
		}
		return nil
	})
}

// In process only: no command writes yet, so the program cannot show it.
func TestFault19StaleReplica(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	t.Run("old for a while", func(t *testing.T) {
		tryWrites(t, w, graph.DefenceSettle, func(w *writer) error {
			out, _, err := w.carry(t.Context(), "19=old,times=3", plan.VerbUpdate)
			if err != nil || !out.Done || len(w.writes) != 1 {
				return fmt.Errorf("%+v, %v, written %v", out, err, w.writes)
			}
			return nil
		})
	})
	t.Run("old and new by turns", func(t *testing.T) {
		tryWrites(t, w, graph.DefenceAgree, func(w *writer) error {
			out, ch, err := w.carry(t.Context(), "19=flip", plan.VerbUpdate)
			if err != nil || !out.Done {
				return fmt.Errorf("%+v, %w", out, err)
			}
			for range 4 { // wherever the turns are
				if stands, err := w.client.Stands(t.Context(), ch, out.ID); err != nil || stands != graph.StandingHolds {
					return errors.Join(fmt.Errorf("it is said to be %q", stands), err)
				}
			}
			return nil
		})
	})
	t.Run("changed back in truth", func(t *testing.T) {
		tryWrites(t, w, "", func(w *writer) error {
			out, ch, err := w.carry(t.Context(), "19=old,times=1", plan.VerbUpdate)
			if err != nil {
				return err
			}
			if err := w.site.Update(func(s *sandbox.State) error { s.Delete("identity/conditionalAccess/policies", out.ID); return nil }); err != nil {
				return err
			}
			if stands, err := w.client.Stands(t.Context(), ch, out.ID); err != nil || stands != graph.StandingGone {
				return errors.Join(fmt.Errorf("it is said to be %q", stands), err)
			}
			return nil
		})
	})
}
