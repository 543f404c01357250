package lockout_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/verify"
)

// settled is the Snapshot whose JSON says what its types say: a tweak of a world
// changes types and leaves the JSON they were read from.
func settled(s *entra.Snapshot) *entra.Snapshot {
	c := s.Content()
	if c.MethodsPolicy != nil {
		c.MethodsPolicy.Raw = nil
	}
	return entra.NewSnapshot(c)
}

// proof is a certificate to check and where it comes from.
type proof struct {
	where string
	s     *entra.Snapshot
	q     lockout.Question
	c     *lockout.Certificate
}

// proved returns the proof of a world, or nil when it is not PROVED.
func proved(where string, w *world) (*proof, error) {
	s, q, err := w.question()
	if err != nil {
		return nil, err
	}
	s = settled(s)
	v, err := lockout.New(s).Prove(q)
	if err != nil || v.Outcome != lockout.Proved {
		return nil, nil
	}
	return &proof{where, s, q, v.Certificate}, nil
}

// judge is the checker with a proof's Snapshot and question read.
func (p *proof) judge() (func(c *lockout.Certificate) error, error) {
	qj, err := json.Marshal(p.q)
	if err != nil {
		return nil, err
	}
	vq, err := verify.ParseQuestion(qj)
	if err != nil {
		return nil, err
	}
	sj := p.s.JSON()
	return func(c *lockout.Certificate) error {
		cj, err := json.Marshal(c)
		if err != nil {
			panic(err)
		}
		return verify.Certificate(sj, vq, cj)
	}, nil
}

// falsification is one change to a certificate after which one claim in it is
// false, whatever the tenant is.
type falsification struct {
	what string
	edit func(c *lockout.Certificate)
}

// falsifications lists changes to single lines, each sure to be false.
func falsifications(s *entra.Snapshot, c *lockout.Certificate) []falsification {
	var out []falsification
	add := func(what string, edit func(c *lockout.Certificate)) { out = append(out, falsification{what, edit}) }
	policies := map[string]*entra.Policy{}
	for i := range s.View().Policies {
		policies[string(s.View().Policies[i].ID)] = &s.View().Policies[i]
	}
	for i := range c.Lines {
		l := c.Lines[i]
		what := func(how string) string {
			return fmt.Sprintf("line %d (policy %s, %s, %s) %s", i+1, l.Policy, l.Stage, l.Reason, how)
		}
		line := func(how string, edit func(l *lockout.CertLine)) {
			add(what(how), func(c *lockout.Certificate) { edit(&c.Lines[i]) })
		}
		instead := func(n lockout.CertLine) {
			n.Policy, n.Stage, n.Leaf = l.Policy, l.Stage, l.Leaf
			line("made "+n.Reason+" "+n.State+n.Condition, func(l *lockout.CertLine) { *l = n })
		}
		add(what("left out"), func(c *lockout.Certificate) { c.Lines = slices.Delete(c.Lines, i, i+1) })
		line("about another policy", func(l *lockout.CertLine) { l.Policy = "no such policy" })
		line("about another stage", func(l *lockout.CertLine) { l.Stage = "nowhere" })
		line("about a leaf that does not exist", func(l *lockout.CertLine) { l.Leaf = len(c.Leaves) })
		line("for no reason", func(l *lockout.CertLine) { l.Reason = "" })
		instead(lockout.CertLine{Reason: lockout.ReasonDisjoint, Condition: "weather"})
		instead(lockout.CertLine{Reason: lockout.ReasonExcluded, Route: &lockout.Route{Kind: "user", ID: "nobody"}})
		p := policies[l.Policy]
		if p.State == entra.StateEnabled {
			instead(lockout.CertLine{Reason: lockout.ReasonNotEnabled, State: "disabled"})
		} else if l.Reason == lockout.ReasonNotEnabled {
			line("in another state", func(l *lockout.CertLine) { l.State = "enabled" })
		}
		if slices.Contains(p.Conditions.Users.IncludeUsers, "All") {
			instead(lockout.CertLine{Reason: lockout.ReasonUserNotIncluded})
		}
		app := &p.Conditions.Applications
		if slices.Contains(app.Include, "All") && len(app.Exclude)+len(app.UserActions)+len(app.AuthContexts) == 0 && app.Filter == nil && strings.HasPrefix(l.Stage, "signIn") {
			instead(lockout.CertLine{Reason: lockout.ReasonTarget})
		}
		if p.Conditions.Platforms == nil {
			instead(lockout.CertLine{Reason: lockout.ReasonDisjoint, Condition: "platforms"})
		}
		if l.Route != nil {
			line("through a route nobody has", func(l *lockout.CertLine) { l.Route = &lockout.Route{Kind: l.Route.Kind, ID: "nobody"} })
			line("through another kind of route", func(l *lockout.CertLine) {
				l.Route = &lockout.Route{Kind: map[string]string{"user": "group", "group": "role", "role": "guest", "guest": "user"}[l.Route.Kind], ID: l.Route.ID}
			})
		}
		if l.Condition != "" {
			line("by another condition", func(l *lockout.CertLine) { l.Condition = "phase of the moon" })
		}
		for k, it := range l.Items {
			item := func(how string, edit func(it *lockout.CertItem)) {
				line(it.Control+" "+how, func(l *lockout.CertLine) {
					l.Items = slices.Clone(l.Items)
					edit(&l.Items[k])
				})
			}
			if len(l.Items) == 1 {
				line("without its only item", func(l *lockout.CertLine) { l.Items = nil })
			}
			item("is not asked for", func(it *lockout.CertItem) { it.Control = "patience" })
			item("by somebody else", func(it *lockout.CertItem) { it.By = "somebody else" })
			if len(it.Credentials) > 0 {
				item("by a credential nobody has", func(it *lockout.CertItem) { it.Credentials = []string{"nobody's"} })
				item("as no combination", func(it *lockout.CertItem) { it.Combination = []entra.CombinationMode{"telepathy"} })
			}
		}
	}
	return append(append(out, falseGates(c)...), falseFrames(c)...)
}

