package app_test

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"halligan/entra"
	"halligan/internal/sandbox"
)

// someDay is a day on which the secrets of the example tenants are good. A bubble
// begins in the year 2000; its clock costs nothing to turn.
var someDay = time.Date(2026, 10, 14, 9, 0, 0, 0, time.UTC)

// bubble runs a test whose time is exact.
func bubble(t *testing.T, f func(*testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(someDay))
		f(t)
	})
}

// read reads a place and says how long it took.
func (p *place) read(t testing.TB) (*entra.Snapshot, time.Duration) {
	t.Helper()
	begun := time.Now()
	s, err := p.client.Read(t.Context(), p.scope)
	if err != nil {
		t.Fatal(err)
	}
	return s, time.Since(begun)
}

// nested puts a group into the exclusion group, so that a reading has a third
// round: what the second one named.
func nested(st *sandbox.State) {
	for _, g := range st.All("groups") {
		name, _ := g["displayName"].(string)
		if !strings.HasPrefix(name, "CA exclusions") {
			continue
		}
		inner := maps.Clone(g)
		inner["id"], inner["displayName"] = "5ca1ab1e-0000-4000-8000-00000000beef", "Nested"
		st.Put("groups", inner["id"].(string), inner)
		st.Link("groups/members", g["id"].(string), inner["id"].(string))
		st.Link("groups/members", inner["id"].(string), st.All("users")[0]["id"].(string))
	}
}

// Each of the three rounds is one round trip, however many requests it has, and
// nothing but the network takes time.
func TestReadingTakesThreeRoundTripsAndNoMore(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*sandbox.State)
		want   int
	}{
		{"what the second answers name is asked for in a third round", nested, 3},
		{"where they name nothing new there are two", nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := inMemory(t, placeOptions{change: c.change, config: sandbox.Config{Delay: roundTripTime}})
				s, took := p.read(t)
				if got := p.traffic.waves(); got != c.want {
					t.Errorf("got %d requests one after another, want %d", got, c.want)
				}
				if want := time.Duration(c.want) * roundTripTime; took != want {
					t.Errorf("got %s, want %s: %d times %s", took, want, c.want, roundTripTime)
				}
				wantWhole(t, s)
			})
		})
	}
}

// wantWhole ends the test unless everything that is asked of the tenant was read.
func wantWhole(t testing.TB, s *entra.Snapshot) {
	t.Helper()
	if s.Incomplete() {
		for p, st := range s.View().Parts {
			if st.Status != entra.StatusRead && st.Status != entra.StatusNotAsked {
				t.Errorf("%s: %s %s", p, st.Status, st.Detail)
			}
		}
		t.Fatalf("the reading is incomplete: %v", s.View().Troubles)
	}
}

// policyReads are the reads that share one request a second (graph-docs
// throttling-limits, Identity protection and conditional access).
func policyReads(reads []string) (policies, risks []string) {
	for _, r := range reads {
		switch {
		case strings.Contains(r, "/identity/conditionalAccess/policies"), strings.Contains(r, "/identity/conditionalAccess/namedLocations"):
			policies = append(policies, r)
		case strings.Contains(r, "/identityProtection/"):
			risks = append(risks, r)
		}
	}
	return policies, risks
}

func TestReadingSparesTheQuotaOfConditionalAccess(t *testing.T) {
	for _, name := range sandbox.ExampleNames() {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := inMemory(t, placeOptions{example: name})
				p.read(t)
				policies, risks := policyReads(p.traffic.reads())
				if len(policies) > 2 || len(risks) > 2 {
					t.Errorf("got %d reads of policies and locations %q and %d of risks %q, want at most 2 and 2", len(policies), policies, len(risks), risks)
				}
				if got := p.server.Requests()["conditionalAccess"]; got != len(policies)+len(risks) {
					t.Errorf("the tenant counted %d requests of the family, we sent %d", got, len(policies)+len(risks))
				}
			})
		})
	}
}

// With one request a second for Conditional Access and Identity Protection, four
// requests take three seconds. Nothing else waits.
func TestWithTheLimitOfConditionalAccessReadingTakesItsFloor(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := inMemory(t, placeOptions{change: nested, config: sandbox.Config{Delay: roundTripTime, Limits: sandbox.Limits{ConditionalAccess: true, Reports: true, Directory: true}}})
		s, took := p.read(t)
		policies, risks := policyReads(p.traffic.reads())
		floor := time.Duration(len(unique(policies))+len(unique(risks))-1) * time.Second
		if took > floor*12/10 {
			t.Errorf("got %s, want at most %s and a fifth", took, floor)
		}
		if refused := p.client.Stats().Throttled; refused > 1 {
			t.Errorf("got %d refusals: the first is to teach the pace", refused)
		}
		wantWhole(t, s)
		t.Logf("%s, floor %s, %d refused", took, floor, p.client.Stats().Throttled)
	})
}

func unique(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// Reading asks nothing that grows with the number of people.
func TestTheNumberOfRequestsDoesNotGrowWithTheTenant(t *testing.T) {
	sizes := []int{1_000, 100_000}
	if os.Getenv("HALLIGAN_FULL") == "1" {
		sizes = append(sizes, 1_000_000)
	}
	var first map[string]int
	var reads []string
	for _, users := range sizes {
		p := overSockets(t, placeOptions{change: func(st *sandbox.State) { st.Grow(users) }})
		before := p.server.Requests()
		s, took := p.read(t)
		wantWhole(t, s)
		got := p.server.Requests()
		for family := range got {
			got[family] -= before[family]
		}
		t.Logf("%d users: %s, %v, %d MiB", users, took.Round(time.Millisecond), got, heap()>>20)
		if first == nil {
			first, reads = got, p.traffic.reads()
			continue
		}
		if !maps.Equal(got, first) {
			t.Errorf("%d users: got %v, want %v as with %d", users, got, first, sizes[0])
		}
		if n := len(p.traffic.reads()); n != len(reads) {
			t.Errorf("%d users: got %d reads, want %d as with %d", users, n, len(reads), sizes[0])
		}
	}
}

// heap is what is in use after the garbage was collected.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
