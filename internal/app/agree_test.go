package app_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/sandbox"
	"halligan/lockout"
)

// The prover judges all sign-ins of a question at once, by sets; the evaluator of
// the emulated tenant judges one, step by step. They were written apart from
// Microsoft's pages and share no code, so that a mistake of one shows here.

// agreeSeed begins every random choice of the comparison.
const agreeSeed = 20261121

// agreeDay is the day on which every sign-in of the comparison happens.
var agreeDay = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// verdict is what one judge says of one sign-in. Between surely and possibly is
// what nobody documents.
type verdict struct {
	surely, possibly []bool // by enabled policy
	denied, let      bool   // surely denied; surely let in
	unsure           []string
}

// proofSide is the prover, asked about single points of one tenant.
type proofSide struct {
	t        *agreeTenant
	prover   *lockout.Prover
	appliers map[string]*lockout.Applier
}

func (s *proofSide) judge(at *signIn) (verdict, error) {
	goal, who := at.goal, &s.t.people[at.who]
	key := string(who.id) + "|" + goal.name
	x := s.appliers[key]
	if x == nil {
		q := lockout.Question{Account: who.id, Goal: goal.goal, Now: lockout.Date(agreeDay.Format(time.DateOnly)), Envelope: s.t.envelope}
		var err error
		if x, err = s.prover.ApplierOf(q, goal.step); err != nil {
			return verdict{}, err
		}
		s.appliers[key] = x
	}
	point := s.t.point(at)
	list, err := x.At(point)
	if err != nil {
		return verdict{}, err
	}
	var v verdict
	for _, p := range list {
		if i, known := s.t.index[p.Policy.Key()]; known {
			v = v.sized(len(s.t.enabled))
			v.surely[i], v.possibly[i] = p.Surely, p.Possibly
		}
	}
	v = v.sized(len(s.t.enabled))
	if goal.step.Context != "" {
		return v, nil // stepping up is one part of a recovery: no claim about the whole
	}
	adverse, favourable, err := x.Denied(point)
	v.denied, v.let = favourable && adverse, !adverse && !favourable
	if favourable && !adverse {
		return v, fmt.Errorf("denied on the favourable reading and not on the adverse one")
	}
	return v, err
}

func (v verdict) sized(n int) verdict {
	if v.surely == nil {
		v.surely, v.possibly = make([]bool, n), make([]bool, n)
	}
	return v
}

// worldSide is the evaluator of the emulated tenant, asked with every kit of
// methods that the account has, read for the person and against them.
type worldSide struct {
	t     *agreeTenant
	world *sandbox.World
}

func newWorldSide(t *agreeTenant, flaw string) *worldSide {
	w := sandbox.NewFlawedWorld(t.state, agreeDay, flaw)
	if scopes := t.snap.View().LowPrivilegeScopes; scopes == nil {
		w.LowPrivilegeUnknown = true
	} else {
		w.LegacyLowPrivilege = !*scopes
	}
	return &worldSide{t, w}
}

func (s *worldSide) judge(at *signIn) verdict {
	attempts := s.t.attempts(at)
	out := verdict{}.sized(len(s.t.enabled))
	var let [2]bool
	unsure := map[string]bool{}
	readings := 1
	for r := 0; r < readings; r++ {
		s.world.Against = r == 1
		for _, kit := range s.t.people[at.who].kits {
			all := true
			for i := range attempts {
				attempts[i].Used = kit
				o := s.world.Judge(attempts[i])
				all = all && o.Allowed
				for _, u := range o.Unsure {
					unsure[u] = true
					readings = 2
				}
				if i == len(attempts)-1 { // what applies is asked of the last step
					s.note(&out, o, r)
				}
			}
			let[r] = let[r] || all
		}
	}
	if readings == 1 {
		let[1] = let[0]
		copy(out.possibly, out.surely)
	}
	out.denied, out.let = !let[0], let[1]
	out.unsure = slices.Sorted(maps.Keys(unsure))
	return out
}

// note keeps which policies applied: those on the favourable reading surely,
// those on the adverse one possibly.
func (s *worldSide) note(v *verdict, o sandbox.Outcome, reading int) {
	for _, p := range o.Policies {
		i, known := s.t.index[entra.ID(p.ID).Key()]
		if !known {
			continue
		}
		if reading == 0 {
			v.surely[i] = v.surely[i] || p.Applies
		}
		v.possibly[i] = v.possibly[i] || p.Applies
	}
}

// known are behaviours of which the evaluator says that Microsoft documents them
// nowhere while the prover has an answer, and why that is no contradiction.
var agreeKnown = map[string]string{
	"GPS location without Microsoft Authenticator":                       "the prover takes the country by GPS as part of the point, and denies adversely wherever such a policy may ask (entra-docs concept-assignment-network)",
	"compliant device on an unsupported platform":                        "the prover holds that a compliant device has a supported system, whatever its user agent says (entra-docs concept-conditional-access-grant)",
	"authentication strength in a session that goes on during an outage": "the prover judges the whole session: one that met no strength did not begin (entra-docs resilience-defaults)",
}

