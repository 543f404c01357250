package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/register"
)

// AllWays are the ways by which somebody might open an account: those that its pattern
// has, passes, and others of which parts are recorded. known is that of Ways.
func (c *Circle) AllWays(a register.Account) (out []Way, known bool) {
	ways, known := c.Ways(a)
	return slices.Concat(ways, c.BriefWays(a), c.OtherWays(a)), known
}

// OtherWays are ways that the pattern of an account does not have, and of which parts
// are recorded: a password beside the keys, a key beside the password, and sealed sets
// that are void, whose old file and old shares still hold the secret. Whether the tenant
// lets them in is not known: they count for those who might open the account, and never
// for recovery.
func (c *Circle) OtherWays(a register.Account) []Way {
	pattern := patternOf(a)
	byPassword := slices.Contains([]register.Pattern{register.PatternOATH, register.PatternSplitPassword, register.PatternVault}, pattern)
	tokens := c.Parts(a.ID, register.PartToken)
	var out []Way
	add := func(ways []Way, as register.Pattern, is func(*Way) bool) (added bool) {
		for _, w := range ways {
			if is(&w) {
				w.Account, w.Pattern, w.Doubted, added = a.ID, as, true, true
				out = append(out, w)
			}
		}
		return added
	}
	thing := func(w *Way) bool { return w.Needs[0].recorded() }
	if pattern != register.PatternFIDO2 {
		add(c.keyWays(a, register.PatternFIDO2), register.PatternFIDO2, func(w *Way) bool {
			return thing(w) || pattern != register.PatternCertificate && w.Needs[1].recorded()
		})
	}
	if pattern != register.PatternCertificate {
		add(c.keyWays(a, register.PatternCertificate), register.PatternCertificate, thing)
	}
	if !byPassword && !add(c.passwordWays(a), register.PatternVault, (*Way).recorded) {
		add(withToken([]Way{passwordAlone()}, tokens), register.PatternOATH, (*Way).recorded)
	}
	for _, id := range c.voidSets(a) {
		ways := c.whenItWasGood(a, id).passwordWays(a)
		for i := range ways {
			ways[i].Name += " of set " + id + ", which is void"
		}
		if pattern == register.PatternOATH {
			ways = withToken(ways, tokens)
		}
		add(ways, register.PatternVault, (*Way).recorded)
	}
	return out
}

// patternOf is how an account signs in, by its keys where nothing else is recorded.
func patternOf(a register.Account) register.Pattern {
	if a.Pattern == register.PatternUnknown && len(a.Keys) > 0 {
		return register.PatternFIDO2
	}
	return a.Pattern
}

// recorded reports whether any part of a need, or of a way, is.
func (n *Need) recorded() bool { return len(n.Copies)+len(n.Perhaps) > 0 }

func (w *Way) recorded() bool {
	return slices.ContainsFunc(w.All(), func(n Need) bool { return n.recorded() })
}

