package custody_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// The oracle judges one set of losses by the words of the rules, slowly and with
// nothing of the package but the names of losses. An answer is 0 no, 1 maybe, 2 yes.

type oracle struct {
	reg  *register.Register
	lost []custody.Loss
	// clauses shut a way out in the tenant: all losses of one of them together.
	clauses map[string][][]custody.Loss
}

func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (o *oracle) gone(kind custody.LossKind, id string) bool {
	return slices.ContainsFunc(o.lost, func(l custody.Loss) bool { return l.Kind == kind && l.ID == id })
}

func (o *oracle) recoverable() int {
	best := 0
	for _, a := range o.reg.Accounts {
		best = max(best, o.account(a))
	}
	return best
}

func (o *oracle) account(a register.Account) int {
	if o.gone(custody.LossAccount, a.ID.Key()) {
		return 0
	}
	base := 2
	_, domain, _ := strings.Cut(fold(a.Name), "@")
	if _, known := custody.CircleOf(o.reg).Ways(a); o.clauses == nil || !known { // the tenant is asked of ways
		for _, g := range o.reg.Groups {
			if g.Use == register.GroupExclusion && o.gone(custody.LossGroup, g.ID.Key()) {
				base = min(base, 1)
			}
		}
		switch {
		case domain == "":
			if o.gone(custody.LossDomain, "") || o.gone(custody.LossFederation, "") {
				base = min(base, 1)
			}
		case !strings.HasSuffix(domain, ".onmicrosoft.com"):
			if o.gone(custody.LossDomain, domain) {
				base = 0
			}
			if o.gone(custody.LossFederation, "") {
				base = min(base, 1)
			}
		}
		for _, p := range o.reg.Policies {
			if p.Treatment != register.TreatmentIrrelevant && o.gone(custody.LossPolicy, p.ID.Key()) {
				base = min(base, 1)
			}
		}
	}
	net := o.internet()
	pattern := a.Pattern
	if pattern == "" && len(a.Keys) > 0 {
		pattern = register.PatternFIDO2
	}
	best := 0
	switch pattern {
	case register.PatternFIDO2, register.PatternCertificate:
		best = o.byKeys(a, pattern)
	case register.PatternOATH:
		if o.gone(custody.LossMethod, "hardwareoath") || o.gone(custody.LossMFA, "") {
			return 0
		}
		token := o.anyOf(a.ID, register.PartToken, nil)
		for _, w := range o.passwords(a) {
			best = max(best, o.shut(w.name+" and the token", min(w.is, token)))
		}
	case register.PatternSplitPassword, register.PatternVault:
		for _, w := range o.passwords(a) {
			if o.gone(custody.LossMFA, "") {
				w.is = min(w.is, 1)
			}
			best = max(best, o.shut(w.name, w.is))
		}
	default:
		return min(base, net, 1)
	}
	return min(base, net, best)
}

// shut applies the tenant's clauses to a way.
func (o *oracle) shut(way string, is int) int {
	for _, clause := range o.clauses[way] {
		all := true
		for _, l := range clause {
			all = all && o.gone(l.Kind, l.ID)
		}
		if all {
			return 0
		}
	}
	return is
}

func (o *oracle) internet() int {
	sites, left := map[string]bool{}, false
	for _, p := range o.reg.Places {
		if s := fold(p.Site); s != "" {
			sites[s] = true
			left = left || !o.gone(custody.LossInternet, s) && !o.gone(custody.LossSite, s)
		}
	}
	if len(sites) > 0 && !left {
		return 1
	}
	return 2
}

func named(k register.Key) string {
	for _, s := range []string{k.Label, k.Serial, k.ID} {
		if s != "" {
			return s
		}
	}
	return ""
}

func (o *oracle) byKeys(a register.Account, pattern register.Pattern) int {
	kind, method := register.PartKey, "fido2"
	if pattern == register.PatternCertificate {
		kind, method = register.PartCertificate, "x509certificate"
	}
	if o.gone(custody.LossMethod, method) {
		return 0
	}
	keys := slices.Clone(a.Keys)
	for _, p := range o.reg.Parts {
		if p.Account == a.ID && p.Kind == kind && !slices.ContainsFunc(keys, func(k register.Key) bool { return p.Key == "" || custody.KeyIs(k, p.Key) }) {
			keys = append(keys, register.Key{Label: p.Key})
		}
	}
	if len(keys) == 0 {
		return 1 // it has keys somewhere, or it would not be an account
	}
	best := 0
	for i, k := range keys {
		is := 2
		var things []int
		for j, p := range o.reg.Parts {
			if p.Account == a.ID && p.Kind == kind && (p.Key == "" && len(keys) == 1 || custody.KeyIs(k, p.Key)) {
				things = append(things, j)
			}
		}
		thing := 1
		if len(things) > 0 {
			thing = 0
			for _, j := range things {
				thing = max(thing, o.fetched(j, k == (register.Key{})))
			}
		}
		pin := o.anyOf(a.ID, register.PartPIN, func(p *register.Part) bool { return p.Key == "" || custody.KeyIs(k, p.Key) })
		id := fmt.Sprintf("%s/%d", a.ID.Key(), i)
		if k.Serial != "" {
			id = fold(k.Serial) + "/" + fold(k.AAGUID)
		}
		if o.gone(custody.LossKey, id) {
			if k == (register.Key{}) && len(things) > 1 {
				is = 1
			} else {
				is = 0
			}
		}
		if pattern == register.PatternFIDO2 {
			switch {
			case k.AAGUID != "":
				if o.gone(custody.LossModel, fold(k.AAGUID)) {
					is = 0
				}
			default: // its model was not recorded: it may be any
				if slices.ContainsFunc(o.lost, func(l custody.Loss) bool { return l.Kind == custody.LossModel }) {
					is = min(is, 1)
				}
			}
		} else if o.gone(custody.LossPKI, "") {
			is = min(is, 1)
		}
		best = max(best, o.shut(named(k), min(is, thing, pin)))
	}
	return best
}

