package custody

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"halligan/register"
)

// Scenario is a day on which something is gone, told in words.
type Scenario struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Lost  []Loss `json:"lost"`
	// Unclear: the register does not say what would be lost.
	Unclear string `json:"unclear,omitempty"`
}

// scenarios is the table of days that a circle must be ready for (S44, S60, S101,
// S124).
var scenarios = []struct {
	name, title string
	lost        func(*Survey) (lost []Loss, beside, unclear string)
}{
	{"idp-down", "the identity provider is down", only(IdPDown)},
	{"mfa-down", "the MFA service is down", only(MFADown)},
	{"phones-down", "the phone network is down", only(PhonesDown)},
	{"office-burnt", "the main office is burnt", (*Survey).mainOffice},
	{"two-people-gone", "two people are gone", (*Survey).worstPair},
	{"mail-down", "mail is down", only(MailDown)},
	{"halligan-down", "Halligan is down", only(HalliganDown)},
}

func only(l Loss) func(*Survey) ([]Loss, string, string) {
	return func(*Survey) ([]Loss, string, string) { return []Loss{l}, "", "" }
}

// ScenarioNames lists the names of the scenarios.
func ScenarioNames() []string {
	var out []string
	for _, s := range scenarios {
		out = append(out, s.name)
	}
	return out
}

// Scenarios are the named days, with what each means in this circle.
func (s *Survey) Scenarios() []Scenario {
	var out []Scenario
	for _, of := range scenarios {
		lost, beside, unclear := of.lost(s)
		one := Scenario{Name: of.name, Title: of.title, Lost: lost, Unclear: unclear}
		if beside != "" {
			one.Title += ": " + beside
		}
		if lost == nil {
			one.Lost = []Loss{}
		}
		out = append(out, one)
	}
	return out
}

// mainOffice is the site, not marked as away, where most parts lie.
func (s *Survey) mainOffice() ([]Loss, string, string) {
	count := map[string]int{}
	best, most := "", -1
	for i := range s.circle.reg.Places {
		p := &s.circle.reg.Places[i]
		if p.Site == "" || p.OffSite {
			continue
		}
		site := register.NameKey(p.Site)
		for _, part := range s.circle.reg.Parts {
			if s.circle.Place(part.Place) == p {
				count[site]++
			}
		}
	}
	for _, p := range s.circle.reg.Places {
		if n, has := count[register.NameKey(p.Site)]; has && n > most {
			best, most = strings.TrimSpace(p.Site), n
		}
	}
	if best == "" {
		return nil, "", "which site is the main office is not recorded: write site and offSite of each place"
	}
	return []Loss{SiteLost(best)}, best, ""
}

// pairsMost bounds the people of whom every pair is tried.
const pairsMost = 300

// worstPair are the two people after whose loss the fewest ways are left, of those who
// fetch something.
func (s *Survey) worstPair() ([]Loss, string, string) {
	var who []*personLeaf
	for _, l := range s.Singles() {
		if l.Kind == LossPerson {
			who = append(who, s.people[l.ID])
		}
	}
	for _, p := range s.circle.People() {
		if at := s.people[p.Key]; len(who) < 2 && !slices.Contains(who, at) {
			who = append(who, at)
		}
	}
	if len(who) > pairsMost {
		return nil, "", "more than " + strconv.Itoa(pairsMost) + " people fetch something: which two cost most was not looked for"
	}
	worst := [2]int{1 << 30, 1 << 30}
	var pair []Loss
	for i := range who {
		for j := i + 1; j < len(who); j++ {
			set := []int{who[i].id, who[j].id}
			left := [2]int{s.with(adverse, set).count(), s.with(favourable, set).count()}
			// Those after whom nothing works for sure are worse than those after whom
			// only nothing is known to.
			if c := cmp.Or(cmp.Compare(min(left[1], 1), min(worst[1], 1)), cmp.Compare(min(left[0], 1), min(worst[0], 1)), cmp.Compare(left[0], worst[0]), cmp.Compare(left[1], worst[1])); c < 0 {
				worst, pair = left, []Loss{s.losses[who[i].id], s.losses[who[j].id]}
			}
		}
	}
	if pair == nil {
		return nil, "", "two people are not recorded"
	}
	return pair, pair[0].Name + " and " + pair[1].Name + ", the pair that costs most", ""
}

// count counts the ways that work.
func (st *state) count() int {
	n := 0
	for i := range st.s.accounts {
		for _, p := range st.s.accounts[i].paths {
			if st.path(p) {
				n++
			}
		}
	}
	return n
}

// Singles are the losses to look at one by one: those that somebody in the circle
// holds or opens, and the services that something rests on.
func (s *Survey) Singles() []Loss {
	used := make([]bool, len(s.losses))
	mark := func(list []int) {
		for _, i := range list {
			used[i] = true
		}
	}
	for i := range s.accounts {
		for _, p := range s.accounts[i].paths {
			mark(p.dies)
			mark(p.may)
			for _, list := range [][]branch{p.needs, p.shares} {
				for j := range list {
					for _, l := range list[j].leaves {
						mark(l.dies)
						l.by.each(func(o *opening) {
							for _, who := range o.people {
								mark([]int{who.id})
								for _, by := range who.reach {
									mark(by)
								}
							}
							for _, c := range o.combinations {
								mark(c.dies)
							}
						})
					}
				}
			}
		}
	}
	var out []Loss
	for i, l := range s.losses {
		if used[i] {
			out = append(out, l)
		}
	}
	slices.SortStableFunc(out, func(a, b Loss) int { return cmp.Compare(lossRank(a.Kind), lossRank(b.Kind)) })
	return out
}

// lossRank orders kinds for people: what burns, what is stolen, who leaves, what
// fails.
func lossRank(k LossKind) int {
	return slices.Index([]LossKind{LossSite, LossPlace, LossPerson, LossKey, LossPart, LossModel, LossAccount, LossMethod, LossGroup, LossPolicy,
		LossDomain, LossFederation, LossPKI, LossMFA, LossPhone, LossInternet, LossMail, LossHalligan}, k)
}

// Accounts are those that the survey looks at.
func (s *Survey) Accounts() []register.Account {
	var out []register.Account
	for i := range s.accounts {
		out = append(out, s.accounts[i].Account)
	}
	return out
}
