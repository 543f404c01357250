package register

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// rules reports what no single value shows: ids given twice, names that nobody
// has, ends before beginnings. A value that was itself refused is empty by now
// and not judged again.
func (d *decoder) rules(r *Register) {
	d.idsOnce(r)
	for i := range r.Accounts {
		d.keysOnce(&r.Accounts[i], fmt.Sprintf("accounts[%d]", i))
	}
	for i, p := range r.Policies {
		path := fmt.Sprintf("policies[%d]", i)
		if p.Name == "" && !d.given(path+".id") {
			d.report(d.at[path], path, "add the id of the policy, or its display name as name:", "a policy lacks id and name")
		}
	}
	if p := strings.ToLower(r.Proxy); p != "" && (!strings.HasPrefix(p, "http://") && !strings.HasPrefix(p, "https://") || strings.Contains(p, "@")) {
		d.report(d.at["proxy"], "proxy", "write it as http://proxy.example:3128, without a name or password", "the proxy is no address of one")
	}
	if wrong, is := errors.AsType[*AddressError](CheckStoreAddress(r.Evidence.Store)); is {
		d.report(d.at["evidence.store"], "evidence.store", wrong.hint, "%s", wrong.what)
	}
	d.people(r)
	d.quorum(r)
	d.references(r)
	d.channels(r)
	d.statements(r)
	d.bounds(r)
}

func (d *decoder) given(path string) bool {
	_, is := d.at[path]
	return is
}

// once reports the second of two equal values.
func (d *decoder) once(seen map[string]string, value, path, hint string) {
	if value == "" {
		return
	}
	if before, twice := seen[value]; twice {
		d.report(d.at[path], path, hint, "%s is given twice, first on line %d", shown(value), d.at[before].line)
		return
	}
	seen[value] = path
}

func (d *decoder) idsOnce(r *Register) {
	const hint = "keep one of the two, and move what the other says there"
	lists := []struct {
		path string
		n    int
		key  string
		of   func(i int) string
	}{
		{"accounts", len(r.Accounts), "id", func(i int) string { return r.Accounts[i].ID.Key() }},
		{"groups", len(r.Groups), "id", func(i int) string { return r.Groups[i].ID.Key() }},
		{"policies", len(r.Policies), "id", func(i int) string { return r.Policies[i].ID.Key() }},
		{"policies", len(r.Policies), "name", func(i int) string {
			if r.Policies[i].ID != "" {
				return "" // the id decides, and a tenant may have two policies of one name
			}
			return r.Policies[i].Name
		}},
		{"places", len(r.Places), "name", func(i int) string { return NameKey(r.Places[i].Name) }},
		{"parts", len(r.Parts), "name", func(i int) string { return foldName(r.Parts[i].Name) }},
		{"channels", len(r.Channels), "name", func(i int) string { return r.Channels[i].Name }},
		{"writers", len(r.Writers), "id", func(i int) string { return r.Writers[i].ID.Key() }},
	}
	for _, list := range lists {
		seen := map[string]string{}
		for i := range list.n {
			d.once(seen, list.of(i), fmt.Sprintf("%s[%d].%s", list.path, i, list.key), hint)
		}
	}
}

// keysOnce: one key twice in one account is a slip. One key on two accounts is
// something that a check judges.
func (d *decoder) keysOnce(a *Account, path string) {
	ids, serials := map[string]string{}, map[string]string{}
	for i, k := range a.Keys {
		at := fmt.Sprintf("%s.keys[%d]", path, i)
		if k == (Key{}) && !slices.ContainsFunc(d.shapes["key"].keys(), func(key string) bool { return d.given(at + "." + key) }) {
			d.report(d.at[at], at, "give at least its label or its serial number", "a key of which nothing is known")
		}
		d.once(ids, k.ID, at+".id", "each key stands once under its account")
		if k.Serial != "" {
			key := strings.ToLower(k.AAGUID) + " " + k.Serial
			if before, twice := serials[key]; twice {
				d.report(d.at[at+".serial"], at+".serial", "each key stands once under its account", "%s is given twice, first on line %d", shown(k.Serial), d.at[before].line)
				continue
			}
			serials[key] = at + ".serial"
		}
	}
}

// references reports names that nothing in the register has.
func (d *decoder) references(r *Register) {
	var people, places, accounts names
	for _, p := range r.People {
		people.add(p.Name, p.Name)
	}
	for _, p := range r.Places {
		places.add(p.Name, p.Name)
	}
	byID := map[string]*Account{}
	for i := range r.Accounts {
		a := &r.Accounts[i]
		accounts.add(a.ID.Key(), string(a.ID))
		byID[a.ID.Key()] = a
	}
	for i, p := range r.Places {
		for j, name := range p.Access {
			d.known(name, people, fmt.Sprintf("places[%d].access[%d]", i, j), "person", "people")
		}
	}
	for i, p := range r.Parts {
		path := fmt.Sprintf("parts[%d]", i)
		d.known(p.Holder, people, path+".holder", "person", "people")
		d.known(p.Place, places, path+".place", "place", "places")
		d.account(p.Account, accounts, path+".account")
		d.known(p.Opens, places, path+".opens", "place", "places")
		if p.Opens != "" && p.Kind != PartCombination {
			d.report(d.at[path+".opens"], path+".opens", "write kind: combination, or remove opens", "a part of kind %s opens no place", p.Kind)
		}
		if !d.given(path+".account") && p.Kind.Owned() && p.Kind != "" {
			d.report(d.at[path], path, "add account: and the id of the account that it belongs to", "a part of kind %s lacks account", p.Kind)
		}
		if a := byID[p.Account.Key()]; a != nil {
			d.partKey(a, p.Key, path+".key")
		}
	}
	for i, a := range r.Attestations {
		d.account(a.Account, accounts, fmt.Sprintf("attestations[%d].account", i))
	}
	for i, a := range r.Accepted {
		d.account(a.Account, accounts, fmt.Sprintf("accepted[%d].account", i))
	}
}