// passwordWay is a way to the password.
type passwordWay struct {
	name string
	is   int
}

func (o *oracle) passwords(a register.Account) []passwordWay {
	var out []passwordWay
	recorded := func(kind register.PartKind) (list []int) {
		for j, p := range o.reg.Parts {
			if p.Account == a.ID && p.Kind == kind {
				list = append(list, j)
			}
		}
		return list
	}
	if len(recorded(register.PartPassword)) > 0 {
		out = append(out, passwordWay{"the password", o.anyOf(a.ID, register.PartPassword, nil)})
	}
	for _, kind := range []register.PartKind{register.PartPasswordHalf, register.PartShare} {
		list := recorded(kind)
		if len(list) == 0 {
			continue
		}
		needed := 0
		sure, perhaps := 0, 0
		for _, j := range list {
			needed = max(needed, o.reg.Parts[j].Needed)
			switch o.fetched(j, true) {
			case 2:
				sure, perhaps = sure+1, perhaps+1
			case 1:
				perhaps++
			}
		}
		elsewhere := max(0, max(needed, 2)-len(list)) // that are not recorded
		perhaps += elsewhere
		least, enough := needed, needed
		if needed == 0 {
			least, enough = 2, len(list)+elsewhere
		}
		is := 0
		switch {
		case sure >= enough:
			is = 2
		case perhaps >= least:
			is = 1
		}
		out = append(out, passwordWay{"the password in parts", is})
	}
	if len(out) == 0 {
		out = append(out, passwordWay{"the password", 1})
	}
	return out
}

// anyOf is whether one of the parts of a kind can be fetched; maybe where none is
// recorded.
func (o *oracle) anyOf(account entra.ID, kind register.PartKind, is func(*register.Part) bool) int {
	best, some := 0, false
	for j := range o.reg.Parts {
		if p := &o.reg.Parts[j]; p.Account == account && p.Kind == kind && (is == nil || is(p)) {
			some = true
			best = max(best, o.fetched(j, true))
		}
	}
	if !some {
		return 1
	}
	return best
}

// fetched is whether a part is there and somebody can fetch it.
func (o *oracle) fetched(j int, part bool) int {
	p := &o.reg.Parts[j]
	if part && o.gone(custody.LossPart, fmt.Sprint(j)) {
		return 0
	}
	openers := []string{}
	most := 2
	if p.Place != "" {
		if o.gone(custody.LossPlace, fold(p.Place)) {
			return 0
		}
		for _, at := range o.reg.Places {
			if at.Name == p.Place {
				if at.Site != "" && o.gone(custody.LossSite, fold(at.Site)) {
					return 0
				}
				if at.Site == "" {
					for _, other := range o.reg.Places {
						if other.Site != "" && o.gone(custody.LossSite, fold(other.Site)) {
							most = 1 // it may be at that site
						}
					}
				}
				openers = at.Access
			}
		}
	}
	if len(openers) == 0 && p.Holder != "" {
		openers = []string{p.Holder}
	}
	if len(openers) == 0 {
		return 1
	}
	best := 0
	for _, name := range openers {
		best = max(best, o.person(name))
	}
	return min(best, most)
}

func (o *oracle) person(name string) int {
	if o.gone(custody.LossPerson, fold(name)) {
		return 0
	}
	var reach []string
	for _, h := range o.reg.People {
		if fold(h.Name) == fold(name) {
			reach = h.Reach
		}
	}
	phone, mail := o.gone(custody.LossPhone, ""), o.gone(custody.LossMail, "")
	if len(reach) == 0 && (phone || mail) {
		return 1
	}
	if len(reach) == 0 {
		return 2
	}
	for _, r := range reach { // those that the generator makes
		switch {
		case strings.HasPrefix(r, "+"):
			if !phone {
				return 2
			}
		case strings.Contains(r, "@"):
			if !mail {
				return 2
			}
		default:
			return 2
		}
	}
	return 1
}

