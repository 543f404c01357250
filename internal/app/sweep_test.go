package app_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/register"
)

// allLimits are all quotas that the emulated tenant keeps.
var allLimits = sandbox.Limits{ConditionalAccess: true, Reports: true, Directory: true}

// swept is what came of the tenants of a sweep, by tenant id.
type swept struct {
	mu      sync.Mutex
	read    map[entra.ID]*entra.Snapshot // where snapshots are kept
	reports map[entra.ID]*app.CheckReport
	refused int64 // requests that were answered with 429, and the most of one tenant
	most    int64
}

// sweep checks the tenants, each with a client of its own and one pacer for all.
func sweep(ctx context.Context, t testing.TB, places []*place, keep bool, progress func(done, of int)) ([]app.SweepLine, *swept) {
	t.Helper()
	out := &swept{read: map[entra.ID]*entra.Snapshot{}, reports: map[entra.ID]*app.CheckReport{}}
	pacer := graph.NewPacer()
	var tenants []app.SweepTenant
	for _, p := range places {
		id := entra.ID(p.tenantID)
		tenants = append(tenants, app.SweepTenant{ID: id, Name: "Contoso " + p.tenantID[len(p.tenantID)-4:],
			Open: func() (*app.CheckRequest, error) {
				config := p.config
				config.Pacer = pacer
				client, err := graph.New(config)
				if err != nil {
					return nil, err
				}
				r := &register.Register{Version: 1}
				for _, a := range p.scope.Accounts {
					r.Accounts = append(r.Accounts, register.Account{ID: entra.ID(a)})
				}
				read := tenantFunc(func(ctx context.Context, scope graph.Scope) (*entra.Snapshot, error) {
					s, err := client.Read(ctx, scope)
					out.mu.Lock()
					defer out.mu.Unlock()
					if keep {
						out.read[id] = s
					}
					n := client.Stats().Throttled
					out.refused, out.most = out.refused+n, max(out.most, n)
					return s, err
				})
				return &app.CheckRequest{ProveRequest: app.ProveRequest{Tenant: read}, Register: r, Time: someDay}, nil
			},
			Keep: func(r *app.CheckReport) (string, error) {
				out.mu.Lock()
				defer out.mu.Unlock()
				if keep {
					out.reports[id] = r
				}
				return fmt.Sprintf("%s.json", id), nil
			}})
	}
	return app.Sweep(ctx, tenants, progress), out
}

type tenantFunc func(context.Context, graph.Scope) (*entra.Snapshot, error)

func (f tenantFunc) Read(ctx context.Context, s graph.Scope) (*entra.Snapshot, error) {
	return f(ctx, s)
}

// Ten tenants at once, all quotas kept: each line, snapshot and report is of its
// own tenant and accounts, each tenant refuses one request at most, the one that
// teaches the pace, and they do not wait for each other.
func TestTenantsOfASweepNeverMix(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var places []*place
		for n := range 10 {
			places = append(places, inMemory(t, placeOptions{number: n + 1, config: sandbox.Config{Delay: roundTripTime, Limits: allLimits}}))
		}
		begun := time.Now()
		lines, got := sweep(t.Context(), t, places, true, nil)
		if took := time.Since(begun); took > 3600*time.Millisecond {
			t.Errorf("got %s for ten tenants, want no more than for one", took)
		}
		if got.most > 1 {
			t.Errorf("a tenant refused %d requests, want at most one", got.most)
		}
		for _, p := range places {
			id := entra.ID(p.tenantID)
			i := slices.IndexFunc(lines, func(l app.SweepLine) bool { return l.ID == id })
			if i < 0 || lines[i].Err != nil || lines[i].Report != p.tenantID+".json" || lines[i].Name != "Contoso "+p.tenantID[len(p.tenantID)-4:] {
				t.Fatalf("tenant %s: got lines %+v", id, lines)
			}
			s, r := got.read[id], got.reports[id]
			if s.View().TenantID != id {
				t.Errorf("tenant %s: the snapshot is of %s", id, s.View().TenantID)
			}
			wantWhole(t, s)
			var accounts []string
			for _, a := range r.Accounts {
				accounts = append(accounts, string(a.Account))
			}
			slices.Sort(accounts)
			want := slices.Sorted(slices.Values(p.scope.Accounts))
			if !slices.Equal(accounts, want) {
				t.Errorf("tenant %s: the report is about %v, want %v", id, accounts, want)
			}
			if r.Snapshot != s.Digest() {
				t.Errorf("tenant %s: the report is of another snapshot", id)
			}
		}
	})
}

// Something between us and Microsoft gives one tenant's answers for another's
// questions: nothing is said about that tenant, and the others go on.
func TestAnswersOfAnotherTenantEndItsLineOnly(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var places []*place
		for n := range 3 {
			places = append(places, inMemory(t, placeOptions{number: n + 1}))
		}
		other := places[1]
		places[0].config.Credential = other.config.Credential
		places[0].config.Wrap = func(http.RoundTripper) http.RoundTripper { return direct{other.server} }
		lines, got := sweep(t.Context(), t, places, true, nil)
		for _, l := range lines {
			swapped := l.ID == entra.ID(places[0].tenantID)
			if (l.Err != nil) != swapped {
				t.Errorf("tenant %s: got error %v, swapped %v", l.ID, l.Err, swapped)
			}
		}
		if got.reports[entra.ID(places[0].tenantID)] != nil {
			t.Error("there is a report of the tenant that was not read")
		}
	})
}
