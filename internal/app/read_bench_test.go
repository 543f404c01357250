package app_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"halligan/internal/graph"
	"halligan/internal/sandbox"
)

// Reading a tenant over sockets of this machine, 80 ms added to each request. All
// figures are ratios of times that were measured in the same run.

// BenchmarkReadTenant reads four accounts with a cached token: on a connection
// that is open, and on a new one each time, as a command does.
func BenchmarkReadTenant(b *testing.B) {
	b.Run("open connection", func(b *testing.B) { readTenant(b, false) })
	b.Run("new connection", func(b *testing.B) { readTenant(b, true) })
}

func readTenant(b *testing.B, fresh bool) {
	p := overSockets(b, placeOptions{change: nested, config: sandbox.Config{Delay: roundTripTime}})
	var total time.Duration
	n := 0
	for b.Loop() {
		p.begin(b, fresh)
		p.traffic.forget()
		s, took := p.read(b)
		total += took
		n++
		b.StopTimer()
		wantWhole(b, s)
		b.StartTimer()
	}
	b.StopTimer()
	wall := total / time.Duration(n)
	reads := p.traffic.reads()
	requests, waves := len(p.traffic.requests()), p.traffic.waves()
	p.begin(b, fresh)
	chain := p.oneByOne(b, []string{"/v1.0/organization", "/v1.0/domains", "/v1.0/subscribedSkus"})
	serially := p.oneByOne(b, reads)
	b.ReportMetric(float64(wall)/float64(chain), "x-of-chain")
	b.ReportMetric(float64(serially)/float64(wall), "x-faster-than-one-at-a-time")
	b.ReportMetric(float64(requests), "requests")
	b.ReportMetric(float64(len(reads)), "reads")
	b.ReportMetric(float64(waves), "waves")
}

// begin takes a client that was not paced yet.
func (p *place) begin(t testing.TB, fresh bool) {
	if fresh {
		p.reconnect(t)
		return
	}
	p.forgetful(t)
}

// oneByOne sends reads one after another and says how long they took.
func (p *place) oneByOne(t testing.TB, reads []string) time.Duration {
	t.Helper()
	begun := time.Now()
	for _, r := range reads {
		// A refusal takes as long as an answer: what no licence gives is read too.
		if _, err := p.client.Do(t.Context(), request(t, r)); err != nil && graph.KindOf(err) != graph.KindNotLicensed {
			t.Fatal(err)
		}
	}
	return time.Since(begun)
}

// BenchmarkReadUnderTheLimit reads while Conditional Access and Identity
// Protection take one request a second.
func BenchmarkReadUnderTheLimit(b *testing.B) {
	limits := sandbox.Limits{ConditionalAccess: true, Directory: true}
	var total, floor time.Duration
	refused := int64(0)
	n := 0
	for b.Loop() {
		b.StopTimer() // a tenant that was not throttled before
		p := overSockets(b, placeOptions{change: nested, config: sandbox.Config{Delay: roundTripTime, Limits: limits}})
		b.StartTimer()
		s, took := p.read(b)
		b.StopTimer()
		wantWhole(b, s)
		policies, risks := policyReads(p.traffic.reads())
		floor += time.Duration(len(unique(policies))+len(unique(risks))-1) * time.Second
		total += took
		refused += p.client.Stats().Throttled
		n++
		b.StartTimer()
	}
	b.ReportMetric(float64(total)/float64(floor), "x-of-floor")
	b.ReportMetric(float64(refused)/float64(n), "refused")
}

// BenchmarkSweep checks 50, 100 and 200 tenants, all quotas kept. What a sweep
// holds at its worst is to stay the same, however many tenants there are; what
// the emulated tenants themselves hold is taken off.
func BenchmarkSweep(b *testing.B) {
	var places []*place
	for n := range 200 {
		places = append(places, overSockets(b, placeOptions{number: n + 1, config: sandbox.Config{Delay: roundTripTime, Limits: allLimits}}))
	}
	for _, n := range []int{50, 100, 200} {
		b.Run(fmt.Sprintf("%d tenants", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				before := heap()
				peak := peakHeap(b)
				b.StartTimer()
				lines, got := sweep(b.Context(), b, places[:n], false, nil)
				b.StopTimer()
				most := peak()
				for _, l := range lines {
					if l.Err != nil {
						b.Fatalf("%s: %v", l.Name, l.Err)
					}
				}
				b.ReportMetric(float64(got.most), "most-refusals-of-a-tenant")
				b.ReportMetric(float64(got.refused), "refusals")
				b.ReportMetric(float64(int64(most)-int64(before))/(1<<20), "peak-MiB")
				b.ReportMetric(float64(int64(heap())-int64(before))/(1<<20), "kept-MiB")
				b.StartTimer()
			}
			for _, p := range places[:n] { // the quota of reports is for ten seconds
				p.server.Advance(11 * time.Second)
			}
		})
	}
}

// peakHeap watches the heap in use, garbage apart, until the function that it
// returns is called, which says the most that was seen.
func peakHeap(b *testing.B) func() uint64 {
	b.Helper()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, heap())
			case <-stop:
				done <- most
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-done
	}
}

// BenchmarkReadLargeTenant reads a tenant of 100,000 groups, 10,000 policies and
// 10,000 named locations (fault 21): what it takes is to be bounded.
func BenchmarkReadLargeTenant(b *testing.B) {
	p := overSockets(b, placeOptions{change: large(100_000, 10_000)})
	before := heap()
	for b.Loop() {
		p.begin(b, false)
		p.traffic.forget()
		b.StopTimer()
		peak := peakHeap(b)
		b.StartTimer()
		s, _ := p.read(b)
		b.StopTimer()
		most := peak()
		b.ReportMetric(float64(int64(max(most, heap()))-int64(before))/(1<<20), "peak-MiB")
		b.ReportMetric(float64(len(s.JSON()))/(1<<20), "snapshot-MiB")
		b.ReportMetric(float64(len(p.traffic.requests())), "requests")
		b.ReportMetric(float64(len(s.View().Policies)), "policies")
		b.StartTimer()
	}
}

// large adds groups, policies and named locations. A real tenant has at most 240
// policies.
func large(groups, policies int) func(*sandbox.State) {
	return func(st *sandbox.State) {
		add := func(set string, n int, kind byte) {
			model := st.All(set)[0]
			for i := range n {
				o := maps.Clone(model)
				id := fmt.Sprintf("1a49e000-0000-4000-80%02x-%012d", kind, i)
				o["id"], o["displayName"] = id, fmt.Sprintf("%s %d", set, i)
				st.Put(set, id, o)
			}
		}
		add("groups", groups, 1)
		add("identity/conditionalAccess/policies", policies, 2)
		add("identity/conditionalAccess/namedLocations", policies, 3)
	}
}
