package custody_test

import (
	"fmt"
	"maps"
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
	sets []custody.SealedSet
	lost []custody.Loss
	// clauses shut a way out in the tenant: all losses of one of them together. doubts
	// perhaps do.
	clauses, doubts map[string][][]custody.Loss
}

func fold(s string) string {
	out, has := folded[s]
	if !has {
		out = strings.ToLower(strings.TrimSpace(s))
		folded[s] = out
	}
	return out
}

var folded = map[string]string{} // the oracle asks the same names over and over

func (o *oracle) gone(kind custody.LossKind, id string) bool {
	return slices.ContainsFunc(o.lost, func(l custody.Loss) bool { return l.Kind == kind && l.ID == id })
}

func (o *oracle) recoverable() int {
	best := 0
	for _, a := range o.reg.Accounts {
		if best = max(best, o.account(a)); best == 2 {
			break
		}
	}
	return best
}

func (o *oracle) account(a register.Account) int {
	if o.gone(custody.LossAccount, a.ID.Key()) {
		return 0
	}
	base := 2
	_, domain, _ := strings.Cut(fold(a.Name), "@")
	if o.clauses == nil || !o.waysKnown(a) { // the tenant is asked of ways
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

// waysKnown reports whether the register says how an account signs in.
func (o *oracle) waysKnown(a register.Account) bool {
	switch a.Pattern {
	case register.PatternOATH, register.PatternSplitPassword, register.PatternVault:
		return true
	case register.PatternCertificate:
		return o.byKey(a, register.PartCertificate)
	case register.PatternFIDO2:
		return o.byKey(a, register.PartKey)
	}
	return len(a.Keys) > 0
}

// keys are the keys of an account, also those that only custody knows, of whatever kind.
func (o *oracle) keys(a register.Account) []register.Key {
	keys := slices.Clone(a.Keys)
	for _, kind := range []register.PartKind{register.PartKey, register.PartCertificate} {
		for _, p := range o.reg.Parts {
			if p.Account == a.ID && p.Kind == kind && !slices.ContainsFunc(keys, func(k register.Key) bool { return p.Key == "" || custody.KeyIs(k, p.Key) }) {
				keys = append(keys, register.Key{Label: p.Key})
			}
		}
	}
	return keys
}

// opensBy reports whether an account signs in by one of its keys: one that it registers,
// or of which custody has a part of the kind.
func (o *oracle) opensBy(a register.Account, at int, k register.Key, kind register.PartKind) bool {
	return at < len(a.Keys) || slices.ContainsFunc(o.reg.Parts, func(p register.Part) bool {
		return p.Account == a.ID && p.Kind == kind && (p.Key == "" || custody.KeyIs(k, p.Key))
	})
}

func (o *oracle) byKey(a register.Account, kind register.PartKind) bool {
	for i, k := range o.keys(a) {
		if o.opensBy(a, i, k, kind) {
			return true
		}
	}
	return false
}

// shut applies the tenant's clauses to a way.
func (o *oracle) shut(way string, is int) int {
	holds := func(clause []custody.Loss) bool {
		return !slices.ContainsFunc(clause, func(l custody.Loss) bool { return !o.gone(l.Kind, l.ID) })
	}
	switch {
	case slices.ContainsFunc(o.clauses[way], holds):
		return 0
	case slices.ContainsFunc(o.doubts[way], holds):
		return min(is, 1)
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
	keys := o.keys(a)
	if !o.byKey(a, kind) {
		return 1 // it has keys somewhere, or it would not be an account
	}
	best := 0
	for i, k := range keys {
		if !o.opensBy(a, i, k, kind) {
			continue
		}
		is := 2
		thing, things := o.ofKey(a.ID, kind, k, keys, k == (register.Key{}))
		pin, _ := o.ofKey(a.ID, register.PartPIN, k, keys, true)
		switch o.takesKey(fmt.Sprintf("%s/%d", a.ID.Key(), i), k) {
		case 2:
			is = 0
			if k == (register.Key{}) && things > 1 {
				is = 1
			}
		case 1:
			is = 1
		}
		if pattern == register.PatternFIDO2 {
			for _, l := range o.lost {
				if l.Kind == custody.LossModel {
					is = min(is, 2-o.takesModel(l.ID, k))
				}
			}
		} else if o.gone(custody.LossPKI, "") {
			is = min(is, 1)
		}
		name := named(k)
		if name == "" {
			name = string(kind)
		}
		best = max(best, o.shut(name, min(is, thing, pin)))
	}
	return best
}

// ofKey is whether a part of a key can be fetched. A part that names no key, or a name
// of several, may be of any of them; a key that no part surely belongs to has one that
// nobody wrote down. n counts those that are surely of it.
func (o *oracle) ofKey(account entra.ID, kind register.PartKind, k register.Key, keys []register.Key, part bool) (is, n int) {
	calls := func(p *register.Part, k register.Key) bool { return p.Key == "" || custody.KeyIs(k, p.Key) }
	for j := range o.reg.Parts {
		p := &o.reg.Parts[j]
		if p.Account != account || p.Kind != kind || !calls(p, k) {
			continue
		}
		several := 0
		for _, other := range keys {
			if calls(p, other) {
				several++
			}
		}
		if several > 1 {
			is = max(is, min(1, o.fetched(j, part)))
		} else {
			n++
			is = max(is, o.fetched(j, part))
		}
	}
	if n == 0 {
		return 1, 0
	}
	return is, n
}

// beside are the AAGUIDs that somebody wrote beside the name of a model.
func (o *oracle) beside(name string) (out []string) {
	for _, a := range o.reg.Accounts {
		for _, k := range a.Keys {
			if name != "" && fold(k.Model) == name && k.AAGUID != "" && !slices.Contains(out, fold(k.AAGUID)) {
				out = append(out, fold(k.AAGUID))
			}
		}
	}
	return out
}

// known is the AAGUID of a key, also where only its name says it; "" not known.
func (o *oracle) known(k register.Key) string {
	if list := o.beside(fold(k.Model)); k.AAGUID == "" && len(list) == 1 {
		return list[0]
	}
	return fold(k.AAGUID)
}

// takesModel is whether the loss of a model takes a key: 2 surely, 1 perhaps, 0 not.
func (o *oracle) takesModel(lost string, k register.Key) int {
	mine, name := o.known(k), fold(k.Model)
	byName := !strings.HasPrefix(lost, "aa-")
	one := func(list []string, of string) bool { return len(list) == 0 || slices.Contains(list, of) }
	switch {
	case mine == "" && name == "":
		return 1
	case lost == "":
		return 0
	case mine == lost, mine == "" && name == lost:
		return 2
	case mine != "" && byName:
		if one(o.beside(lost), mine) {
			return 1
		}
	case mine != "": // two AAGUIDs that are called the same
		for _, n := range []string{"t", "u"} {
			if slices.Contains(o.beside(n), mine) && slices.Contains(o.beside(n), lost) {
				return 1
			}
		}
	case byName:
		for _, id := range o.beside(name) {
			if slices.Contains(o.beside(lost), id) {
				return 1
			}
		}
	default:
		if one(o.beside(name), lost) {
			return 1
		}
	}
	return 0
}

// takesKey is whether a key is lost: 2 surely, 1 perhaps, 0 not. Two entries of one
// serial number are one key unless both say their model and these differ.
func (o *oracle) takesKey(id string, k register.Key) int {
	if k.Serial == "" {
		if o.gone(custody.LossKey, id) {
			return 2
		}
		return 0
	}
	models, unsaid := map[string]bool{}, false
	for _, a := range o.reg.Accounts {
		for _, other := range a.Keys {
			if other.Serial == k.Serial {
				models[o.known(other)] = true
			}
		}
	}
	unsaid = models[""]
	delete(models, "")
	lost := func(model string) bool { return o.gone(custody.LossKey, k.Serial+"/"+model) }
	mine := o.known(k)
	if len(models) == 1 {
		for only := range models {
			mine = only
		}
	}
	if lost(mine) {
		return 2
	}
	if len(models) > 1 && unsaid {
		for other := range models {
			if mine == "" && lost(other) {
				return 1
			}
		}
		if mine != "" && lost("") {
			return 1
		}
	}
	return 0
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
	there := o.there(j, part)
	if says := o.says(p.Place); says {
		return min(there, o.open(fold(p.Place)))
	}
	if p.Holder == "" {
		return min(there, 1)
	}
	return min(there, o.person(p.Holder))
}

// says reports whether it is written down how a place is opened.
func (o *oracle) says(place string) bool {
	for _, at := range o.reg.Places {
		if place != "" && fold(at.Name) == fold(place) && len(at.Access) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(o.reg.Parts, func(p register.Part) bool {
		return place != "" && p.Kind == register.PartCombination && fold(p.Opens) == fold(place)
	})
}

// byThemselves are those who need nothing to fetch a part.
func (o *oracle) byThemselves(j int) []string {
	p := &o.reg.Parts[j]
	if !o.says(p.Place) {
		return []string{p.Holder}
	}
	for _, at := range o.reg.Places {
		if fold(at.Name) == fold(p.Place) {
			return at.Access
		}
	}
	return nil
}

// open is how surely a place can be opened: it grows, from nothing, as long as some
// person or some combination in hand opens one more.
func (o *oracle) open(place string) int {
	opens := map[string]int{}
	for grows := true; grows; {
		before := maps.Clone(opens)
		for _, at := range o.reg.Places {
			for _, a := range at.Access {
				opens[fold(at.Name)] = max(opens[fold(at.Name)], o.person(a))
			}
		}
		for j, p := range o.reg.Parts {
			if p.Kind != register.PartCombination {
				continue
			}
			hand := 1
			switch {
			case o.says(p.Place):
				hand = opens[fold(p.Place)]
			case p.Holder != "":
				hand = o.person(p.Holder)
			}
			opens[fold(p.Opens)] = max(opens[fold(p.Opens)], min(hand, o.there(j, true)))
		}
		grows = !maps.Equal(before, opens)
	}
	return opens[place]
}

// there is whether a part is where it lies.
func (o *oracle) there(j int, part bool) int {
	p := &o.reg.Parts[j]
	if part && o.gone(custody.LossPart, fmt.Sprint(j)) {
		return 0
	}
	most := 2
	if sealedOtherwise(p) {
		most = 1 // and who opens it?
	}
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
			}
		}
	}
	return most
}

// sealedOtherwise is whether a part is sealed that is no password and no part of one.
func sealedOtherwise(p *register.Part) bool {
	return p.Set != "" && p.Kind != register.PartPassword && p.Kind != register.PartPasswordHalf && p.Kind != register.PartShare
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
	if len(reach) == 0 {
		reach = []string{"by +351 or @, nobody knows"}
	}
	for _, r := range reach { // those that the generator makes; of both, both may be wanted
		cut := strings.Contains(r, "+") && o.gone(custody.LossPhone, "") || strings.Contains(r, "@") && o.gone(custody.LossMail, "")
		if !cut {
			return 2
		}
	}
	return 1
}
