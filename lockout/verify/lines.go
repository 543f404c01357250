package verify

import (
	"fmt"
	"slices"
	"strings"
)

// holds checks one line about a policy in one scene; nil says that it is true
// there.
func (c *checker) holds(l *line, p *policy, st *stage, sc *scene) error {
	if err := onlyWhat(l); err != nil {
		return err
	}
	if err := c.reason(l, p, st, sc); err != nil {
		return err
	}
	if l.Reason != "excluded" && l.Reason != "userNotIncluded" && l.Reason != "targetNotInGoal" {
		if err := c.locationPrompt(p, st, sc); err != nil {
			return err
		}
	}
	return c.outage(p, st, sc)
}

// onlyWhat refuses a line that carries what its reason has no use for: nobody
// would check it.
func onlyWhat(l *line) error {
	for _, f := range []struct {
		name, reason string
		set          bool
	}{{"state", "notEnabled", l.State != ""}, {"route", "excluded", l.Route != nil}, {"condition", "disjoint", l.Condition != ""}, {"items", "satisfied", len(l.Items) > 0}} {
		if f.set && f.reason != l.Reason {
			return fmt.Errorf("it gives %s, which the reason %q does not need", f.name, l.Reason)
		}
	}
	return nil
}

func (c *checker) reason(l *line, p *policy, st *stage, sc *scene) error {
	switch l.Reason {
	case "notEnabled":
		if p.state == "" || p.state == "enabled" {
			return fmt.Errorf("its state is not report-only or disabled")
		}
		if key(l.State) != p.state {
			return fmt.Errorf("its state is %s, not %q", p.state, l.State)
		}
		return nil
	case "userNotIncluded":
		if c.a.mayInclude(p, st.extra) {
			return fmt.Errorf("it may include the account")
		}
		return c.requirement(p, st, sc, c.activeSync(p), nil)
	case "targetNotInGoal":
		if c.a.targets(p, st, false) {
			return fmt.Errorf("the stage may be in its target")
		}
		return nil
	case "excluded":
		if err := c.a.excluded(p, l.Route, st.extra); err != nil {
			return err
		}
		return c.requirement(p, st, sc, c.activeSync(p), nil)
	case "disjoint":
		return c.disjoint(l, p, st, sc)
	case "satisfied":
		return c.satisfaction(l, p, st, sc)
	}
	return fmt.Errorf("the reason %q is not known", l.Reason)
}

// conditionDims are the names of conditions by the dimension they read.
var conditionDims = map[string]int{"platforms": dPlatform, "devices": dDevice, "signInRisk": dSignInRisk, "userRisk": dUserRisk,
	"insiderRisk": dInsiderRisk, "clientAppTypes": dClient, "authenticationFlows": dFlow}

func (c *checker) disjoint(l *line, p *policy, st *stage, sc *scene) error {
	if l.Condition == "locations" {
		for _, b := range c.mayApply(p, false) {
			if _, ok := meet(b, sc.box); ok {
				return fmt.Errorf("its condition on locations may match in the leaf")
			}
		}
		if p.locations == nil {
			return fmt.Errorf("it has no condition on locations")
		}
		return c.requirement(p, st, sc, c.resourceBoxes(p, st), nil)
	}
	d, known := conditionDims[l.Condition]
	if !known {
		return fmt.Errorf("the condition %q is not known", l.Condition)
	}
	var only box
	if only[d] = p.masks[dimNames[d]]; only[d] == nil {
		return fmt.Errorf("it has no condition on %s", l.Condition)
	}
	if _, ok := meet(only, sc.box); ok {
		return fmt.Errorf("its condition on %s may match in the leaf", l.Condition)
	}
	return nil
}

func (c *checker) satisfaction(l *line, p *policy, st *stage, sc *scene) error {
	boxes := append(c.mayApply(p, false), c.resourceBoxes(p, st)...)
	claimed := map[string]bool{}
	for i := range l.Items {
		it := &l.Items[i]
		control := key(it.Control)
		if !slices.Contains(p.grantItems(), control) {
			return fmt.Errorf("it does not ask for %s", it.Control)
		}
		if claimed[control] && control != "termsofuse" {
			return fmt.Errorf("the item %s stands twice", it.Control)
		}
		claimed[control] = true
		if err := c.itemHolds(it, p, st, sc, boxes); err != nil {
			return fmt.Errorf("item %s: %v", it.Control, err)
		}
	}
	return c.requirement(p, st, sc, boxes, claimed)
}

// itemHolds checks the evidence for one item: that it is of the right kind, and
// true at some sign-in of the leaf to which the policy applies. Whether it is
// enough everywhere is the requirement's matter.
func (c *checker) itemHolds(it *certItem, p *policy, st *stage, sc *scene, boxes []box) error {
	control := key(it.Control)
	if drop := droppable(p, st); drop == control && it.By != "" {
		if len(it.Credentials)+len(it.Combination) > 0 {
			return fmt.Errorf("a superseded item has no credentials")
		}
		for _, x := range c.t.policies {
			if x.id == it.By && c.supersedes(x, p, st, drop) {
				return nil
			}
		}
		return fmt.Errorf("policy %q does not surely supersede it", it.By)
	}
	by := map[string]string{"compliantdevice": "device", "domainjoineddevice": "device", "termsofuse": "browser"}[control]
	if it.By != by {
		return fmt.Errorf("by %q, want %q", it.By, by)
	}
	if by != "" && len(it.Credentials)+len(it.Combination) > 0 {
		return fmt.Errorf("credentials do not satisfy it")
	}
	for _, b := range boxes {
		here, ok := meet(b, sc.box)
		if !ok {
			continue
		}
		found := c.moments(here, p.depends(), func(m *moment, _ box) error {
			if c.evidence(it, p, sc, m) {
				return errFound
			}
			return nil
		})
		if found != nil {
			return nil
		}
	}
	return fmt.Errorf("nothing in the leaf shows it")
}

