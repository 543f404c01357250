package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/verify"
	"halligan/plan"
)

// judge asks the prover about every account and goal of a request.
type judge struct {
	req   *ProveRequest
	goals []lockout.Goal
	infos []GoalInfo
	quick bool // only the verdicts: no blast radius, no check of certificates
}

// world makes the Snapshot on which a subject is judged.
type world func(s subject) (*entra.Snapshot, error)

// supposed is the tenant with what is stated of the subject, and then with the
// changes: a group that is deleted has no members, whatever was stated.
func supposed(snap *entra.Snapshot, changes []plan.Change) world {
	made := map[*entra.Snapshot]*entra.Snapshot{} // subjects of whom nothing is stated share one
	return func(s subject) (*entra.Snapshot, error) {
		base, err := lockout.Suppose(snap, s.id, s.suppose)
		if err != nil {
			return nil, unsupposable(err)
		}
		if made[base] == nil {
			after, err := plan.Apply(base, changes...)
			if err != nil {
				return nil, &RequestError{Err: err, hint: hintOf(err)}
			}
			made[base] = after
		}
		return made[base], nil
	}
}

// unsupposable is the misuse of a supposition, with what was probably meant.
func unsupposable(err error) error {
	e := &RequestError{Err: err, hint: hintOf(err)}
	if s, is := errors.AsType[*lockout.SupposeError](err); is {
		e.Word, e.Near = s.Word, s.Near
	}
	return e
}