func falseGates(c *lockout.Certificate) []falsification {
	var out []falsification
	for i := range c.Gates {
		g := c.Gates[i]
		gate := func(how string, edit func(g *lockout.CertGate)) {
			out = append(out, falsification{fmt.Sprintf("gate %s (%s) %s", g.Gate, g.Reason, how), func(c *lockout.Certificate) { edit(&c.Gates[i]) }})
		}
		out = append(out, falsification{"gate " + g.Gate + " left out", func(c *lockout.Certificate) { c.Gates = slices.Delete(c.Gates, i, i+1) }})
		gate("for no reason", func(g *lockout.CertGate) { g.Reason = "" })
		gate("of another name", func(g *lockout.CertGate) { g.Gate = "moat" })
		gate("in another leaf", func(g *lockout.CertGate) { g.Leaf = len(c.Leaves) })
		gate("with a detail of its own", func(g *lockout.CertGate) { g.Detail = "nobody's" })
		gate("with a credential nobody has", func(g *lockout.CertGate) { g.Credentials = []string{"nobody's"} })
		if len(g.Combination) > 0 {
			gate("as no combination", func(g *lockout.CertGate) { g.Combination = []entra.CombinationMode{"email"} })
		}
	}
	return out
}

// falseFrames falsify what the lines stand on.
func falseFrames(c *lockout.Certificate) []falsification {
	var out []falsification
	add := func(what string, edit func(c *lockout.Certificate)) { out = append(out, falsification{what, edit}) }
	add("another account", func(c *lockout.Certificate) { c.Account = "nobody" })
	add("another goal", func(c *lockout.Certificate) { c.Goal.Name += "x" })
	add("another day", func(c *lockout.Certificate) { c.Now = "1999-12-31" })
	add("another Snapshot", func(c *lockout.Certificate) { c.Snapshot = strings.Repeat("0", 64) })
	for i := range c.Dimensions {
		name := string(c.Dimensions[i].Dimension)
		add("dimension "+name+" left out", func(c *lockout.Certificate) { c.Dimensions = slices.Delete(c.Dimensions, i, i+1) })
		add("dimension "+name+" short of a class", func(c *lockout.Certificate) {
			d := &c.Dimensions[i]
			d.Values = d.Values[1:]
			if len(d.Devices) > 0 {
				d.Devices = d.Devices[1:]
			}
		})
		add("dimension "+name+" with a class of its own", func(c *lockout.Certificate) {
			d := &c.Dimensions[i]
			d.Values = append(slices.Clone(d.Values), "no such class")
		})
	}
	for i := range c.Options {
		add("an option without credentials", func(c *lockout.Certificate) { c.Options[i].Kit = nil })
		add("an option with a credential nobody has", func(c *lockout.Certificate) { c.Options[i].Kit = append([]string{"nobody's"}, c.Options[i].Kit...) })
		for name := range c.Options[i].Choice {
			add("an option with another "+string(name), func(c *lockout.Certificate) {
				c.Options[i].Choice = map[lockout.Dimension]string{name: "no such value"}
			})
		}
	}
	for i := range c.Leaves {
		add("a leaf left out", func(c *lockout.Certificate) { c.Leaves = slices.Delete(c.Leaves, i, i+1) })
		add("a leaf of another option", func(c *lockout.Certificate) { c.Leaves[i].Option = len(c.Options) })
	}
	return out
}