// opens is whether people could open an account: by what is recorded (2), or with
// whoever has what is not (1).
func (o *oracle) opens(c *custody.Circle, a register.Account, people []string, found bool) bool {
	ways, _ := c.Ways(a)
	for _, w := range append(ways, c.BriefWays(a)...) {
		ok, some := len(w.Needs)+len(w.Shares) > 0, false
		for _, n := range w.Needs {
			reached, nobody := o.reached(n, people)
			ok = ok && (reached || found && nobody)
			some = some || reached
		}
		has := 0
		for _, n := range w.Shares {
			reached, nobody := o.reached(n, people)
			some = some || reached
			if reached || found && nobody {
				has++
			}
		}
		take := len(w.Shares)
		switch {
		case w.Enough > 0:
			take = w.Enough
		case found:
			take = min(2, take)
		}
		if ok && has >= take && some {
			return true
		}
	}
	return false
}

// reached is whether one of some people has a copy of a need, and whether it is not
// recorded who has one.
func (o *oracle) reached(n custody.Need, people []string) (reached, nobody bool) {
	nobody = len(n.Copies) == 0
	for _, p := range n.Copies {
		who := []string{}
		if p.Holder != "" {
			who = append(who, fold(p.Holder))
		}
		for _, at := range o.reg.Places {
			if p.Place != "" && fold(at.Name) == fold(p.Place) {
				for _, x := range at.Access {
					who = append(who, fold(x))
				}
			}
		}
		nobody = nobody || len(who) == 0
		for _, x := range who {
			reached = reached || slices.Contains(people, x)
		}
	}
	return reached, nobody
}

// randomCircle makes a small register, with gaps.
func randomCircle(r *rand.Rand) *register.Register {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	reg := &register.Register{Version: 1}
	names := []string{"Ana", "Ben", "Cleo", "Dan", "Eve"}[:2+r.IntN(4)]
	for i, n := range names {
		p := register.Person{Name: n, Title: pick("", "", "Clerk", "Guard")}
		if i > 0 && r.IntN(3) == 0 {
			p.Manager = names[r.IntN(i)]
		}
		for range r.IntN(3) {
			p.Reach = append(p.Reach, pick("+351 20 123 4567", "x@mail.example", "at the door"))
		}
		reg.People = append(reg.People, p)
	}
	for i := range 1 + r.IntN(3) {
		p := register.Place{Name: fmt.Sprint("Place ", i+1), Site: pick("", "North", "South"), OffSite: r.IntN(2) == 0}
		for _, n := range names {
			if r.IntN(3) == 0 {
				p.Access = append(p.Access, n)
			}
		}
		reg.Places = append(reg.Places, p)
	}
	if r.IntN(3) == 0 {
		reg.Groups = []register.Group{{ID: "00000000-0000-4000-8000-00000000000a", Name: "Excluded", Use: register.GroupExclusion}}
	}
	if r.IntN(4) == 0 {
		reg.Policies = []register.Policy{{ID: "00000000-0000-4000-8000-00000000000b", Name: "CA1", Treatment: register.Treatment(pick("excluded", "irrelevant", "included"))}}
	}
	part := func(account entra.ID, kind register.PartKind, key string) {
		p := register.Part{Account: account, Kind: kind, Key: key}
		if r.IntN(6) > 0 {
			p.Holder = names[r.IntN(len(names))]
		}
		if r.IntN(6) > 0 {
			p.Place = reg.Places[r.IntN(len(reg.Places))].Name
		}
		if kind == register.PartShare && r.IntN(2) == 0 || kind == register.PartPasswordHalf && r.IntN(5) == 0 {
			p.Needed = 2 + r.IntN(2)
		}
		reg.Parts = append(reg.Parts, p)
	}
	for i := range 1 + r.IntN(2) {
		a := register.Account{ID: entra.ID(fmt.Sprintf("00000000-0000-4000-8000-00000000000%d", i+1)), Name: pick("a@x.onmicrosoft.com", "a@contoso.example", "")}
		a.Pattern = register.Pattern(pick("fido2", "fido2", "fido2", "certificate", "oath", "splitPassword", "vault", ""))
		switch a.Pattern {
		case register.PatternFIDO2, register.PatternCertificate, "":
			for j := range r.IntN(3) {
				label := fmt.Sprintf("K%d%d", i, j)
				a.Keys = append(a.Keys, register.Key{Label: label, AAGUID: pick("", "aa-1", "aa-2"), Serial: pick("", "", "77")})
				kind := register.PartKey
				if a.Pattern == register.PatternCertificate {
					kind = register.PartCertificate
				}
				for range r.IntN(3) {
					part(a.ID, kind, pick(label, label, label, ""))
				}
				for range r.IntN(3) {
					part(a.ID, register.PartPIN, pick(label, label, ""))
				}
			}
		default:
			for range r.IntN(2) {
				part(a.ID, register.PartPassword, "")
			}
			for range r.IntN(4) {
				part(a.ID, register.PartPasswordHalf, "")
			}
			for range r.IntN(5) {
				part(a.ID, register.PartShare, "")
			}
			for range r.IntN(3) {
				part(a.ID, register.PartToken, "")
			}
		}
		if r.IntN(6) == 0 {
			part(a.ID, register.PartTAP, "")
		}
		if r.IntN(4) == 0 { // keys that only custody knows, some without a name
			a.Keys = nil
		}
		reg.Accounts = append(reg.Accounts, a)
	}
	return reg
}