// names are what may be referred to, and how each is shown.
type names struct {
	known map[string]bool
	shown []string
}

// namesMost bounds the names that a wrong one is compared with.
const namesMost = 500

func (n *names) add(key, shown string) {
	if n.known == nil {
		n.known = map[string]bool{}
	}
	n.known[key] = true
	if len(n.shown) < namesMost {
		n.shown = append(n.shown, shown)
	}
}

func (d *decoder) known(name string, all names, path, what, list string) {
	if name == "" || all.known[name] || len(d.errs) >= errorsMost {
		return
	}
	hint := fmt.Sprintf("add it to %s:", list)
	if near := Nearest(name, all.shown); near != "" {
		hint = fmt.Sprintf("did you mean %s?", shown(near))
	}
	d.report(d.at[path], path, hint, "no %s has the name %s", what, shown(name))
}

func (d *decoder) account(id entra.ID, all names, path string) {
	if id == "" || all.known[id.Key()] || len(d.errs) >= errorsMost {
		return
	}
	hint := "add the account to accounts:"
	// Two GUIDs that differ in a third of their letters are not alike.
	if near := Nearest(string(id), all.shown); near != "" && distance(string(id), near) <= 4 {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	d.report(d.at[path], path, hint, "no account has the id %s", shown(string(id)))
}

// partKey: a part names a key by what the account says of its keys. Where the
// account says nothing, there is nothing to compare with.
func (d *decoder) partKey(a *Account, key, path string) {
	if key == "" || len(a.Keys) == 0 || len(d.errs) >= errorsMost {
		return
	}
	var all names
	for _, k := range a.Keys {
		if key == k.Label || key == k.Serial || key == k.ID {
			return
		}
		for _, name := range []string{k.Label, k.Serial, k.ID} {
			if name != "" {
				all.add(name, name)
			}
		}
	}
	hint := "add it to the keys of the account"
	if near := Nearest(key, all.shown); near != "" {
		hint = fmt.Sprintf("did you mean %s?", shown(near))
	}
	d.report(d.at[path], path, hint, "the account has no key %s", shown(key))
}

func (d *decoder) statements(r *Register) {
	settings := r.Settings.Settled()
	for i, a := range r.Attestations {
		d.term(a.On, a.Until, settings.AttestationDaysMost, fmt.Sprintf("attestations[%d].until", i), "an attestation", "attestationDaysMost")
	}
	for i, a := range r.Accepted {
		path := fmt.Sprintf("accepted[%d]", i)
		d.term(a.On, a.Until, settings.AcceptedDaysMost, path+".until", "an accepted risk", "acceptedDaysMost")
		if strings.TrimSpace(a.Owner) != "" && SamePerson(a.Owner, a.Approver) {
			d.report(d.at[path+".approver"], path+".approver", "a second person must approve it", "owner and approver are the same person, %s", shown(a.Approver))
		}
		for j, check := range a.Compensating {
			if check != "" && check == a.Check {
				at := fmt.Sprintf("%s.compensating[%d]", path, j)
				d.report(d.at[at], at, "name other checks that must pass meanwhile", "%s cannot make up for itself", check)
			}
		}
	}
}

// term reports a statement that ends before it begins, or holds for longer than
// the setting allows.
func (d *decoder) term(on, until Day, most int, path, what, setting string) {
	days, both := DaysBetween(on, until)
	switch {
	case both && days < 0:
		d.report(d.at[path], path, "until is the last day on which it holds", "until %s is before on %s", until, on)
	case both && days > most:
		d.report(d.at[path], path, fmt.Sprintf("shorten it to %s, or raise settings.%s", on.Add(most), setting), "%s for %d days; at most %d are allowed", what, days, most)
	}
}

// bounds: the least of something may not be above its most.
func (d *decoder) bounds(r *Register) {
	s := r.Settings.Settled()
	for _, pair := range []struct {
		low, high string
		from, to  int
	}{
		{"accountsMin", "accountsMax", s.AccountsMin, s.AccountsMax},
		{"globalAdminsMin", "globalAdminsMax", s.GlobalAdminsMin, s.GlobalAdminsMax},
		{"upnWarn", "upnMax", s.UPNWarn, s.UPNMax},
	} {
		if pair.from <= pair.to {
			continue
		}
		path := "settings." + pair.high
		if !d.given(path) {
			path = "settings." + pair.low
		}
		d.report(d.at[path], path, fmt.Sprintf("raise %s or lower %s", pair.high, pair.low), "%s is %d and %s is %d", pair.low, pair.from, pair.high, pair.to)
	}
}
