package lockout_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
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

// disagreement is where a prover differs from full enumeration: on the verdict,
// or on whether a point is denied on either reading; "" nowhere.
func disagreement(p *lockout.Prover, q lockout.Question, want answer) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprintf("panic: %v", r)
		}
	}()
	got, err := p.Prove(q)
	if err != nil {
		return fmt.Sprintf("error: the prover refuses: %v", err)
	}
	if got.Outcome != want.outcome {
		return fmt.Sprintf("verdict: prover %s, oracle %s", got.Outcome, want.outcome)
	}
	for n, t := range want.points {
		at := want.at(n)
		adverse, favourable, causes, err := p.At(q, at)
		if err != nil {
			return fmt.Sprintf("at %v: the prover refuses: %v", at, err)
		}
		if adverse != (t != no) || favourable != (t == yes) {
			return fmt.Sprintf("at %v: prover denies %v adverse, %v favourable (%s); oracle %v, %v", at, adverse, favourable, causeText(causes), t != no, t == yes)
		}
	}
	return ""
}

// disagreement of the world, with the answer of the oracle.
func (w *world) disagreement() (answer, string, error) {
	s, q, err := w.question()
	if err != nil {
		return answer{}, "", err
	}
	want := newOracle(s, q).answer()
	return want, disagreement(lockout.New(s), q, want), nil
}

func causeText(causes []lockout.Cause) string {
	var out []string
	for _, c := range causes {
		out = append(out, c.Stage+":"+c.Source+":"+c.Control)
	}
	return strings.Join(out, " ")
}

var (
	oracleFrom  = flag.Int("oracle.from", 0, "seed of the first generated world")
	oracleCount = flag.Int("oracle.worlds", 0, "number of generated worlds; 0: 1,000, with HALLIGAN_FULL=1 10,000")
	oracleMost  = flag.Int("oracle.most", 3, "stop after so many disagreements")
)

// Prover and oracle agree on the verdict and on every point, in both readings,
// in many small worlds. A world in which they do not is shrunk and printed as a
// vector: add it to a file of vectors once it is known who was right.
func TestProverAgreesWithFullEnumeration(t *testing.T) {
	worlds := *oracleCount
	if worlds == 0 {
		worlds = 1000
		if os.Getenv("HALLIGAN_FULL") == "1" {
			worlds = 10000
		}
	}
	type result struct {
		want     answer
		why, say string
		err      error
	}
	work := func(i int) (r result) {
		w := makeWorld(uint64(*oracleFrom + i))
		if r.want, r.why, r.err = w.disagreement(); r.why == "" {
			return r
		}
		small := w.shrink(func(w *world) bool {
			_, now, err := w.disagreement()
			return err == nil && kindOf(now) == kindOf(r.why)
		})
		_, still, _ := small.disagreement()
		r.say = fmt.Sprintf("shrunk: %s\ntweaks %q\n%s", still, small.tweaks, small.compact())
		return r
	}
	bad, points, count := 0, 0, map[lockout.Outcome]int{}
	inParallel(worlds, work, func(i int, r result) bool {
		seed := *oracleFrom + i
		if r.err != nil {
			t.Fatalf("world %d: %v", seed, r.err)
		}
		count[r.want.outcome]++
		points += len(r.want.points)
		if r.why != "" {
			bad++
			t.Errorf("world %d: %s\n%s", seed, r.why, r.say)
		}
		return bad < *oracleMost
	})
	t.Logf("%d worlds, %d points: %v", worlds, points, count)
	for _, o := range []lockout.Outcome{lockout.Proved, lockout.Lockout, lockout.Undetermined} {
		if worlds >= 1000 && bad == 0 && count[o] < worlds/50 {
			t.Errorf("only %d of %d worlds are %s: the generator has become one-sided", count[o], worlds, o)
		}
	}
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
