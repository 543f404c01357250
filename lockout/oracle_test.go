package lockout_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

// answer is what full enumeration says about one question.
type answer struct {
	outcome lockout.Outcome
	forall  []axis
	// points has, for every forall point in the order of the axes (the last one
	// fastest), on which readings it is denied: no, maybe (the adverse one only),
	// yes (both).
	points []tri
}

// answer tries every forall point with every choice of the operator.
func (o *oracle) answer() answer {
	var forall, exists []axis
	for _, a := range o.axes(o.q) {
		if a.exists {
			exists = append(exists, a)
		} else {
			forall = append(forall, a)
		}
	}
	adverse, favourable := o.kits(o.q, true), o.kits(o.q, false)
	roles := o.roles()
	out := answer{outcome: lockout.Proved, forall: forall}
	var pt point
	walk(&pt, forall, func() {
		// A reading denies the point if it denies every choice.
		p, f := true, true
		choice := pt
		walk(&choice, exists, func() {
			for _, role := range roles {
				for _, kit := range adverse {
					p = p && o.denied(&choice, kit, role) != no
				}
				for _, kit := range favourable {
					f = f && o.denied(&choice, kit, role) == yes
				}
			}
		})
		t := sure(f)
		if p && !f {
			t = maybe
		}
		out.points = append(out.points, t)
		switch {
		case t == yes:
			out.outcome = lockout.Lockout
		case t == maybe && out.outcome == lockout.Proved:
			out.outcome = lockout.Undetermined
		}
	})
	return out
}

// roles are the recovery roles that the operator may try to activate.
func (o *oracle) roles() []entra.ID {
	var out []entra.ID
	if o.q.Goal.Recover {
		for _, r := range recoveryRoles {
			if o.assigned(r, entra.AssignmentEligible) != no {
				out = append(out, r)
			}
		}
	}
	if len(out) == 0 {
		return []entra.ID{""}
	}
	return out
}

// walk visits every point of the axes, the last axis fastest.
func walk(pt *point, axes []axis, visit func()) {
	if len(axes) == 0 {
		visit()
		return
	}
	for i := range axes[0].values {
		axes[0].set(pt, i)
		walk(pt, axes[1:], visit)
	}
}

// at is the nth point as the prover is asked for it.
func (a *answer) at(n int) map[lockout.Dimension]string {
	out := map[lockout.Dimension]string{}
	for i := len(a.forall) - 1; i >= 0; i-- {
		x := &a.forall[i]
		if len(x.values) > 1 || x.name != lockout.DimResourceIP { // which is not in use
			out[x.name] = x.values[n%len(x.values)]
		}
		n /= len(x.values)
	}
	return out
}

// disagreement is where prover and oracle differ; "" nowhere.
func disagreement(s *entra.Snapshot, q lockout.Question) (want answer, why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprintf("the prover panics: %v", r)
		}
	}()
	want = newOracle(s, q).answer()
	p := lockout.New(s)
	got, err := p.Prove(q)
	if err != nil {
		return want, fmt.Sprintf("the prover refuses: %v", err)
	}
	if got.Outcome != want.outcome {
		return want, fmt.Sprintf("verdict: prover %s, oracle %s", got.Outcome, want.outcome)
	}
	for n := 0; n < len(want.points); n++ {
		at := want.at(n)
		adverse, favourable, causes, err := p.At(q, maps.Clone(at))
		if err != nil {
			return want, fmt.Sprintf("at %v: the prover refuses: %v", at, err)
		}
		if adverse != (want.points[n] != no) || favourable != (want.points[n] == yes) {
			return want, fmt.Sprintf("at %v: prover denied %v adverse, %v favourable (%s); oracle %v, %v", at, adverse, favourable, causeText(causes),
				want.points[n] != no, want.points[n] == yes)
		}
	}
	return want, ""
}

func causeText(causes []lockout.Cause) string {
	var out []string
	for _, c := range causes {
		out = append(out, c.Stage+":"+c.Source+":"+c.Control)
	}
	return strings.Join(out, " ")
}

// The oracle agrees with the prover on the verdict and on every point, in both
// readings, in many small worlds.
func TestProverAgreesWithFullEnumeration(t *testing.T) {
	worlds, from := 1500, 0
	if os.Getenv("HALLIGAN_FULL") == "1" {
		worlds = 10000
	}
	if s := os.Getenv("ORACLE_FROM"); s != "" {
		from, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("ORACLE_N"); s != "" {
		worlds, _ = strconv.Atoi(s)
	}
	bad, most := 0, 5
	if s := os.Getenv("ORACLE_BAD"); s != "" {
		most, _ = strconv.Atoi(s)
	}
	count := map[lockout.Outcome]int{}
	points := 0
	for seed := from; seed < from+worlds && bad < most; seed++ {
		w := makeWorld(uint64(seed))
		s, q, err := w.question()
		if err != nil {
			t.Fatalf("world %d: %v", seed, err)
		}
		a, why := disagreement(s, q)
		count[a.outcome]++
		points += len(a.points)
		if why == "" {
			continue
		}
		bad++
		t.Errorf("world %d: %s", seed, why)
		small := w.shrink(func(w *world) bool {
			s, q, err := w.question()
			if err != nil {
				return false
			}
			_, now := disagreement(s, q)
			return kindOf(now) == kindOf(why)
		})
		s, q, _ = small.question()
		_, why = disagreement(s, q)
		t.Errorf("shrunk: %s\ntweaks %q\n%s", why, small.tweaks, small.compact())
	}
	t.Logf("%v %d points", count, points)
}

func (w *world) compact() string {
	out, _ := json.Marshal(w.vector)
	return string(out)
}

// kindOf is what a disagreement is about: while a world shrinks it stays the
// same.
func kindOf(why string) string {
	kind, detail, _ := strings.Cut(why, " ")
	if kind == "at" {
		_, detail, _ = strings.Cut(detail, "]: ")
		detail, _, _ = strings.Cut(detail, "(")
	}
	return kind + detail
}
