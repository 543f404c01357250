package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"halligan/entra"
	"halligan/lockout"
	"halligan/plan"
)

// compare judges the subjects before the change and tells every verdict apart.
// The report's own accounts are those after the change.
func (r *Report) compare(ctx context.Context, j *judge, before, after world, changes []plan.Change, subjects []subject) error {
	quiet := *j
	unasked := *j.req
	unasked.Margin = false
	quiet.req = &unasked
	was, err := quiet.all(ctx, before, subjects)
	if err != nil {
		return err
	}
	// What differs is the same for every subject, for nothing that is supposed
	// of one is a policy.
	base, err := before(subjects[0])
	if err != nil {
		return err
	}
	next, err := after(subjects[0])
	if err != nil {
		return err
	}
	r.Change.describe(plan.Diff(base, next), changes)
	undone := &undoing{judge: &quiet, before: base, after: after, changes: r.Change.Policies, made: map[madeKey]*entra.Snapshot{}}
	for i, a := range r.Accounts {
		for g := range a.Goals {
			b, n := was[i].Goals[g], a.Goals[g]
			c := VerdictChange{Account: a.Account, Name: a.Name, Goal: n.Goal, Before: b.Outcome, After: n.Outcome, Supposing: a.Supposing,
				Worse: rank(n.Outcome) > rank(b.Outcome), Because: []PolicyChange{}}
			if r.Change.unread && n.Outcome == lockout.Undetermined {
				c.Worse = false // nobody knows: that the change was not read makes nothing worse
			}
			if c.Before != c.After && !(r.Change.unread && c.After == lockout.Undetermined) {
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
	judge   *judge
	before  *entra.Snapshot
	after   world
	changes []PolicyChange
	made    map[madeKey]*entra.Snapshot
}

type madeKey struct {
	from   *entra.Snapshot
	change int
}

func (u *undoing) explain(ctx context.Context, c *VerdictChange, s subject, goal int, was, is *GoalReport) error {
	one := *u.judge
	one.quick = true
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
	// No single one: then what denies on the side that is worse, those that
	// change before those that only feel it.
	side := is
	if !c.Worse {
		side = was
	}
	if side.Counterexample == nil {
		return nil
	}
	var affected []PolicyChange
	for _, cause := range side.Counterexample.Causes {
		i := slices.IndexFunc(u.changes, func(p PolicyChange) bool { return p.Policy == cause.Source })
		switch {
		case i >= 0:
			c.Because = append(c.Because, u.changes[i])
		case cause.Name != "":
			affected = append(affected, PolicyChange{Policy: cause.Source, Name: cause.Name, Kind: "affected"})
		}
	}
	if len(c.Because) == 0 {
		c.Because = orEmpty(affected)
	}
	return nil
}

// without is the tenant after all changes but one.
func (u *undoing) without(i int) world {
	return func(s subject) (*entra.Snapshot, error) {
		after, err := u.after(s)
		if err != nil {
			return nil, err
		}
		key := madeKey{after, i}
		if u.made[key] == nil {
			u.made[key] = u.takeBack(after, i)
		}
		return u.made[key], nil
	}
}

func (u *undoing) takeBack(after *entra.Snapshot, i int) *entra.Snapshot {
	is, was := entra.ID(u.changes[i].Policy), entra.ID(u.changes[i].was)
	c := after.Content()
	at := slices.IndexFunc(c.Policies, func(p entra.Policy) bool { return p.ID.Equal(is) })
	old := slices.IndexFunc(u.before.View().Policies, func(p entra.Policy) bool { return p.ID.Equal(was) })
	switch {
	case old < 0 && at >= 0:
		c.Policies = slices.Delete(c.Policies, at, at+1)
	case old >= 0 && at < 0:
		c.Policies = append(c.Policies, u.before.View().Policies[old])
	case old >= 0:
		c.Policies[at] = u.before.View().Policies[old]
	}
	return entra.NewSnapshot(c)
}

// readChange reads what is to be changed. A change of which a part cannot be
// read makes the report incomplete.
func (r *Report) readChange(req *ProveRequest, snap *entra.Snapshot) ([]plan.Change, error) {
	if len(req.With)+len(req.AsIf) == 0 {
		return nil, nil
	}
	r.Change = &ChangeReport{Source: []string{}, Policies: []PolicyChange{}, Others: []string{}, Verdicts: []VerdictChange{},
		Unknowns: []plan.Unknown{}, Troubles: []entra.Trouble{}}
	var changes []plan.Change
	if len(req.With) > 0 {
		req.say("reading the change")
		p, err := plan.Read(snap, req.With...)
		if broken, is := errors.AsType[*plan.TroubleError](err); is {
			p = &plan.Proposal{Troubles: broken.Troubles}
		} else if err != nil {
			return nil, fmt.Errorf("read change: %w", err) // its hint is for the user
		}
		changes = p.Changes
		r.Change.Unknowns, r.Change.Troubles = orEmpty(p.Unknowns), orEmpty(p.Troubles)
		// As with a broken file of the tenant, what was not read may be anything.
		r.Change.unread = len(p.Troubles) > 0
		// A value that is not known stays unknown in its object; a whole resource
		// that could not be read may change anything.
		r.Incomplete = r.Incomplete || len(p.Troubles) > 0 || slices.ContainsFunc(p.Unknowns, func(u plan.Unknown) bool { return u.Path == "" })
		for _, s := range req.With {
			r.Change.Source = append(r.Change.Source, s.Name)
		}
	}
	for _, expression := range req.AsIf {
		c, err := plan.ParseAsIf(expression)
		if err != nil {
			return nil, &RequestError{Err: err, hint: hintOf(err)}
		}
		changes = append(changes, c)
		r.Change.Source = append(r.Change.Source, "as if "+expression)
	}
	return changes, nil
}

// unreadable is the tenant after a change that could not be read: what policies
// there would be is not known.
func unreadable(after world) world {
	made := map[*entra.Snapshot]*entra.Snapshot{}
	return func(s subject) (*entra.Snapshot, error) {
		snap, err := after(s)
		if err != nil {
			return nil, err
		}
		if made[snap] == nil {
			c := snap.Content()
			if c.Parts == nil {
				c.Parts = map[entra.Part]entra.PartState{}
			}
			c.Parts[entra.PartPolicies] = entra.PartState{Status: entra.StatusCutShort, Detail: "the change could not be read"}
			made[snap] = entra.NewSnapshot(c)
		}
		return made[snap], nil
	}
}

// describe lists what differs.
func (c *ChangeReport) describe(d plan.Difference, changes []plan.Change) {
	for _, x := range d.Policies.Added {
		c.Policies = append(c.Policies, PolicyChange{Policy: string(x.ID), Name: x.Name, Kind: "added", was: string(x.ID)})
	}
	for _, x := range d.Policies.Removed {
		c.Policies = append(c.Policies, PolicyChange{Policy: string(x.ID), Name: x.Name, Kind: "removed", was: string(x.ID)})
	}
	for _, x := range d.Policies.Changed {
		p := PolicyChange{Policy: string(x.ID), Name: x.Name, Kind: "changed", was: string(x.ID)}
		if x.WasID != "" {
			p.was = string(x.WasID)
		}
		for _, path := range x.Paths {
			p.Fields = append(p.Fields, path.Path)
		}
		c.Policies = append(c.Policies, p)
	}
	for _, kind := range []struct {
		noun  string
		delta *plan.Delta
	}{{"named location", &d.Locations}, {"authentication strength", &d.Strengths}} {
		for _, x := range kind.delta.Added {
			c.Others = append(c.Others, kind.noun+" added: "+nameOf(x))
		}
		for _, x := range kind.delta.Removed {
			c.Others = append(c.Others, kind.noun+" removed: "+nameOf(x))
		}
		for _, x := range kind.delta.Changed {
			c.Others = append(c.Others, kind.noun+" changed: "+nameOf(x.Ref))
		}
	}
	for _, x := range changes {
		if x.Kind == plan.KindNone { // the others are told above
			c.Others = append(c.Others, x.String())
		}
	}
}

func nameOf(r plan.Ref) string {
	if r.Name != "" {
		return r.Name
	}
	return string(r.ID)
}
