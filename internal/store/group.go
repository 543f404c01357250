package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"halligan/evidence"
)

// groupMost is how many drafts share a transaction at most.
const groupMost = 256

// Group lets appends that come at the same time share one transaction, one
// signature and one flush. It starts no goroutine: whichever caller's turn it is
// writes for all that wait. Each draft sees the entries of those before it, and
// the error of one draft concerns no other.
type Group struct {
	db  *DB
	key *evidence.LogKey

	turn    chan struct{}
	mutex   sync.Mutex
	waiting []*call
	closed  bool
	callers sync.WaitGroup
}

// Group returns a group that signs with key. Whoever made it closes it.
func (d *DB) Group(key *evidence.LogKey) *Group {
	return &Group{db: d, key: key, turn: make(chan struct{}, 1)}
}

// Append is [DB.Append], in a transaction that may be shared.
func (g *Group) Append(ctx context.Context, draft Draft) ([]evidence.Entry, error) {
	c := &call{ctx: ctx, draft: draft, done: make(chan struct{})}
	g.mutex.Lock()
	if g.closed {
		g.mutex.Unlock()
		return nil, errClosed
	}
	g.callers.Add(1)
	g.waiting = append(g.waiting, c)
	g.mutex.Unlock()
	defer g.callers.Done()
	for {
		select {
		case <-c.done:
			return c.result()
		case g.turn <- struct{}{}:
			g.lead()
			<-g.turn
		case <-ctx.Done():
			if g.withdraw(c) {
				return nil, fmt.Errorf("write to store %s: wait for other appends: %w", g.db.Name(), context.Cause(ctx))
			}
			<-c.done // it is being written
			return c.result()
		}
	}
}

// lead writes for those who wait. The caller has the turn.
func (g *Group) lead() {
	g.mutex.Lock()
	n := min(len(g.waiting), groupMost)
	calls := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	g.mutex.Unlock()
	if n == 0 {
		return
	}
	failed := errors.New("write to store: the draft of another append ended its goroutine")
	defer func() {
		for _, c := range calls {
			if failed != nil {
				c.entries, c.err = nil, failed
			}
			close(c.done)
		}
	}()
	// The writing outlives the caller who leads: others wait for it.
	failed = g.db.write(context.WithoutCancel(calls[0].ctx), signing{key: g.key, from: g.key.Public()}, calls)
}

func (g *Group) withdraw(c *call) bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	i := slices.Index(g.waiting, c)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// Close refuses further appends and waits for those under way.
func (g *Group) Close() {
	g.mutex.Lock()
	g.closed = true
	g.mutex.Unlock()
	g.callers.Wait()
}
