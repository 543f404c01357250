package posture

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// A kit is one way to sign in with an account: everything in it is needed, and for
// each need one of the parts that stand for it is enough.
type kit struct {
	name  string
	needs []need
	// key is the key that the kit rests on, the so many-th of the account; -1 for
	// kits without one.
	key int
	of  register.Key
	// quorum: the needs are shares of which some suffice; how many is not in the
	// register, and never one.
	quorum bool
}

// need is a part of a kit, in one or more copies. One without parts is needed and
// was not recorded: whoever holds the rest may have it.
type need struct {
	what  string
	parts []*register.Part
}

// keyIs reports whether a key is called by a name: its label, serial or id.
func keyIs(k register.Key, name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && (strings.EqualFold(k.Label, name) || strings.EqualFold(k.Serial, name) || strings.EqualFold(k.ID, name))
}

// partsOf returns the parts of an account of one kind.
func (c *Case) partsOf(account entra.ID, kind register.PartKind) []*register.Part {
	var out []*register.Part
	parts := c.Register.Or().Parts
	for i := range parts {
		if parts[i].Account.Equal(account) && parts[i].Kind == kind {
			out = append(out, &parts[i])
		}
	}
	return out
}

// about picks the parts that belong to a key; one that names no key belongs to all.
func about(parts []*register.Part, k register.Key) []*register.Part {
	var out []*register.Part
	for _, p := range parts {
		if p.Key == "" || keyIs(k, p.Key) {
			out = append(out, p)
		}
	}
	return out
}

// keysInCustody are the keys of an account: those registered, and those that only
// custody knows.
func (c *Case) keysInCustody(a register.Account) []register.Key {
	keys := slices.Clone(a.Keys)
	for _, p := range slices.Concat(c.partsOf(a.ID, register.PartKey), c.partsOf(a.ID, register.PartCertificate)) {
		if !slices.ContainsFunc(keys, func(k register.Key) bool { return p.Key == "" || keyIs(k, p.Key) }) {
			keys = append(keys, register.Key{Label: p.Key})
		}
	}
	return keys
}

// kits lists the ways to sign in with an account as its pattern has them. A pass
// is left out: it does not last. known is false where the register does not say
// how the account signs in, or where no part of custody opens it.
func (c *Case) kits(a register.Account) (out []kit, known bool) {
	pattern := a.Pattern
	if pattern == register.PatternUnknown && len(a.Keys) > 0 {
		pattern = register.PatternFIDO2
	}
	switch pattern {
	case register.PatternFIDO2, register.PatternCertificate:
		kind := register.PartKey
		if pattern == register.PatternCertificate {
			kind = register.PartCertificate
		}
		// Entra asks a key for user verification, so the PIN is always a part of it.
		pins := c.partsOf(a.ID, register.PartPIN)
		keys := c.keysInCustody(a)
		for i, k := range keys {
			name := cmp.Or(k.Label, k.Serial, k.ID, string(kind))
			own := about(c.partsOf(a.ID, kind), k)
			if len(keys) > 1 {
				// A part that names no key is one of them, not all.
				own = slices.DeleteFunc(own, func(p *register.Part) bool { return p.Key == "" })
			}
			out = append(out, kit{name: name, key: i, of: k, needs: []need{{string(kind) + " " + name, own}, {"the PIN of " + name, about(pins, k)}}})
		}
	case register.PatternOATH:
		for _, k := range c.passwordKits(a) {
			k.needs = append(k.needs, need{"the token", c.partsOf(a.ID, register.PartToken)})
			out = append(out, k)
		}
	case register.PatternSplitPassword, register.PatternVault:
		out = c.passwordKits(a)
	default:
		return nil, false
	}
	return out, len(out) > 0
}

// passwordKits are the ways to the password: whole, from halves, from shares.
func (c *Case) passwordKits(a register.Account) []kit {
	var out []kit
	if whole := c.partsOf(a.ID, register.PartPassword); len(whole) > 0 {
		out = append(out, kit{name: "the password", key: -1, needs: []need{{"the password", whole}}})
	}
	for _, of := range []struct {
		kind   register.PartKind
		quorum bool
	}{{register.PartPasswordHalf, false}, {register.PartShare, true}} {
		k := kit{name: "the password in parts", key: -1, quorum: of.quorum}
		for _, p := range c.partsOf(a.ID, of.kind) {
			k.needs = append(k.needs, need{string(of.kind), []*register.Part{p}})
		}
		if len(k.needs) > 0 {
			out = append(out, k)
		}
	}
	if len(out) == 0 {
		out = append(out, kit{name: "the password", key: -1, needs: []need{{what: "the password"}}})
	}
	return out
}

// --- who can get what -----------------------------------------------------------

