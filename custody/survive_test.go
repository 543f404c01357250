package custody_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/register"
)

// How many random circles a law is held against: where every set is tried, and where
// that is cheap.
const some, many = 40, 400

func eachCircle(t *testing.T, n uint64, f func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet)) {
	t.Helper()
	for seed := range n {
		r := rand.New(rand.NewPCG(seed, 7))
		reg := randomCircle(r)
		f(t, r, reg, randomSets(r, reg))
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// subsets calls f with each subset of at most n losses.
func subsets(losses []custody.Loss, n int, f func([]custody.Loss)) {
	var set []custody.Loss
	var grow func(from int)
	grow = func(from int) {
		f(set)
		if len(set) == n {
			return
		}
		for i := from; i < len(losses); i++ {
			set = append(set, losses[i])
			grow(i + 1)
			set = set[:len(set)-1]
		}
	}
	grow(0)
}

func setName(set []custody.Loss) string {
	var names []string
	for _, l := range set {
		names = append(names, string(l.Kind)+":"+l.ID)
	}
	slices.Sort(names)
	return strings.Join(names, " + ")
}

// bruteSets are the minimal sets by trying all, for those to whom at most most of an
// answer is left.
func bruteSets(o *oracle, losses []custody.Loss, n, most int) map[string]bool {
	ends := map[string]bool{}
	subsets(losses, n, func(set []custody.Loss) {
		o.lost = set
		if o.recoverable() <= most {
			ends[setName(set)] = true
		}
	})
	minimal := map[string]bool{}
	subsets(losses, n, func(set []custody.Loss) {
		if !ends[setName(set)] {
			return
		}
		for i := range set {
			if ends[setName(slices.Delete(slices.Clone(set), i, i+1))] {
				return
			}
		}
		minimal[setName(set)] = true
	})
	return minimal
}

func told(sets []custody.LossSet) map[string]bool {
	out := map[string]bool{}
	for _, s := range sets {
		out[setName(s.Lost)] = true
	}
	return out
}

func compare(t *testing.T, what string, got, want map[string]bool) {
	t.Helper()
	for k := range got {
		if !want[k] {
			t.Errorf("%s: {%s} is told and is none", what, k)
		}
	}
	for k := range want {
		if !got[k] {
			t.Errorf("%s: {%s} is missing", what, k)
		}
	}
}

// Small circles are judged by trying every set of losses; the sets found by search
// are the same, and so is every answer.
func TestLossSetsAreThoseOfBruteForce(t *testing.T) {
	certain, possible := 0, 0
	eachCircle(t, some, func(t *testing.T, _ *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		s := custody.CircleOf(reg, sets...).Survey(custody.Outlook{})
		losses := s.Losses()
		o := &oracle{reg: reg, sets: sets}
		subsets(losses, 2, func(set []custody.Loss) {
			o.lost = set
			if got, want := s.After(set...), []custody.Answer{custody.No, custody.Maybe, custody.Yes}[o.recoverable()]; got != want {
				t.Errorf("after {%s} it is %v, want %v", setName(set), got, want)
			}
		})
		got := s.LossSets(3)
		sure, all := bruteSets(o, losses, 3, 0), bruteSets(o, losses, 3, 1)
		compare(t, "certain", told(got.Certain), sure)
		for k := range all {
			if sure[k] {
				delete(all, k)
			}
		}
		compareSome(t, o, losses, told(got.Possible), all)
		certain, possible = certain+len(got.Certain), possible+len(got.Possible)
		if n := len(told(got.Certain)) + len(told(got.Possible)); n != len(got.Certain)+len(got.Possible) {
			t.Errorf("%d sets are told twice", len(got.Certain)+len(got.Possible)-n)
		}
		for _, x := range append(got.Certain, got.Possible...) {
			if len(x.Why) == 0 {
				t.Errorf("{%s} has no reason", setName(x.Lost))
			}
		}
	})
	if certain < some || possible < some {
		t.Errorf("the circles have %d certain and %d possible sets: too few to mean anything", certain, possible)
	}
}

// Of many circles every answer after one loss, and after some pairs, is that of the rules.
func TestEveryAnswerIsThatOfBruteForce(t *testing.T) {
	eachCircle(t, 3*many, func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		s := custody.CircleOf(reg, sets...).Survey(custody.Outlook{})
		o := &oracle{reg: reg, sets: sets}
		subsets(s.Losses(), 2, func(set []custody.Loss) {
			if len(set) == 2 && r.IntN(40) > 0 {
				return
			}
			o.lost = set
			if got, want := s.After(set...), []custody.Answer{custody.No, custody.Maybe, custody.Yes}[o.recoverable()]; got != want {
				t.Errorf("after {%s} it is %v, want %v", setName(set), got, want)
			}
		})
	})
}

// compareSome compares possible sets: those of brute force that end it for certain,
// minimal or not, do not count.
func compareSome(t *testing.T, o *oracle, losses []custody.Loss, got, want map[string]bool) {
	t.Helper()
	subsets(losses, 3, func(set []custody.Loss) {
		if k := setName(set); want[k] {
			if o.lost = set; o.recoverable() == 0 {
				delete(want, k)
			}
		}
	})
	compare(t, "possible", got, want)
}

// The least size is right also where it is larger than the sets that are listed.
// Two spellings of a name are one person, and who holds the combination of a place, or
// can open where it lies, reaches what lies there.
func TestReachersAreAllWhoCouldLayHandsOnAPart(t *testing.T) {
	c := custody.CircleOf(&register.Register{
		Places: []register.Place{{Name: "Main  Safe", Access: []string{"Ana Weiss"}}, {Name: "Desk", Access: []string{"Carl Roe"}}, {Name: "Bank", Access: []string{"Dora Ek"}}},
		Parts: []register.Part{{Kind: register.PartKey, Holder: "ana  weiss", Place: "main safe"},
			{Kind: register.PartCombination, Opens: "MAIN SAFE", Holder: "Ben Ode", Place: "Desk"},
			{Kind: register.PartCombination, Opens: "desk", Holder: "Eve Lund", Place: "Main safe"},
			{Kind: register.PartCombination, Opens: "Bank", Holder: "Finn Moe"}}})
	got := c.Reachers(&register.Part{Kind: register.PartKey, Holder: "ana  weiss", Place: "main safe"})
	slices.Sort(got)
	if want := []string{"ana weiss", "ben ode", "carl roe", "eve lund"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLeastSizeIsThatOfBruteForce(t *testing.T) {
	large := 0
	eachCircle(t, 4*many, func(t *testing.T, _ *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		s := custody.CircleOf(reg, sets...).Survey(custody.Outlook{})
		losses := s.Losses()
		if len(losses) > 17 {
			return
		}
		o := &oracle{reg: reg, sets: sets}
		for most, got := range []int{s.LossSets(1).Least, s.LossSets(1).LeastPossible} {
			want := -1
			subsets(losses, len(losses), func(set []custody.Loss) {
				if o.lost = set; (want < 0 || len(set) < want) && o.recoverable() <= most {
					want = len(set)
				}
			})
			if got != want {
				t.Errorf("the least size is %d, want %d", got, want)
			}
			if want > 1 {
				large++
			}
		}
	})
	if large < 10 {
		t.Errorf("only %d circles need more than one loss", large)
	}
}

// What the tenant refuses after several losses together is found as well.
func TestTenantSideIsPartOfTheSets(t *testing.T) {
	together := 0
	eachCircle(t, some, func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		var services []custody.Loss
		for i := range 4 {
			services = append(services, custody.PolicyLost("", fmt.Sprint("p", i)))
		}
		o := &oracle{reg: reg, sets: sets, clauses: map[string][][]custody.Loss{}, doubts: map[string][][]custody.Loss{}}
		circle := custody.CircleOf(reg, sets...)
		for _, a := range reg.Accounts {
			ways, _ := circle.Ways(a)
			for _, w := range ways {
				for range r.IntN(3) {
					n := 1 + r.IntN(3)
					var clause []custody.Loss
					for _, i := range r.Perm(len(services))[:n] {
						clause = append(clause, services[i])
					}
					if r.IntN(3) == 0 {
						o.doubts[w.Name] = append(o.doubts[w.Name], clause)
					} else {
						o.clauses[w.Name] = append(o.clauses[w.Name], clause)
					}
				}
			}
		}
		s := circle.Survey(custody.Outlook{Services: services, Tenant: func(w *custody.Way, lost []custody.Loss) custody.Answer {
			x := &oracle{lost: lost, clauses: o.clauses, doubts: o.doubts}
			return []custody.Answer{custody.No, custody.Maybe, custody.Yes}[x.shut(w.Name, 2)]
		}})
		got := s.LossSets(3)
		sure, all := bruteSets(o, s.Losses(), 3, 0), bruteSets(o, s.Losses(), 3, 1)
		compare(t, "certain", told(got.Certain), sure)
		compareSome(t, o, s.Losses(), told(got.Possible), all)
		for _, set := range got.Certain {
			if len(set.Lost) > 1 && !slices.ContainsFunc(set.Lost, func(l custody.Loss) bool { return l.Kind != custody.LossPolicy }) {
				together++
			}
		}
	})
	if together == 0 {
		t.Error("no circle ends by policies that only together shut an account out")
	}
}

// Every set of people is tried; those who could open an account are the same.
func TestOpeningsAreThoseOfBruteForce(t *testing.T) {
	found := 0
	eachCircle(t, 2*many, func(t *testing.T, _ *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		circle := custody.CircleOf(reg, sets...)
		o := &oracle{reg: reg, sets: sets}
		var people []string
		for _, p := range circle.People() {
			people = append(people, p.Key)
		}
		for _, a := range reg.Accounts {
			got := circle.Openings(a)
			var lists [2]map[string]bool
			for i, found := range []bool{false, true} {
				lists[i] = map[string]bool{}
				for bits := 1; bits < 1<<len(people); bits++ {
					var set []string
					for j, p := range people {
						if bits>>j&1 == 1 {
							set = append(set, p)
						}
					}
					if !o.opens(circle, a, set, found) {
						continue
					}
					smallest := true
					for j := range set {
						smallest = smallest && !o.opens(circle, a, slices.Delete(slices.Clone(set), j, j+1), found)
					}
					if smallest {
						slices.Sort(set)
						lists[i][strings.Join(set, " + ")] = true
					}
				}
			}
			for k := range lists[1] {
				if lists[0][k] {
					delete(lists[1], k)
				}
			}
			compare(t, "certain", teams(got.Certain), lists[0])
			compare(t, "possible", teams(got.Possible), lists[1])
			found += len(lists[0])
			places, want := map[string]bool{}, map[string]bool{}
			for _, p := range got.Places {
				places[fmt.Sprint(fold(p.Place), " ", p.Certain)] = true
			}
			for _, p := range reg.Places {
				if is := o.together(circle, a, fold(p.Name)); is > 0 {
					want[fmt.Sprint(fold(p.Name), " ", is == 2)] = true
				}
			}
			compare(t, "places", places, want)
			if stranger := o.opens(circle, a, nil, true); stranger != (len(got.Unrecorded) > 0) {
				t.Errorf("somebody of whom nothing is recorded may open it: %v, told %q", stranger, got.Unrecorded)
			}
		}
	})
	if found < many/2 {
		t.Errorf("only %d sets of people: too few to mean anything", found)
	}
}

func teams(list []custody.Opening) map[string]bool {
	out := map[string]bool{}
	for _, x := range list {
		var names []string
		for _, n := range x.People {
			names = append(names, fold(n))
		}
		slices.Sort(names)
		out[strings.Join(names, " + ")] = true
	}
	return out
}

// Completes, which the checks ask, agrees with the sets of people.
func TestWhoCompletesAWayIsWhoOpensTheAccount(t *testing.T) {
	eachCircle(t, many, func(t *testing.T, _ *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		circle := custody.CircleOf(reg, sets...)
		for _, a := range reg.Accounts {
			ways, known := circle.AllWays(a)
			openings := circle.Openings(a)
			for _, actor := range circle.Actors() {
				best := custody.No
				for _, w := range ways {
					best = custody.Either(best, circle.Completes(actor, w))
				}
				holds := func(list []custody.Opening) bool {
					return slices.ContainsFunc(list, func(x custody.Opening) bool {
						return !slices.ContainsFunc(x.People, func(p string) bool { return !slices.Contains(actor.People, fold(p)) })
					})
				}
				want := custody.No
				if holds(openings.Certain) {
					want = custody.Yes
				} else if holds(openings.Possible) {
					want = custody.Maybe
				}
				if known && best != want {
					t.Errorf("%s: completes %v, by the sets %v", actor.Name, best, want)
				}
			}
		}
	})
}

// One more copy of a part is never a step back, and losing more never helps.
func TestCopiesOnlyHelpAndLossesOnlyHurt(t *testing.T) {
	rank := map[custody.Answer]int{custody.No: 0, custody.Maybe: 1, custody.Yes: 2}
	eachCircle(t, many, func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		before := custody.CircleOf(reg, sets...).Survey(custody.Outlook{})
		more := *reg
		for _, p := range reg.Parts {
			if k := p.Kind; (k == register.PartPIN || k == register.PartKey || k == register.PartCertificate) && p.Key != "" || k == register.PartPassword || k == register.PartToken {
				p.Holder, p.Place = reg.People[r.IntN(len(reg.People))].Name, reg.Places[r.IntN(len(reg.Places))].Name
				more.Parts = append(slices.Clone(reg.Parts), p)
			}
		}
		after := custody.CircleOf(&more, sets...).Survey(custody.Outlook{})
		subsets(before.Losses(), 2, func(set []custody.Loss) {
			if rank[after.After(set...)] < rank[before.After(set...)] {
				t.Errorf("one more copy: after {%s} it is %v, was %v", setName(set), after.After(set...), before.After(set...))
			}
			for i := range set {
				if less := slices.Delete(slices.Clone(set), i, i+1); rank[before.After(set...)] > rank[before.After(less...)] {
					t.Errorf("{%s} is better than {%s}", setName(set), setName(less))
				}
			}
		})
	})
}

// Somebody more who can open a place takes no set of people away.
func TestOpenersOnlyAddOpenings(t *testing.T) {
	eachCircle(t, many, func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		more := *reg
		more.Places = slices.Clone(reg.Places)
		at := r.IntN(len(more.Places))
		more.Places[at].Access = append(slices.Clone(more.Places[at].Access), "Zoe")
		for _, a := range reg.Accounts {
			after := custody.CircleOf(&more, sets...).Openings(a).Certain
			for _, x := range custody.CircleOf(reg, sets...).Openings(a).Certain {
				if !slices.ContainsFunc(after, func(y custody.Opening) bool {
					return !slices.ContainsFunc(y.People, func(p string) bool { return !slices.Contains(x.People, p) })
				}) {
					t.Errorf("%v could open it, and no longer can", x.People)
				}
			}
		}
	})
}

