package app

import (
	"context"
	"slices"

	"halligan/entra"
)

// compare judges the subjects before the change and tells every verdict apart.
// The report's own accounts are those after the change.
func (r *Report) compare(ctx context.Context, j *judge, before, after *entra.Snapshot, subjects []subject) error {
	quiet := *j
	unasked := *j.req
	unasked.Margin = false
	quiet.req = &unasked
	was, err := quiet.all(ctx, before, subjects)
	if err != nil {
		return err
	}
	undone := &undoing{judge: &quiet, before: before, after: after, changes: r.Change.Policies, made: map[int]*entra.Snapshot{}}
	for i, a := range r.Accounts {
		for g := range a.Goals {
			b, n := was[i].Goals[g], a.Goals[g]
			c := VerdictChange{Account: a.Account, Name: a.Name, Goal: n.Goal, Before: b.Outcome, After: n.Outcome,
				Worse: rank(n.Outcome) > rank(b.Outcome), Because: []PolicyChange{}}
			if c.Before != c.After {
				if err := undone.explain(ctx, &c, subjects[i], g, b, n); err != nil {
					return err
				}
			}
			r.Change.Worse = r.Change.Worse || c.Worse
			r.Change.Verdicts = append(r.Change.Verdicts, c)
		}
	}
	return nil
}

// undoing finds the policies behind a change of verdict by taking each changed
// policy back alone.
type undoing struct {
	judge         *judge
	before, after *entra.Snapshot
	changes       []PolicyChange
	made          map[int]*entra.Snapshot
}

func (u *undoing) explain(ctx context.Context, c *VerdictChange, s subject, goal int, was, is *GoalReport) error {
	one := *u.judge
	one.goals, one.infos = u.judge.goals[goal:goal+1], u.judge.infos[goal:goal+1]
	for i := range u.changes {
		accounts, err := one.all(ctx, u.without(i), []subject{s})
		if err != nil {
			return err
		}
		if accounts[0].Goals[0].Outcome == c.Before {
			c.Because = append(c.Because, u.changes[i])
		}
	}
	if c.Alone = len(c.Because) > 0; c.Alone {
		return nil
	}
	// No single one: then those of the changed that deny, on the side that is worse.
	side := is
	if !c.Worse {
		side = was
	}
	if side.Counterexample == nil {
		return nil
	}
	for _, cause := range side.Counterexample.Causes {
		if i := slices.IndexFunc(u.changes, func(p PolicyChange) bool { return p.Policy == cause.Source }); i >= 0 {
			c.Because = append(c.Because, u.changes[i])
		}
	}
	return nil
}

// without is the tenant after all changes but one.
func (u *undoing) without(i int) *entra.Snapshot {
	if s := u.made[i]; s != nil {
		return s
	}
	id := entra.ID(u.changes[i].Policy)
	same := func(p entra.Policy) bool { return p.ID.Equal(id) }
	c := u.after.Content()
	at := slices.IndexFunc(c.Policies, same)
	old := slices.IndexFunc(u.before.View().Policies, same)
	switch {
	case old < 0 && at >= 0:
		c.Policies = slices.Delete(c.Policies, at, at+1)
	case old >= 0 && at < 0:
		c.Policies = append(c.Policies, u.before.View().Policies[old])
	case old >= 0:
		c.Policies[at] = u.before.View().Policies[old]
	}
	u.made[i] = entra.NewSnapshot(c)
	return u.made[i]
}

// makeChange reads what is to be changed and returns the tenant after it.
func (r *Report) makeChange(req *ProveRequest, snap *entra.Snapshot) (*entra.Snapshot, error) {
	after, err := entra.Read(req.With...)
	if err != nil {
		return nil, err
	}
	r.Change = &ChangeReport{Source: []string{}, Policies: []PolicyChange{}, Others: []string{}, Verdicts: []VerdictChange{}, Troubles: orEmpty(after.View().Troubles)}
	for _, s := range req.With {
		r.Change.Source = append(r.Change.Source, s.Name)
	}
	return after, nil
}