// cut copies a certificate, so that it can be changed.
func cut(c *lockout.Certificate) *lockout.Certificate {
	n := *c
	n.Dimensions, n.Options, n.Leaves = slices.Clone(c.Dimensions), slices.Clone(c.Options), slices.Clone(c.Leaves)
	n.Lines, n.Gates = slices.Clone(c.Lines), slices.Clone(c.Gates)
	return &n
}

// tally counts what was checked, and says what was wrong.
type tally struct {
	verified, refused, lines int
	wrong                    []string
}

func (n *tally) add(m tally) {
	n.verified, n.refused, n.lines = n.verified+m.verified, n.refused+m.refused, n.lines+m.lines
}

// report tells the test what was wrong.
func (n *tally) report(t *testing.T) {
	t.Helper()
	for _, w := range n.wrong {
		t.Error(w)
	}
}

// audit verifies a certificate; with falsify it falsifies each line in it in
// every way, and demands that all of that is refused.
func (p *proof) audit(falsify bool) (n tally) {
	judge, err := p.judge()
	if err == nil {
		err = judge(p.c)
	}
	if err != nil {
		n.wrong = append(n.wrong, fmt.Sprintf("%s: a certificate of the prover is refused: %v", p.where, err))
		return n
	}
	n.verified++
	n.lines += len(p.c.Lines) + len(p.c.Gates)
	if !falsify {
		return n
	}
	for _, f := range falsifications(p.s, p.c) {
		bad := cut(p.c)
		f.edit(bad)
		if judge(bad) == nil {
			n.wrong = append(n.wrong, fmt.Sprintf("%s: accepted with %s", p.where, f.what))
			continue
		}
		n.refused++
	}
	return n
}

// Every certificate of the prover verifies, and none survives a false line.
func TestCertificatesOfGeneratedWorlds(t *testing.T) {
	worlds, falsified := 300, 40
	if os.Getenv("HALLIGAN_FULL") == "1" {
		worlds, falsified = 10000, 1000
	}
	type result struct {
		proof *proof
		tally tally
		err   error
	}
	var n tally
	var first []*proof // to be falsified
	inParallel(worlds, func(seed int) (r result) {
		r.proof, r.err = proved(fmt.Sprintf("world %d", seed), makeWorld(uint64(seed)))
		if r.proof != nil {
			r.tally = r.proof.audit(false)
		}
		return r
	}, func(seed int, r result) bool {
		if r.err != nil {
			t.Fatalf("world %d: %v", seed, r.err)
		}
		r.tally.report(t)
		n.add(r.tally)
		if r.tally.verified > 0 && len(first) < falsified {
			first = append(first, r.proof)
		}
		return true
	})
	verified := n.verified
	inParallel(len(first), func(i int) tally { return first[i].audit(true) }, func(_ int, m tally) bool {
		m.report(t)
		n.add(m)
		return true
	})
	t.Logf("%d certificates verified, %d of them falsified: %d falsifications refused", verified, len(first), n.refused)
	if verified < worlds/4 || len(first) < falsified || n.refused < 25*falsified {
		t.Errorf("%d certificates and %d falsifications are too few to mean anything", verified, n.refused)
	}
}

