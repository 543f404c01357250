package custody_test

import (
	"fmt"
	"testing"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// largeCircle is 4 accounts with 3 keys each, 20 holders, 10 places, and groups,
// policies, domains, networks and models that come to 60 dependencies.
func largeCircle() *register.Register {
	reg := &register.Register{Version: 1}
	for i := range 20 {
		reg.People = append(reg.People, register.Person{Name: fmt.Sprint("Holder ", i+1), Title: fmt.Sprint("Title ", i+1), Reach: []string{"+351 20 000 00" + fmt.Sprint(10+i), fmt.Sprintf("h%d@mail.example", i)}})
	}
	for i := range 10 {
		reg.Places = append(reg.Places, register.Place{Name: fmt.Sprint("Place ", i+1), Site: fmt.Sprint("Site ", i/2+1), OffSite: i > 1,
			Access: []string{reg.People[2*i].Name, reg.People[2*i+1].Name}})
	}
	for i := range 3 {
		reg.Groups = append(reg.Groups, register.Group{ID: entra.ID(fmt.Sprintf("00000000-0000-4000-8000-0000000001%02d", i)), Name: fmt.Sprint("Group ", i+1), Use: register.GroupExclusion})
	}
	for i := range 40 {
		reg.Policies = append(reg.Policies, register.Policy{ID: entra.ID(fmt.Sprintf("00000000-0000-4000-8000-0000000002%02d", i)), Name: fmt.Sprint("Policy ", i+1), Treatment: register.TreatmentExcluded})
	}
	for i := range 4 {
		a := register.Account{ID: entra.ID(fmt.Sprintf("00000000-0000-4000-8000-0000000003%02d", i)), Name: fmt.Sprintf("account%d@d%d.example", i+1, i+1), Pattern: register.PatternFIDO2}
		for j := range 3 {
			n := 3*i + j
			label := fmt.Sprint("Key ", n+1)
			a.Keys = append(a.Keys, register.Key{Label: label, AAGUID: fmt.Sprint("model-", j)})
			for copy := range 2 {
				reg.Parts = append(reg.Parts, register.Part{Account: a.ID, Kind: register.PartPIN, Key: label, Place: reg.Places[(n+3+copy)%10].Name, Holder: reg.People[(2*n+6+copy)%20].Name})
			}
			reg.Parts = append(reg.Parts, register.Part{Account: a.ID, Kind: register.PartKey, Key: label, Place: reg.Places[n%10].Name, Holder: reg.People[2*n%20].Name})
		}
		reg.Accounts = append(reg.Accounts, a)
	}
	return reg
}

// BenchmarkSurvive finds every set of up to three losses of the large circle, the
// least size, and who could open its accounts; docs/performance.md has the figures.
func BenchmarkSurvive(b *testing.B) {
	mixed := largeCircle() // no method, model or network takes all
	mixed.Accounts[2].Pattern, mixed.Accounts[3].Pattern = register.PatternCertificate, register.PatternOATH
	for i := range mixed.Parts {
		p := &mixed.Parts[i]
		switch p.Account {
		case mixed.Accounts[2].ID:
			if p.Kind == register.PartKey {
				p.Kind = register.PartCertificate
			}
		case mixed.Accounts[3].ID:
			if p.Kind == register.PartKey {
				p.Kind, p.Key = register.PartToken, ""
			} else {
				p.Kind, p.Key, p.Needed = register.PartShare, "", 4
			}
		}
	}
	admitted := func(*custody.Way, []custody.Loss) custody.Answer { return custody.Yes }
	for _, of := range []struct {
		name   string
		reg    *register.Register
		tenant custody.Tenant
	}{{"register alone", largeCircle(), nil}, {"tenant known", largeCircle(), admitted}, {"mixed methods", mixed, admitted}} {
		b.Run(of.name, func(b *testing.B) {
			circle := custody.CircleOf(of.reg)
			for b.Loop() {
				s := circle.Survey(custody.Outlook{Tenant: of.tenant})
				sets := s.LossSets(3)
				for _, a := range of.reg.Accounts {
					circle.Openings(a)
				}
				b.ReportMetric(float64(len(s.Losses())), "losses")
				b.ReportMetric(float64(len(sets.Certain)), "certain")
				b.ReportMetric(float64(len(sets.Possible)), "possible")
				b.ReportMetric(float64(sets.Least), "least")
				if sets.Cut {
					b.Fatal("the work was cut short")
				}
			}
		})
	}
}