var errFound = fmt.Errorf("found")

// evidence says whether an item is met at a moment by what it names.
func (c *checker) evidence(it *certItem, p *policy, sc *scene, m *moment) bool {
	control := key(it.Control)
	if control == "termsofuse" {
		return slices.ContainsFunc(p.terms, func(id string) bool { return c.termsMet(id, m) })
	}
	if !c.met(p, sc.kit, control, m) {
		return false
	}
	switch control {
	case "compliantdevice", "domainjoineddevice":
		return true
	case "authenticationstrength":
		s := c.t.resolve(p.strength)
		admitted := slices.ContainsFunc(s.combinations, func(x []string) bool { return sameModes(x, fold(it.Combination)) })
		return admitted && sc.kit.shows(it.Credentials, it.Combination, s, m.locked)
	}
	return sc.kit.showsMFA(it.Credentials, it.Combination, m.locked)
}

// shows says whether the credentials named are in the kit, make up exactly the
// combination named, and are all needed for it.
func (k *kit) shows(ids, combination []string, s *strength, locked bool) bool {
	var named []*credential
	for _, id := range ids {
		i := slices.IndexFunc(k.open(locked), func(x *credential) bool { return x.id == id })
		if i < 0 || slices.Contains(named, k.open(locked)[i]) {
			return false
		}
		named = append(named, k.open(locked)[i])
	}
	want := fold(combination)
	return holds(named, want, s) && len(named) == len(want)
}

// showsMFA says whether the credentials named make a claim of multifactor
// authentication: a combination of the built-in strength, or an external method
// beside a primary, which has no combination.
func (k *kit) showsMFA(ids, combination []string, locked bool) bool {
	if len(combination) == 0 {
		return len(ids) == 1 && k.primary(locked) && slices.ContainsFunc(k.open(locked), func(x *credential) bool { return x.id == ids[0] && x.kind == "external" })
	}
	known := slices.ContainsFunc(mfaCombinations(), func(x []string) bool { return sameModes(x, fold(combination)) })
	return known && k.shows(ids, combination, nil, locked)
}

// stages lists the evaluations of Conditional Access that a scene must pass.
func (c *checker) stages(sc *scene) []stage {
	g := &c.goal
	out := []stage{{name: "signIn", kind: "resource", audiences: g.Audiences, lowPriv: g.LowPrivOnly}}
	if g.Stage != nil {
		out = append(out, stage{name: "userAction", kind: g.Stage.Kind, action: g.Stage.Action, audiences: g.Stage.Audiences})
	}
	if !g.Recover {
		return out
	}
	if sc.role != "" {
		if ctx := c.t.rolePolicies[sc.role].str("authContext"); ctx != "" {
			out = append(out, stage{name: "activation", kind: "context", context: ctx})
		}
		out = append(out, stage{name: "signInWithRole", kind: "resource", audiences: g.Audiences, lowPriv: g.LowPrivOnly, extra: sc.role})
	}
	if ctx := c.t.protected[actionUpdate]; ctx != "" {
		out = append(out, stage{name: "stepUp", kind: "context", context: ctx, extra: sc.role})
	}
	return out
}

const actionUpdate = "microsoft.directory/conditionalaccesspolicies/basic/update"

// lines checks that every policy has a true line for every stage of every leaf,
// and that no line is idle or false.
func (c *checker) lines(cert *certificate) error {
	byKey := map[string][]int{}
	at := func(policy, stage string, leaf int) string { return fmt.Sprintf("%d\x00%s\x00%s", leaf, stage, policy) }
	for i := range cert.Lines {
		l := &cert.Lines[i]
		if l.Leaf < -1 || l.Leaf >= len(c.scenes) {
			return fmt.Errorf("line %d: there is no leaf %d", i+1, l.Leaf)
		}
		byKey[at(l.Policy, l.Stage, l.Leaf)] = append(byKey[at(l.Policy, l.Stage, l.Leaf)], i)
	}
	used := make([]bool, len(cert.Lines))
	var why []error
	for s := range c.scenes {
		sc := &c.scenes[s]
		for _, st := range c.stages(sc) {
			for _, p := range c.t.policies {
				about := append(slices.Clone(byKey[at(p.id, st.name, s)]), byKey[at(p.id, st.name, -1)]...)
				ok := false
				why = why[:0]
				for _, i := range about {
					if err := c.holds(&cert.Lines[i], p, &st, sc); err != nil {
						why = append(why, fmt.Errorf("line %d: %w", i+1, err))
						continue
					}
					ok, used[i] = true, true
				}
				if !ok {
					return fmt.Errorf("policy %q, stage %s, leaf %d: %s", p.label, st.name, s, because(why))
				}
			}
		}
	}
	if i := slices.Index(used, false); i >= 0 {
		l := &cert.Lines[i]
		return fmt.Errorf("line %d (policy %q, stage %s, leaf %d, %s) is not true anywhere", i+1, l.Policy, l.Stage, l.Leaf, l.Reason)
	}
	return nil
}

func because(why []error) string {
	if len(why) == 0 {
		return "no line says why it lets the account in"
	}
	var out []string
	for _, e := range why {
		out = append(out, e.Error())
	}
	return strings.Join(out, "; ")
}