func personKey(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func (c *Case) place(name string) *register.Place {
	places := c.Register.Or().Places
	for i := range places {
		if strings.EqualFold(strings.TrimSpace(places[i].Name), strings.TrimSpace(name)) {
			return &places[i]
		}
	}
	return nil
}

// reachers are all who could lay hands on a part: who holds it, and whoever can
// open the place. A seal shows that it was done and does not prevent it.
func (c *Case) reachers(p *register.Part) []string {
	var out []string
	add := func(name string) {
		if k := personKey(name); k != "" && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	add(p.Holder)
	if at := c.place(p.Place); at != nil {
		for _, a := range at.Access {
			add(a)
		}
	}
	return out
}

// openers are those on whom one can count to fetch a part: who can open the place
// where it lies, and the holder only where the place says nothing.
func (c *Case) openers(p *register.Part) []string {
	if at := c.place(p.Place); at != nil && len(at.Access) > 0 {
		var out []string
		for _, a := range at.Access {
			out = append(out, personKey(a))
		}
		return out
	}
	if p.Holder == "" {
		return nil
	}
	return []string{personKey(p.Holder)}
}

// actor is a person, or people who are not independent of each other.
type actor struct {
	name   string
	people []string
}

// actors are every person, every role, and every line: a manager with those
// directly below, and a person with all managers above.
func (c *Case) actors() []actor {
	reg := c.Register.Or()
	var out []actor
	names := map[string]string{}
	var order []string
	person := func(name string) {
		if k := personKey(name); k != "" && names[k] == "" {
			names[k] = strings.TrimSpace(name)
			order = append(order, k)
		}
	}
	above := map[string]string{}
	below, roles := map[string][]string{}, map[string][]string{}
	for _, h := range reg.People {
		person(h.Name)
		person(h.Manager)
		k, m := personKey(h.Name), personKey(h.Manager)
		if m != "" {
			above[k] = m
			below[m] = append(below[m], k)
		}
		if r := personKey(h.Title); r != "" {
			roles[r] = append(roles[r], k)
		}
	}
	for _, p := range reg.Places {
		for _, a := range p.Access {
			person(a)
		}
	}
	for _, p := range reg.Parts {
		person(p.Holder)
	}
	for _, k := range order {
		out = append(out, actor{names[k], []string{k}})
	}
	for _, k := range order {
		if len(below[k]) > 0 {
			out = append(out, actor{names[k] + " and those who report to " + names[k], append([]string{k}, below[k]...)})
		}
		line := []string{k}
		for m := above[k]; m != "" && !slices.Contains(line, m); m = above[m] {
			line = append(line, m)
		}
		if len(line) > 2 {
			out = append(out, actor{names[k] + " and the managers above", line})
		}
	}
	for _, h := range reg.People {
		r := personKey(h.Title)
		if len(roles[r]) > 1 && roles[r][0] == personKey(h.Name) {
			out = append(out, actor{"the role " + strings.TrimSpace(h.Title), roles[r]})
		}
	}
	return out
}

// completes reports whether an actor can bring a kit together.
func (c *Case) completes(a actor, k kit) answer {
	has, open := 0, 0
	for _, n := range k.needs {
		reached, nobody := false, len(n.parts) == 0
		for _, p := range n.parts {
			who := c.reachers(p)
			nobody = nobody || len(who) == 0
			reached = reached || slices.ContainsFunc(who, func(w string) bool { return slices.Contains(a.people, w) })
		}
		switch {
		case reached:
			has++
		case nobody:
			open++ // nobody knows who has it: it may be this one
		}
	}
	switch {
	case has == 0:
		return no
	case has == len(k.needs) && len(k.needs) > 0:
		return yes
	case k.quorum && has+open >= 2, has+open == len(k.needs):
		return maybe
	}
	return no
}

// --- losses ----------------------------------------------------------------------

// loss is what is gone at once.
type loss struct {
	name   string
	places []string
	people []string
	// account of the key that is lost, the key itself and which one it is; for
	// other losses the account is empty.
	account entra.ID
	of      register.Key
	key     int
}

// losses are one place, one key, one person, two people.
func (c *Case) losses() []loss {
	reg := c.Register.Or()
	var out []loss
	for _, p := range reg.Places {
		out = append(out, loss{name: p.Name, places: []string{personKey(p.Name)}})
	}
	for _, a := range reg.Accounts {
		for i, k := range c.keysInCustody(a) {
			out = append(out, loss{name: strings.TrimSpace("key " + cmp.Or(k.Label, k.Serial, k.ID)), account: a.ID, of: k, key: i})
		}
	}
	var people []actor
	for _, a := range c.actors() {
		if len(a.people) == 1 {
			people = append(people, a)
			out = append(out, loss{name: a.name, people: a.people})
		}
	}
	for i := range people {
		for j := i + 1; j < len(people); j++ {
			out = append(out, loss{name: people[i].name + " and " + people[j].name, people: []string{people[i].people[0], people[j].people[0]}})
		}
	}
	return out
}

// survives reports whether a kit of an account can still be brought together.
func (c *Case) survives(account entra.ID, k kit, l loss) answer {
	if l.account != "" && k.key >= 0 {
		switch {
		case l.account.Equal(account) && l.key == k.key && k.of == (register.Key{}) && len(k.needs[0].parts) > 1:
			return maybe // parts without a name may be copies, or different keys
		case l.account.Equal(account) && l.key == k.key,
			l.of.Serial != "" && strings.EqualFold(l.of.Serial, k.of.Serial) && strings.EqualFold(l.of.AAGUID, k.of.AAGUID):
			return no
		}
	}
	left, open := 0, 0
	for _, n := range k.needs {
		got := no
		if len(n.parts) == 0 {
			got = maybe // not recorded: somebody may have it
		}
		for _, p := range n.parts {
			got = either(got, c.fetchable(p, l))
		}
		switch got {
		case yes:
			left++
		case maybe:
			open++
		}
	}
	switch {
	case left == len(k.needs):
		return yes
	case left+open == len(k.needs), k.quorum && left+open >= 2:
		return maybe
	}
	return no
}

func (c *Case) fetchable(p *register.Part, l loss) answer {
	if p.Place != "" && slices.Contains(l.places, personKey(p.Place)) {
		return no
	}
	who := c.openers(p)
	if len(who) == 0 {
		return maybe
	}
	if slices.ContainsFunc(who, func(w string) bool { return !slices.Contains(l.people, w) }) {
		return yes
	}
	return no
}