// Sets written short stand for exactly the sets that were given.
func TestProductsStandForTheirSets(t *testing.T) {
	eachCircle(t, many, func(t *testing.T, _ *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		certain := custody.CircleOf(reg, sets...).Survey(custody.Outlook{}).LossSets(3).Certain
		var lists [][]custody.Loss
		for _, s := range certain {
			lists = append(lists, s.Lost)
		}
		got := map[string]bool{}
		for _, p := range custody.Products(lists, func(l custody.Loss) string { return setName([]custody.Loss{l}) }) {
			all := [][]custody.Loss{{}}
			for _, choice := range p.Of {
				var next [][]custody.Loss
				for _, set := range all {
					for _, l := range choice {
						next = append(next, append(slices.Clone(set), l))
					}
				}
				all = next
			}
			for _, set := range all {
				if got[setName(set)] {
					t.Errorf("{%s} stands in two products", setName(set))
				}
				got[setName(set)] = true
			}
		}
		compare(t, "products", got, told(certain))
	})
}

// Two keys without a name may be copies of one, or two: the loss of one is not known
// to end it.
func TestKeysWithoutANameMayBeCopies(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000001"
	key := register.Part{Account: id, Kind: register.PartKey, Holder: "Ana"}
	reg := &register.Register{Accounts: []register.Account{{ID: id, Name: "a@x.onmicrosoft.com", Pattern: register.PatternFIDO2}},
		Parts: []register.Part{key, key, {Account: id, Kind: register.PartPIN, Holder: "Ben"}}}
	lost := custody.KeyLost(id, register.Key{}, 0)
	if got := custody.CircleOf(reg).Survey(custody.Outlook{}).After(lost); got != custody.Maybe {
		t.Errorf("with two keys it is %v", got)
	}
	reg.Parts = reg.Parts[1:]
	if got := custody.CircleOf(reg).Survey(custody.Outlook{}).After(lost); got != custody.No {
		t.Errorf("with one key it is %v", got)
	}
}