// difference says how the verdicts contradict each other; "" they do not. open
// tells a sign-in where the evaluator is unsure, and whether the prover is too.
func (t *agreeTenant) difference(proof, world verdict) (what string, open bool) {
	excused := slices.ContainsFunc(world.unsure, func(u string) bool { return agreeKnown[u] != "" })
	for i := range t.enabled {
		switch {
		case world.surely[i] && !proof.possibly[i]:
			return fmt.Sprintf("policy %s applies, says the evaluator, and the prover that it does not", t.label(i)), false
		case !world.possibly[i] && proof.surely[i]:
			return fmt.Sprintf("policy %s applies, says the prover, and the evaluator that it does not", t.label(i)), false
		case world.surely[i] != world.possibly[i]:
			open = true
			if proof.surely[i] == proof.possibly[i] && !excused {
				return fmt.Sprintf("policy %s: the evaluator is unsure (%s) and the prover is not (applies: %v)", t.label(i), strings.Join(world.unsure, "; "), proof.surely[i]), true
			}
		}
	}
	switch {
	case proof.denied && world.let:
		return "the prover denies it, and the evaluator lets in", open
	case proof.let && world.denied:
		return "the prover lets in, and the evaluator denies it", open
	case !world.denied && !world.let && (proof.denied || proof.let) && !excused:
		return fmt.Sprintf("the evaluator is unsure (%s) and the prover is not (denied: %v)", strings.Join(world.unsure, "; "), proof.denied), true
	}
	return "", open || !world.denied && !world.let
}

func (t *agreeTenant) label(i int) string {
	return fmt.Sprintf("%q (%s)", t.enabled[i].DisplayName, t.enabled[i].ID)
}

// tally counts over all tenants.
type tally struct {
	points, denied, unsure, policies int
	leastOn, leastOff                int
	reasons, behaviours              map[string]int
	differ                           map[string]int
	examples                         map[string]string
}

// compared is a tenant with its sign-ins and what each judge said.
type compared struct {
	t            *agreeTenant
	at           []signIn
	proof, world []verdict
}

// compare judges sign-ins of a tenant until every policy has quota points where
// it applies and quota where it does not, as far as that can be.
func compare(t testing.TB, tenant *agreeTenant, quota, least int, sum *tally) *compared {
	out := &compared{t: tenant}
	proof := &proofSide{tenant, lockout.New(tenant.snap), map[string]*lockout.Applier{}}
	world := newWorldSide(tenant, "")
	on, off := make([]int, len(tenant.enabled)), make([]int, len(tenant.enabled))
	judge := func(at signIn) {
		p, err := proof.judge(&at)
		if err != nil {
			t.Fatalf("%s: %v at %+v", tenant.name, err, at)
		}
		w := world.judge(&at)
		out.at, out.proof, out.world = append(out.at, at), append(out.proof, p), append(out.world, w)
		for i := range on {
			if w.surely[i] {
				on[i]++
			} else if !w.possibly[i] {
				off[i]++
			}
		}
		sum.points++
		if w.denied {
			sum.denied++
		}
		what, open := tenant.difference(p, w)
		if open {
			sum.unsure++
			for _, u := range w.unsure {
				sum.behaviours[u]++
			}
		}
		if what != "" {
			key := plainly(what)
			sum.differ[key]++
			if sum.examples[key] == "" {
				sum.examples[key] = fmt.Sprintf("%s: %s\n\tat %s\n\tprover denied %v let %v, evaluator denied %v let %v unsure %q", tenant.name, what, tenant.tell(&at), p.denied, p.let, w.denied, w.let, w.unsure)
			}
		}
	}
	for i := range tenant.enabled {
		for try := 0; on[i] < quota && try < 4000 && (on[i]*30 > try || try < max(quota, 120)); try++ {
			judge(tenant.aim(i, true))
		}
		for try := 0; off[i] < quota && try < 4*quota; try++ {
			judge(tenant.aim(i, false))
		}
	}
	for len(out.at) < least {
		judge(tenant.any())
	}
	for i := range tenant.enabled {
		sum.policies++
		if why := tenant.never(i, on[i] < quota, off[i] < quota); why != "" {
			sum.reasons[why]++
			continue
		}
		if on[i] < quota || off[i] < quota {
			t.Errorf("%s: policy %s applies in %d points and does not in %d, want %d each", tenant.name, tenant.label(i), on[i], off[i], quota)
		}
		sum.leastOn, sum.leastOff = min(sum.leastOn, on[i]), min(sum.leastOff, off[i])
	}
	return out
}

// plainly drops what differs between points of one kind.
func plainly(what string) string {
	if before, rest, found := strings.Cut(what, "\""); found {
		_, after, _ := strings.Cut(rest, ")")
		return before + "…" + after
	}
	return what
}

