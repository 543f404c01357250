package app_test

import (
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