// all judges the subjects, each in its world.
func (j *judge) all(ctx context.Context, w world, subjects []subject) ([]*AccountReport, error) {
	out := []*AccountReport{}
	var last *entra.Snapshot
	var prover *lockout.Prover
	for _, s := range subjects {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("judge account %q: %w", s.id, err)
		}
		j.req.say("judging " + string(s.id))
		snap, err := w(s)
		if err != nil {
			return nil, err
		}
		if snap != last {
			last, prover = snap, lockout.New(snap)
		}
		a, err := j.account(snap, prover, s)
		if err != nil {
			return nil, fmt.Errorf("judge account %q: %w", s.id, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func hintOf(err error) string {
	if h, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is {
		return h.Hint()
	}
	return ""
}

func (j *judge) question(id entra.ID, g lockout.Goal) lockout.Question {
	return lockout.Question{Account: id, Goal: g, Envelope: j.req.Envelope, Now: j.req.Now}
}

// account judges one account for every goal.
func (j *judge) account(snap *entra.Snapshot, prover *lockout.Prover, s subject) (*AccountReport, error) {
	a := &AccountReport{Account: s.id, Hypothesis: s.candidate != nil, Candidate: s.candidate, Verdict: lockout.Proved,
		Suppositions: []entra.Supposition{}, Goals: []*GoalReport{}}
	model := templateOf(snap.View())
	for i, g := range j.goals {
		v, err := prover.Prove(j.question(s.id, g))
		switch {
		case err != nil && len(j.req.Envelope) > 0: // what else could be wrong with a question
			return nil, &RequestError{Err: err, hint: "dimensions and values: halligan prove --help"}
		case err != nil:
			return nil, err
		}
		if v.Outcome == lockout.Proved && !j.quick {
			if err := check(snap, j.question(s.id, g), &v); err != nil {
				return nil, err
			}
		}
		tidy(&v)
		v.Warnings = append(v.Warnings, model.warnings(snap.View(), s.id, v.Outcome)...)
		if v.Outcome == lockout.Lockout && s.candidate == nil && !j.quick {
			if v.Blast, err = prover.Blast(j.question(s.id, g)); err != nil {
				return nil, err
			}
		}
		a.Name = cmp.Or(v.AccountName, s.name)
		a.Suppositions = orEmpty(v.Supposing)
		a.Supposing = len(v.Supposing) > 0
		gr := &GoalReport{Verdict: v, Counts: j.infos[i].Counts}
		gr.Claim = claim(a, gr, &j.infos[i])
		gr.Sentence = gr.Claim + reason(gr)
		a.Goals = append(a.Goals, gr)
		if gr.Counts {
			a.Verdict = worst(a.Verdict, v.Outcome)
		}
	}
	a.Settle = settlements(a)
	if j.req.Margin && a.Verdict == lockout.Proved {
		m, err := prover.Margin(j.question(s.id, j.goals[0]))
		if err != nil {
			return nil, err
		}
		if m.Sets == nil {
			m.Sets = [][]lockout.Event{}
		}
		a.Margin = &m
	}
	return a, nil
}

// check has the separate checker go through a certificate. What it refuses is not
// proved: one of the two is wrong, and nobody knows which.
func check(snap *entra.Snapshot, q lockout.Question, v *lockout.Verdict) error {
	question, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("check certificate: %w", err)
	}
	certificate, err := json.Marshal(v.Certificate)
	if err != nil {
		return fmt.Errorf("check certificate: %w", err)
	}
	asked, err := verify.ParseQuestion(question)
	if err != nil {
		return fmt.Errorf("check certificate: %w", err)
	}
	if refused := verify.Certificate(snap.JSON(), asked, certificate); refused != nil {
		v.Outcome, v.Certificate = lockout.Undetermined, nil
		v.Unknowns = []lockout.Unknown{{ID: "certificate-refused", What: "the checker refuses the proof that the prover found: " + refused.Error(),
			Settle: "report this with the input: the prover and its checker disagree"}}
	}
	return nil
}

// tidy makes the lists of a verdict that JSON must always show into lists.
func tidy(v *lockout.Verdict) {
	v.Envelope, v.Policies, v.Gates = orEmpty(v.Envelope), orEmpty(v.Policies), orEmpty(v.Gates)
	for i := range v.Envelope {
		v.Envelope[i].Values = orEmpty(v.Envelope[i].Values)
	}
	for _, c := range append([]*lockout.Counterexample{v.Counterexample}, v.Also...) {
		if c == nil {
			continue
		}
		c.Options, c.Causes = orEmpty(c.Options), orEmpty(c.Causes)
		for i := range c.Options {
			c.Options[i].Causes = orEmpty(c.Options[i].Causes)
			c.Options[i].Option.Kit = orEmpty(c.Options[i].Option.Kit)
		}
	}
	if c := v.Certificate; c != nil {
		c.Dimensions, c.Options, c.Leaves = orEmpty(c.Dimensions), orEmpty(c.Options), orEmpty(c.Leaves)
		c.Lines, c.Gates = orEmpty(c.Lines), orEmpty(c.Gates)
	}
}

// claim tells a verdict in words.
func claim(a *AccountReport, g *GoalReport, info *GoalInfo) string {
	who, deed := a.Label(), "reach "+info.Title
	if strings.HasSuffix(info.Title, "center") || strings.HasSuffix(info.Title, "portal") {
		deed = "reach the " + info.Title
	}
	if strings.HasPrefix(info.Name, "recover:") {
		deed = "repair the policies from " + strings.TrimPrefix(deed, "reach ")
	}
	switch g.Outcome {
	case lockout.Proved:
		return who + " can always " + deed
	case lockout.Lockout:
		return who + " cannot be sure to " + deed
	}
	return "not known whether " + who + " can always " + deed
}

// reason continues a claim. What is not known is counted when it is much: a list
// of everything that may be wrong says nothing.
func reason(g *GoalReport) string {
	switch {
	case g.Outcome == lockout.Lockout:
		return ": " + g.Counterexample.Sentence
	case g.Outcome == lockout.Proved && len(g.Supposing) > 0:
		return ", supposing what is stated" + untested(g)
	case g.Outcome == lockout.Proved:
		return untested(g)
	case g.Counterexample != nil && len(g.Counterexample.Causes) <= fewCauses:
		return "; what may stand in the way: " + g.Counterexample.Sentence
	case len(g.Unknowns) > 1:
		return fmt.Sprintf(": %d things were not read or are not documented", len(g.Unknowns))
	case len(g.Unknowns) == 1:
		return ": " + g.Unknowns[0].What
	}
	return ""
}

// untested says when a proof is not about what the policies demand.
func untested(g *GoalReport) string {
	if len(g.Policies) == 0 || slices.ContainsFunc(g.Policies, func(l lockout.PolicyLine) bool {
		return l.State != "disabled" && l.State != string(entra.StateReportOnly)
	}) {
		return ""
	}
	return fmt.Sprintf("; but none of the %d policies is enabled, so none was put to the test", len(g.Policies))
}

const fewCauses = 2

// tenantWide are the suppositions that are about the tenant: a second statement
// of the same would contradict what the first filled in.
var tenantWide = []string{"methods", "licence", "location", "terms", "baseline-scopes", "registration", "strength"}

// independence asks what would take all accounts at once. That is one question
// about one Snapshot, so everything is supposed in it.
func (j *judge) independence(snap *entra.Snapshot, changes []plan.Change, subjects []subject) (*lockout.Independence, error) {
	var err error
	for i, s := range subjects {
		own := slices.DeleteFunc(slices.Clone(s.suppose), func(e string) bool {
			name, _, _ := strings.Cut(e, "=")
			return i > 0 && slices.Contains(tenantWide, strings.ToLower(strings.TrimSpace(name)))
		})
		if snap, err = lockout.Suppose(snap, s.id, own); err != nil {
			return nil, err
		}
	}
	if snap, err = plan.Apply(snap, changes...); err != nil {
		return nil, err
	}
	var qs []lockout.Question
	for _, s := range subjects {
		qs = append(qs, j.question(s.id, j.goals[0]))
	}
	in, err := lockout.New(snap).Independence(qs)
	if err != nil {
		return nil, err
	}
	in.SinglePoints = orEmpty(in.SinglePoints)
	return &in, nil
}