// A register with more ways and people than anybody could look through is answered,
// and the answer says that it was cut.
func TestALargeRegisterIsCutAndSaysSo(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000001"
	reg := &register.Register{Accounts: []register.Account{{ID: id, Pattern: register.PatternVault}}}
	for i := range 40 {
		at := register.Place{Name: fmt.Sprint("Place ", i)}
		for j := range 30 {
			at.Access = append(at.Access, fmt.Sprint("Person ", (7*i+j)%200))
		}
		reg.Places = append(reg.Places, at)
		reg.Parts = append(reg.Parts, register.Part{Account: id, Kind: register.PartShare, Needed: 20, Place: at.Name})
	}
	if o := custody.CircleOf(reg).Openings(reg.Accounts[0]); !o.Cut || o.TwoPeople() != custody.Maybe {
		t.Errorf("cut %v, takes two people: %v", o.Cut, o.TwoPeople())
	}
}

// A part that is not there is as a part that is lost.
func TestWhatIsGoneIsLostForGood(t *testing.T) {
	eachCircle(t, 60, func(t *testing.T, r *rand.Rand, reg *register.Register, sets []custody.SealedSet) {
		if len(reg.Parts) == 0 {
			return
		}
		at := r.IntN(len(reg.Parts))
		circle := custody.CircleOf(reg, sets...)
		whole, gone := circle.Survey(custody.Outlook{}), circle.Survey(custody.Outlook{Gone: map[int]string{at: "was found missing"}})
		lost := custody.Loss{Kind: custody.LossPart, ID: strconv.Itoa(at)}
		if !slices.ContainsFunc(whole.Losses(), func(l custody.Loss) bool { return l.Kind == lost.Kind && l.ID == lost.ID }) {
			// A key: it can only get worse.
			if worse := map[custody.Answer]int{custody.No: 0, custody.Maybe: 1, custody.Yes: 2}; worse[gone.After()] > worse[whole.After()] {
				t.Errorf("without part %d: %v, with it %v", at, gone.After(), whole.After())
			}
			return
		}
		subsets(whole.Singles(), 1, func(set []custody.Loss) {
			if got, want := gone.After(set...), whole.After(append(slices.Clone(set), lost)...); got != want {
				t.Errorf("part %d and %v: %v, want %v", at, set, got, want)
			}
		})
	})
}