// choices are worlds in which no single choice of the operator is enough.
var choices = []struct{ name, members string }{
	{"two flows", `"accounts":[{"id":"bg","credentials":[{"id":"k","type":"fido2"}]}],
		"tenant":{"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"platforms":{"includePlatforms":["windows"]},"authenticationFlows":{"transferMethods":"authenticationTransfer"}},"grantControls":{"operator":"OR","builtInControls":["block"]}},
			{"id":"p2","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"platforms":{"includePlatforms":["all"],"excludePlatforms":["windows"]},"authenticationFlows":{"transferMethods":"deviceCodeFlow"}},"grantControls":{"operator":"OR","builtInControls":["block"]}}]},
		"query":{"kind":"prove","goal":"graphPowerShell","quantifiers":{"flow":{"exists":["deviceCodeFlow","authenticationTransfer"]}}},"expect":{"verdict":"PROVED"}`},
	{"two keys", `"accounts":[{"id":"bg","credentials":[{"id":"k1","type":"fido2","aaGuid":"a"},{"id":"k2","type":"fido2","aaGuid":"b"}]}],
		"tenant":{"authenticationStrengthPolicies":[
			{"id":"sa","policyType":"custom","allowedCombinations":["fido2"],"combinationConfigurations":[{"appliesToCombinations":["fido2"],"allowedAAGUIDs":["a"]}]},
			{"id":"sb","policyType":"custom","allowedCombinations":["fido2"],"combinationConfigurations":[{"appliesToCombinations":["fido2"],"allowedAAGUIDs":["b"]}]}],
		"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"signInRiskLevels":["high","medium"]},"grantControls":{"operator":"OR","authenticationStrength":{"id":"sa"}}},
			{"id":"p2","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"signInRiskLevels":["none","low"]},"grantControls":{"operator":"OR","authenticationStrength":{"id":"sb"}}}]},
		"query":{"kind":"prove","goal":"entraAdminCenter"},"expect":{"verdict":"PROVED"}`},
	{"two roles to activate", `"accounts":[{"id":"bg","credentials":[{"id":"k","type":"fido2"}],"roles":[
			{"roleTemplateId":"62e90394-69f5-4237-9190-012177145e10","assignment":"eligible"},{"roleTemplateId":"b1be1c3e-b65d-4f19-8427-f6fa0d97feb9","assignment":"eligible"}]}],
		"tenant":{"policies":[
			{"id":"p1","state":"enabled","conditions":{"users":{"includeRoles":["62e90394-69f5-4237-9190-012177145e10"]},"applications":{"includeApplications":["All"]},"platforms":{"includePlatforms":["windows"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}},
			{"id":"p2","state":"enabled","conditions":{"users":{"includeRoles":["b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"]},"applications":{"includeApplications":["All"]},"platforms":{"includePlatforms":["all"],"excludePlatforms":["windows"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}]},
		"query":{"kind":"prove","goal":"recover:entraAdminCenter"},"expect":{"verdict":"PROVED"}`},
}

// Certificates with several leaves verify too, and count line by line.
func TestCertificatesOfSeveralChoices(t *testing.T) {
	for _, w := range choices {
		t.Run(w.name, func(t *testing.T) {
			f, err := lockout.ReadVectors([]byte(`{"schema":"ca-vectors/1","vectors":[{"id":"V","title":"t",` + w.members + `}]}`))
			if err != nil {
				t.Fatal(err)
			}
			s, err := f.Vectors[0].Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			q, err := f.Vectors[0].Question(s)
			if err != nil {
				t.Fatal(err)
			}
			v, err := lockout.New(s).Prove(q)
			if err != nil || v.Outcome != lockout.Proved {
				t.Fatalf("got %s %v", v.Outcome, err)
			}
			if len(v.Certificate.Leaves) < 2 {
				t.Errorf("got %d leaves", len(v.Certificate.Leaves))
			}
			n := (&proof{w.name, s, q, v.Certificate}).audit(true)
			n.report(t)
			t.Logf("%d leaves, %d lines and gates, %d falsifications refused", len(v.Certificate.Leaves), n.lines, n.refused)
		})
	}
}