// voidSets are the ids of the void sets of which parts of an account are recorded.
func (c *Circle) voidSets(a register.Account) (out []string) {
	for _, kind := range sealedKinds {
		for _, p := range c.Parts(a.ID, kind) {
			id := setKey(p.Set)
			if s := c.sealedSet(id); s != nil && s.Voided && !slices.Contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}

// whenItWasGood is a circle with one void set as it was, and nothing else.
func (c *Circle) whenItWasGood(a register.Account, id string) *Circle {
	was := *c.sealedSet(id)
	was.Voided = false
	var parts []register.Part
	for _, kind := range sealedKinds {
		for _, p := range c.Parts(a.ID, kind) {
			if setKey(p.Set) == id {
				parts = append(parts, *p)
			}
		}
	}
	return CircleOf(&register.Register{People: c.reg.People, Parts: parts}, was)
}

// Unrecorded says what is not recorded where somebody of whom nothing is recorded may
// have all that a way takes; "" where somebody who is recorded is needed.
func (c *Circle) Unrecorded(w *Way) string {
	_, least := w.shares()
	var has, opens []string
	open := 0
	for i, n := range w.All() {
		_, _, nobody := c.reachersOf(n)
		switch {
		case n.Unsure: // and nobody has to
			continue
		case !nobody && i < len(w.Needs):
			return ""
		case !nobody:
			continue
		case i >= len(w.Needs):
			open++
		}
		if place := c.unopened(n); place != "" {
			opens = append(opens, place)
		} else {
			has = append(has, n.What)
		}
	}
	if open < least || len(has)+len(opens) == 0 {
		return ""
	}
	var out []string
	for _, of := range []struct {
		verb string
		list []string
	}{{"who has ", has}, {"who opens ", opens}} {
		var once []string
		for _, what := range of.list {
			if !slices.Contains(once, what) {
				once = append(once, what)
			}
		}
		if len(once) > 0 {
			out = append(out, of.verb+strings.Join(once, " and "))
		}
	}
	return strings.Join(out, ", and ") + " is not recorded"
}

// unopened is the place of a copy where nobody knows who opens it; "" there is none.
func (c *Circle) unopened(n Need) string {
	for _, p := range slices.Concat(n.Copies, n.Perhaps) {
		if _, unknown := c.hands(p); unknown && strings.TrimSpace(p.Place) != "" {
			return strings.TrimSpace(p.Place)
		}
	}
	return ""
}

// Together is a place that holds all of a way to open an account, whoever opens it.
type Together struct {
	Place string `json:"place"`
	Way   string `json:"way"`
	// Certain: by what is recorded; otherwise perhaps.
	Certain bool `json:"certain"`
}

// Together lists the places that hold all of a way, each once: for certain where it is.
func (c *Circle) Together(a register.Account) []Together {
	ways, _ := c.AllWays(a)
	out := []Together{}
	places := map[string]string{}
	for i := range ways {
		for _, n := range ways[i].All() {
			for _, p := range slices.Concat(n.Copies, n.Perhaps) {
				if k := register.NameKey(p.Place); k != "" && places[k] == "" {
					places[k] = strings.TrimSpace(p.Place)
				}
			}
		}
		for place, name := range places {
			is := ways[i].liesIn(place)
			if is == No {
				continue
			}
			one := Together{name, ways[i].Name, is == Yes}
			if at := slices.IndexFunc(out, func(x Together) bool { return register.NameKey(x.Place) == place }); at < 0 {
				out = append(out, one)
			} else if one.Certain && !out[at].Certain {
				out[at] = one
			}
		}
	}
	slices.SortFunc(out, func(a, b Together) int { return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Way, b.Way)) })
	return out
}

// liesIn is whether one place holds all of a way. What only its holder's key opens is
// not all there.
func (w *Way) liesIn(place string) Answer {
	count := func(needs []Need) (sure, perhaps int) {
		for _, n := range needs {
			lies := func(p *register.Part) bool { return n.Only == "" && register.NameKey(p.Place) == place }
			all := !n.OneOf || !slices.ContainsFunc(n.Copies, func(p *register.Part) bool { return !lies(p) })
			if all && slices.ContainsFunc(n.Copies, func(p *register.Part) bool { return lies(p) && !Locked(p) }) {
				sure++
			} else if n.Unsure || slices.ContainsFunc(slices.Concat(n.Copies, n.Perhaps), lies) {
				perhaps++
			}
		}
		return sure, perhaps
	}
	sure, perhaps := count(w.Needs)
	shares, more := count(w.Shares)
	enough, least := w.shares()
	switch {
	case sure+perhaps < len(w.Needs), shares+more < least, len(w.Needs)+len(w.Shares) == 0:
		return No
	case !w.Doubted && sure == len(w.Needs) && shares >= enough:
		return Yes
	}
	return Maybe
}
