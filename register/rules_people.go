package register

import (
	"fmt"
	"strings"
	"unicode"
)

// foldName is a name as SamePerson compares it: of the letters that differ in
// case only, one stands for all.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, strings.Join(strings.Fields(name), " "))
}

// NameKey is what the spellings of one name have in common: case and blanks make no
// difference, as for SamePerson. "" is the key of no name.
func NameKey(name string) string { return strings.ToLower(foldName(name)) }

// people reports what no single value of a person shows: one person under two
// names, a key twice, a line of managers that goes in a circle.
func (d *decoder) people(r *Register) {
	seen := map[string]map[string]string{}
	once := func(what, value, path, hint string) {
		if value == "" {
			return
		}
		if seen[what] == nil {
			seen[what] = map[string]string{}
		}
		if before, twice := seen[what][value]; twice {
			d.report(d.at[path], path, hint, "%s is given twice, first on line %d", what, d.at[before].line)
			return
		}
		seen[what][value] = path
	}
	const twoNames = "one person stands once in people, with one key: give each person a key of their own, and remove the second entry of one person"
	for i := range r.People {
		p := &r.People[i]
		path := fmt.Sprintf("people[%d]", i)
		if strings.ContainsFunc(p.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			d.report(d.at[path+".name"], path+".name", "write the name with letters that can be seen: two people must not look like one", "the name %s has letters that cannot be seen", shown(p.Name))
		}
		once("the name", foldName(p.Name), path+".name", "keep one of the two, and move what the other says there")
		once("a directory id", p.ID.Key(), path+".id", twoNames)
		once("a signing key", sshBody(p.Signing), path+".signing", twoNames)
		once("a receiving key", sshBody(p.Receiving), path+".receiving", twoNames)
		once("a passkey", p.Passkey.CredentialID, path+".passkey.credentialId", twoNames)
		once("the key of a passkey", p.Passkey.PublicKey, path+".passkey.publicKey", twoNames)
		if p.Signing != "" && d.given(path+".passkey") {
			d.report(d.at[path+".passkey"], path+".passkey", "keep one of the two", "a person has one signing key: this one has signing and passkey")
		}
		d.passkey(&p.Passkey, path+".passkey")
		roles := map[Role]bool{}
		for j, role := range p.Roles {
			if at := fmt.Sprintf("%s.roles[%d]", path, j); role != "" && roles[role] {
				d.report(d.at[at], at, "remove the second", "the role %s is given twice", role)
			}
			roles[role] = true
		}
	}
	d.managers(r)
}

func (d *decoder) passkey(p *Passkey, path string) {
	if *p == (Passkey{}) {
		return
	}
	for _, check := range []struct {
		value, path string
		err         func() error
	}{
		{p.CredentialID, path + ".credentialId", func() error { _, err := p.credential(); return err }},
		{p.PublicKey, path + ".publicKey", func() error { _, err := p.coseKey(); return err }},
		{p.Origin, path + ".origin", p.checkOrigin},
	} {
		if check.value != "" {
			d.badKey(check.path, check.err())
		}
	}
}

// badKey reports what a KeyError says at a place.
func (d *decoder) badKey(path string, err error) bool {
	if err == nil {
		return false
	}
	e := err.(*KeyError) // what this package makes of keys has no other errors
	d.report(d.at[path], path, e.hint, "%s", e.What)
	return true
}

// managers: a manager is one of the people, and nobody is above themselves.
func (d *decoder) managers(r *Register) {
	var people names
	for _, p := range r.People {
		people.add(p.Name, p.Name)
	}
	above := map[string]string{}
	for i, p := range r.People {
		path := fmt.Sprintf("people[%d].manager", i)
		d.known(p.Manager, people, path, "person", "people")
		above[foldName(p.Name)] = foldName(p.Manager)
	}
	// Each walk ends where one was before, so that all of them together are as long
	// as the list.
	walked := map[string]int{}
	for i, p := range r.People {
		at := foldName(p.Name)
		for at != "" && walked[at] == 0 {
			walked[at] = i + 1
			at = above[at]
		}
		if at == "" || walked[at] != i+1 || above[at] == "" {
			continue
		}
		path := fmt.Sprintf("people[%d].manager", i)
		d.report(d.at[path], path, "name who is really above; whoever is at the top has no manager", "the line of managers of %s comes back to the same person", shown(p.Name))
	}
}

// quorum: nobody is asked for who does not exist.
func (d *decoder) quorum(r *Register) {
	q := r.Quorum
	if q.People > 0 && q.Approvals > max(1, q.People-1) {
		d.report(d.at["quorum.approvals"], "quorum.approvals", fmt.Sprintf("who asks does not approve: write approvals: %d, or count the people again", max(1, q.People-1)), "%d approvals of %d people", q.Approvals, q.People)
	}
	able := 0
	for _, p := range r.People {
		if p.Has(RoleApprover) && (p.Signing != "" || p.Passkey != (Passkey{})) {
			able++
		}
	}
	if q.People > 0 && able > q.People {
		d.report(d.at["quorum.people"], "quorum.people", fmt.Sprintf("halligan init --people %d (or write people: %[1]d), or take the role approver from whoever is no longer there", able), "there are %d people by quorum, and %d with a key and the role approver", q.People, able)
	}
	d.silences(r)
}

func (d *decoder) silences(r *Register) {
	known := map[string]bool{}
	for _, a := range r.Accounts {
		known[a.ID.Key()] = true
	}
	for _, g := range r.Groups {
		known[g.ID.Key()] = true
	}
	for _, p := range r.Policies {
		known[p.ID.Key()] = true
	}
	for _, w := range r.Writers {
		known[w.ID.Key()] = true
	}
	for i, s := range r.Silences {
		path := fmt.Sprintf("silences[%d]", i)
		if s.ID != "" && !known[s.ID.Key()] {
			d.report(d.at[path+".id"], path+".id", "name the id of an account, group, policy or writer of this register", "a silence for something that is not in the register")
		}
		days, both := DaysBetween(s.From, s.Until)
		switch {
		case both && days < 0:
			d.report(d.at[path+".until"], path+".until", "until is the last day of the silence", "until %s is before from %s", s.Until, s.From)
		case both && days > silenceDaysMost:
			d.report(d.at[path+".until"], path+".until", fmt.Sprintf("shorten it to %s; what need not be watched at all is taken out of the register", s.From.Add(silenceDaysMost)), "a silence of %d days; at most %d are allowed", days, silenceDaysMost)
		}
	}
}
