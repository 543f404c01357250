package custody_test

import (
	"fmt"
	"maps"
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
	sets []custody.SealedSet
	lost []custody.Loss
	// clauses shut a way out in the tenant: all losses of one of them together.
	clauses map[string][][]custody.Loss
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
		return len(o.keys(a, register.PartCertificate)) > 0
	case register.PatternFIDO2:
		return len(o.keys(a, register.PartKey)) > 0
	}
	return len(a.Keys) > 0
}

// keys are the keys of an account, also those that only custody knows.
func (o *oracle) keys(a register.Account, kind register.PartKind) []register.Key {
	keys := slices.Clone(a.Keys)
	for _, p := range o.reg.Parts {
		if p.Account == a.ID && p.Kind == kind && !slices.ContainsFunc(keys, func(k register.Key) bool { return p.Key == "" || custody.KeyIs(k, p.Key) }) {
			keys = append(keys, register.Key{Label: p.Key})
		}
	}
	return keys
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
	keys := o.keys(a, kind)
	if len(keys) == 0 {
		return 1 // it has keys somewhere, or it would not be an account
	}
	best := 0
	for i, k := range keys {
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

// passwordWay is a way to the password.
type passwordWay struct {
	name string
	is   int
}

func (o *oracle) passwords(a register.Account) []passwordWay {
	var out []passwordWay
	recorded := func(kind register.PartKind, set string) (list []int) {
		for j, p := range o.reg.Parts {
			if p.Account == a.ID && p.Kind == kind && p.Set == set {
				list = append(list, j)
			}
		}
		return list
	}
	best := func(list []int) int {
		is := 0
		for _, j := range list {
			is = max(is, o.fetched(j, true))
		}
		return is
	}
	if list := recorded(register.PartPassword, ""); len(list) > 0 {
		out = append(out, passwordWay{"the password", best(list)})
	}
	named := 0
	for _, id := range setIDs {
		if len(recorded(register.PartPassword, id))+len(recorded(register.PartShare, id))+len(recorded(register.PartPasswordHalf, id)) > 0 {
			named++
		}
	}
	var closed []int // sealed files of which nobody says who opens them
	for _, id := range setIDs {
		files := recorded(register.PartPassword, id)
		set := o.set(id)
		if set == nil {
			closed = append(closed, files...)
			continue
		}
		if set.Voided || len(files)+len(recorded(register.PartShare, id)) == 0 {
			continue
		}
		name := "the sealed password"
		if named > 1 {
			name += " of set " + id
		}
		file := best(files)
		if len(files) == 0 {
			file = 1 // it lies somewhere
		}
		var holders []int
		for i := range set.Holders {
			holders = append(holders, o.holder(set, i, recorded(register.PartShare, id)))
		}
		all := len(set.Pairs) == 0
		if n := len(set.Holders); len(set.Pairs) == n*(n-1)/2 {
			all = true
		}
		if !all {
			for _, p := range set.Pairs {
				out = append(out, passwordWay{name + " by " + set.Holders[p[0]].Name + " and " + set.Holders[p[1]].Name, min(file, holders[p[0]], holders[p[1]])})
			}
			continue
		}
		slices.Sort(holders)
		out = append(out, passwordWay{name, min(file, holders[len(holders)-set.Need])}) // the weakest of the best
	}
	if len(closed) > 0 {
		out = append(out, passwordWay{"the sealed password", min(1, best(closed))})
	}
	for _, kind := range []register.PartKind{register.PartPasswordHalf, register.PartShare} {
		groups := 0
		for _, id := range append([]string{""}, setIDs...) {
			if len(recorded(kind, id)) > 0 {
				groups++
			}
		}
		for _, id := range append([]string{""}, setIDs...) {
			list := recorded(kind, id)
			set := o.set(id)
			if len(list) == 0 || set != nil && (set.Voided || kind == register.PartShare) {
				continue
			}
			name := "the password in parts"
			if groups > 1 && id == "" {
				name += " of no set that is recorded"
			} else if groups > 1 {
				name += " of set " + id
			}
			out = append(out, passwordWay{name, o.quorum(list)})
		}
	}
	if len(out) == 0 {
		out = append(out, passwordWay{"the password", 1})
	}
	return out
}

// quorum is whether enough of some parts of a password can be fetched.
func (o *oracle) quorum(list []int) int {
	needed, sure, perhaps := 0, 0, 0
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
	switch {
	case sure >= enough:
		return 2
	case perhaps >= least:
		return 1
	}
	return 0
}

func (o *oracle) set(id string) *custody.SealedSet {
	for i := range o.sets {
		if id != "" && o.sets[i].ID == id {
			return &o.sets[i]
		}
	}
	return nil
}

// holder is whether one of those who open a set can do their part.
func (o *oracle) holder(set *custody.SealedSet, at int, shares []int) int {
	h := set.Holders[at]
	of := func(name string) (list []int) {
		for _, j := range shares {
			if fold(o.reg.Parts[j].Holder) == fold(name) {
				list = append(list, j)
			}
		}
		return list
	}
	if own := of(h.Name); len(own) > 0 {
		is := 0
		for _, j := range own {
			if !h.ByKey {
				is = max(is, o.fetched(j, true))
				continue
			}
			// The share helps nobody else. Who must send somebody for it may not get it.
			is = max(is, min(1, o.person(h.Name)), min(1, o.fetched(j, true)))
			if slices.ContainsFunc(o.byThemselves(j), func(n string) bool { return fold(n) == fold(h.Name) }) {
				is = max(is, min(o.there(j, true), o.person(h.Name)))
			}
		}
		return is
	}
	if h.ByKey {
		return o.person(h.Name)
	}
	// Papers that nobody of the set holds were handed over by those who hold none.
	var loose []int
	for _, j := range shares {
		if !slices.ContainsFunc(set.Holders, func(x custody.SealedHolder) bool { return fold(x.Name) == fold(o.reg.Parts[j].Holder) }) {
			loose = append(loose, j)
		}
	}
	before, bare := 0, 0
	for i, x := range set.Holders {
		if !x.ByKey && len(of(x.Name)) == 0 {
			bare++
			if i < at {
				before++
			}
		}
	}
	if len(loose) <= bare && before < len(loose) {
		return o.fetched(loose[before], true)
	}
	return 1
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

// opens is whether people could open an account: by what is recorded (2), or with
// whoever has what is not (1).
func (o *oracle) opens(c *custody.Circle, a register.Account, people []string, found bool) bool {
	ways, _ := c.Ways(a)
	for _, w := range append(ways, c.BriefWays(a)...) {
		ok, some := len(w.Needs)+len(w.Shares) > 0, false
		for _, n := range w.Needs {
			reached, may := o.reached(n, people)
			ok = ok && (reached || found && may > 0)
			some = some || reached || found && may > 1
		}
		has := 0
		for _, n := range w.Shares {
			reached, may := o.reached(n, people)
			some = some || reached || found && may > 1
			if reached || found && may > 0 {
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

// reached is whether one of some people has a copy of a need; may is 1 where it is not
// recorded who has one, 2 where one of the people perhaps does.
func (o *oracle) reached(n custody.Need, people []string) (reached bool, may int) {
	if len(n.Copies) == 0 {
		may = 1
	}
	for _, p := range n.Copies {
		who := o.hands(p, nil)
		if len(who) == 0 {
			may = max(may, 1)
		}
		for _, x := range who {
			switch {
			case !slices.Contains(people, x):
			case n.Only == "" || fold(n.Only) == x:
				reached = true
			default:
				may = 2
			}
		}
	}
	for _, p := range n.Perhaps {
		if slices.ContainsFunc(o.hands(p, nil), func(x string) bool { return slices.Contains(people, x) }) {
			may = 2
		}
	}
	return reached, may
}

// hands are all who could lay hands on a part.
func (o *oracle) hands(p *register.Part, been []string) (who []string) {
	if p.Holder != "" {
		who = append(who, fold(p.Holder))
	}
	if p.Place == "" || slices.Contains(been, fold(p.Place)) {
		return who
	}
	been = append(slices.Clone(been), fold(p.Place))
	for _, at := range o.reg.Places {
		if fold(at.Name) == fold(p.Place) {
			for _, x := range at.Access {
				who = append(who, fold(x))
			}
		}
	}
	for i := range o.reg.Parts {
		if c := &o.reg.Parts[i]; c.Kind == register.PartCombination && fold(c.Opens) == fold(p.Place) {
			who = append(who, o.hands(c, been)...)
		}
	}
	return who
}

// setIDs are the sealed sets of random circles.
var setIDs = []string{"5e7a", "5e7b"}

// randomSets are what is known of them, not always of both.
func randomSets(r *rand.Rand, reg *register.Register) (out []custody.SealedSet) {
	for _, id := range setIDs {
		set := custody.SealedSet{ID: id, Voided: r.IntN(6) == 0}
		for _, at := range r.Perm(len(reg.People))[:min(2+r.IntN(2), len(reg.People))] {
			set.Holders = append(set.Holders, custody.SealedHolder{Name: reg.People[at].Name, ByKey: r.IntN(2) == 0})
		}
		set.Need = 2 + r.IntN(len(set.Holders)-1)
		if n := len(set.Holders); r.IntN(2) == 0 {
			set.Need = 2
			for i := range n {
				for j := range i {
					if r.IntN(3) > 0 {
						set.Pairs = append(set.Pairs, [2]int{j, i})
					}
				}
			}
		}
		if r.IntN(3) > 0 {
			out = append(out, set)
		}
	}
	return out
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
			p.Reach = append(p.Reach, pick("+351 20 123 4567", "x@mail.example", "at the door", "x@mail.example / +351 20 123 4567"))
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
		if (kind == register.PartShare || kind == register.PartPassword || kind == register.PartPasswordHalf) && r.IntN(2) == 0 {
			p.Set = setIDs[r.IntN(len(setIDs))]
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
				if r.IntN(6) == 0 {
					label = fmt.Sprintf("K%d0", i) // that another key has
				}
				a.Keys = append(a.Keys, register.Key{Label: label, AAGUID: pick("", "aa-1", "aa-2"), Model: pick("", "T", "U"), Serial: pick("", "", "77")})
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
		if r.IntN(3) == 0 {
			part("", register.PartCombination, "")
			reg.Parts[len(reg.Parts)-1].Opens = reg.Places[r.IntN(len(reg.Places))].Name
		}
		if r.IntN(4) == 0 { // keys that only custody knows, some without a name
			a.Keys = nil
		}
		reg.Accounts = append(reg.Accounts, a)
	}
	return reg
}
