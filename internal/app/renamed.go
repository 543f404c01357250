package app

import (
	"fmt"
	"slices"

	"halligan/register"
)

// partNamed is the part of a name, as PartNames has it; nil none.
func partNamed(r *register.Register, name string) *register.Part {
	i := slices.IndexFunc(r.Parts, func(p register.Part) bool { return register.NameKey(p.Name) == register.NameKey(name) })
	if i < 0 {
		return nil
	}
	return &r.Parts[i]
}

// alike reports whether two parts are the same but for what they are called.
func alike(p, q *register.Part) bool {
	one := *q
	one.Name, one.Account = p.Name, p.Account
	return *p == one && p.Account.Equal(q.Account)
}

// slidNames are the parts that have the name of another one now, by the name that they
// had: parts without a name of their own are numbered, so that one that goes lets those
// behind it move up.
func slidNames(before, now *register.Register) map[string]string {
	out, taken := map[string]string{}, map[string]bool{}
	for i := range before.Parts {
		p := &before.Parts[i]
		if q := partNamed(now, p.Name); q != nil && alike(p, q) {
			continue
		}
		for j := range now.Parts {
			q := &now.Parts[j]
			if was := partNamed(before, q.Name); !taken[q.Name] && was != nil && !alike(was, q) && alike(p, q) {
				out[p.Name], taken[q.Name] = q.Name, true
				break
			}
		}
	}
	return out
}

// renamedParts are the parts that are called otherwise after a change, by the name that
// they had: those that slid into the name of another, and those that came in the place
// of one that went, of the same kind, account and key, opening the same, and with the
// same set or number. One stands for one.
func renamedParts(before, now *register.Register) map[string]string {
	out, taken := slidNames(before, now), map[string]bool{}
	for _, to := range out {
		taken[to] = true
	}
	for _, as := range []func(p, q *register.Part) bool{
		func(p, q *register.Part) bool { return sameNumber(p.Seal, q.Seal) && setKey(p.Set) == setKey(q.Set) },
		func(p, q *register.Part) bool { return p.Seal != "" && sameNumber(p.Seal, q.Seal) },
		func(p, q *register.Part) bool { return setKey(p.Set) == setKey(q.Set) },
	} {
		for i := range before.Parts {
			p := &before.Parts[i]
			if out[p.Name] != "" || partNamed(now, p.Name) != nil {
				continue
			}
			for j := range now.Parts {
				q := &now.Parts[j]
				if !taken[q.Name] && partNamed(before, q.Name) == nil && q.Kind == p.Kind && q.Account.Equal(p.Account) && q.Key == p.Key && q.Opens == p.Opens && as(p, q) {
					out[p.Name], taken[q.Name] = q.Name, true
					break
				}
			}
		}
	}
	return out
}

// slid tells approvers of parts that a change calls by the name of another.
func (d *custodyDiff) slid() []string {
	before, now := &register.Register{}, &register.Register{}
	for _, p := range d.parts {
		if p.was != nil {
			before.Parts = append(before.Parts, *p.was)
		}
		if p.is != nil {
			now.Parts = append(now.Parts, *p.is)
		}
	}
	var out []string
	names := slidNames(before, now)
	for _, p := range before.Parts {
		if to := names[p.Name]; to != "" {
			out = append(out, fmt.Sprintf("part %s: this is what was called %s. What had the name goes, and the numbers of parts without a name move up; give each part a name", to, p.Name))
		}
	}
	return out
}
