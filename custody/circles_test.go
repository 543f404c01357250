package custody_test

import (
	"fmt"
	"math/rand/v2"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// setIDs are the sealed sets of random circles.
var setIDs = []string{"5e7a", "5e7b"}

// randomSets are what is known of them, not always of both.
func randomSets(r *rand.Rand, reg *register.Register) (out []custody.SealedSet) {
	for _, id := range setIDs {
		set := custody.SealedSet{ID: id, Voided: r.IntN(6) == 0}
		for _, at := range r.Perm(len(reg.People))[:min(2+r.IntN(2), len(reg.People))] {
			h := custody.SealedHolder{Name: reg.People[at].Name, ByKey: r.IntN(2) == 0, Stranger: r.IntN(8) == 0}
			if r.IntN(8) == 0 {
				h.Name = "Zed" // who left
			}
			set.Holders = append(set.Holders, h)
		}
		set.Need = 2 + r.IntN(len(set.Holders)-1)
		if n := len(set.Holders); r.IntN(4) == 0 {
			set.Need = 2
			for i := range set.Holders {
				set.Holders[i].Half = 1 + i%2
			}
		} else if r.IntN(2) == 0 {
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
		if r.IntN(10) == 0 { // also of kinds that are no password
			p.Set = setIDs[r.IntN(len(setIDs))]
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
				a.Keys = append(a.Keys, register.Key{Label: label, AAGUID: pick("", "aa-1", "aa-2"), Model: pick("", "T", "U"), Serial: pick("", "77")})
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
		if r.IntN(4) == 0 { // of another way than that of the pattern
			for range 1 + r.IntN(2) {
				kind := []register.PartKind{register.PartPassword, register.PartPasswordHalf, register.PartShare, register.PartToken, register.PartKey, register.PartPIN, register.PartCertificate}[r.IntN(7)]
				part(a.ID, kind, map[bool]string{true: fmt.Sprintf("K%d0", i)}[kind == register.PartKey || kind == register.PartPIN || kind == register.PartCertificate])
			}
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