func newTally() *tally {
	return &tally{reasons: map[string]int{}, behaviours: map[string]int{}, differ: map[string]int{}, examples: map[string]string{}, leastOn: 1 << 30, leastOff: 1 << 30}
}

// Prover and evaluator agree on random sign-ins over example tenants, read over
// the wire, and published policy sets; and each fault planted in one of them makes
// them disagree. With HALLIGAN_FULL=1 there are more than 100,000 sign-ins.
func TestProverAndEvaluatorAgree(t *testing.T) {
	quota, least := 30, 150
	if full := os.Getenv("HALLIGAN_FULL") == "1"; full {
		quota, least = 200, 1000
	}
	began := time.Now()
	sum := newTally()
	var all []*compared
	for _, tenant := range agreeTenants(t) {
		all = append(all, compare(t, tenant, quota, least, sum))
	}
	t.Logf("seed %d: %d points over %d tenants, %d enabled policies, %.1f %% denied, %.1f %% unsure, each policy applies in %d or more and does not in %d or more, %v",
		agreeSeed, sum.points, len(all), sum.policies, percent(sum.denied, sum.points), percent(sum.unsure, sum.points), sum.leastOn, sum.leastOff, time.Since(began).Round(time.Second))
	for _, why := range slices.Sorted(maps.Keys(sum.reasons)) {
		t.Logf("%4d policies left out: %s", sum.reasons[why], why)
	}
	for _, what := range slices.Sorted(maps.Keys(sum.behaviours)) {
		t.Logf("%6d points unsure: %s", sum.behaviours[what], what)
	}
	for _, key := range slices.Sorted(maps.Keys(sum.differ)) {
		t.Errorf("%d points: %s", sum.differ[key], sum.examples[key])
	}
	if want := 500 * quota; sum.points < want { // 100,000 in full
		t.Errorf("%d points, want %d or more", sum.points, want)
	}
	if 10*sum.denied < 3*sum.points {
		t.Errorf("%d of %d points are denied, want 30 %% or more", sum.denied, sum.points)
	}
	if 5*sum.unsure >= sum.points {
		t.Errorf("the evaluator is unsure at %d of %d points, want less than 20 %%", sum.unsure, sum.points)
	}
	plant(t, all)
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// agreeElsewhere are faults of the prover in what follows a sign-in: activation
// and protected actions, of which the evaluator judges nothing. The vectors find
// them (lockout: TestDeliberateFaultsAreCaught).
var agreeElsewhere = map[string]bool{"protected actions are forgotten": true, "a protected action whose context no policy targets is open": true,
	"approval of a role activation is forgotten": true, "after activation the sign-in is not evaluated again": true}

// plant puts each fault into one of the judges and asks again for what the other
// has said.
func plant(t *testing.T, all []*compared) {
	found := map[string]int{}
	for _, flaw := range sandbox.Flaws {
		if where := findIn(all, func(c *compared) func(*signIn) (verdict, error) {
			w := newWorldSide(c.t, flaw)
			return func(at *signIn) (verdict, error) { return w.judge(at), nil }
		}, false); where != "" {
			found["evaluator"]++
			t.Logf("evaluator: %-60s found: %s", flaw, where)
		} else {
			t.Errorf("evaluator: %-60s NOT FOUND", flaw)
		}
	}
	for _, flaw := range lockout.Flaws() {
		if agreeElsewhere[flaw] {
			continue
		}
		if where := findIn(all, func(c *compared) func(*signIn) (verdict, error) {
			p := &proofSide{c.t, lockout.NewFlawed(c.t.snap, flaw), map[string]*lockout.Applier{}}
			return p.judge
		}, true); where != "" {
			found["prover"]++
			t.Logf("prover: %-60s found: %s", flaw, where)
		} else {
			t.Errorf("prover: %-60s NOT FOUND", flaw)
		}
	}
	for _, judge := range []string{"evaluator", "prover"} {
		if found[judge] < 15 {
			t.Errorf("%d faults of the %s are found, want 15 or more", found[judge], judge)
		}
	}
}

// findIn asks a flawed judge about a few hundred sign-ins of each tenant, until it
// contradicts the other or does not know a sign-in at all.
func findIn(all []*compared, flawed func(*compared) func(*signIn) (verdict, error), isProof bool) string {
	for _, c := range all {
		judge := flawed(c)
		for i := 0; i < len(c.at); i += 1 + len(c.at)/600 {
			v, err := judge(&c.at[i])
			if err != nil {
				return c.t.name + ": " + err.Error()
			}
			proof, world := v, c.world[i]
			if !isProof {
				proof, world = c.proof[i], v
			}
			if what, _ := c.t.difference(proof, world); what != "" {
				return fmt.Sprintf("%s, point %d: %s", c.t.name, i, what)
			}
		}
	}
	return ""
}
