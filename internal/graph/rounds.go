package graph

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/posture"
)

// first asks about the tenant as a whole and about the accounts that were named.
func (r *reading) first() []ask {
	var asks []ask
	for _, q := range tenantQuestions {
		asks = append(asks, ask{question: q})
	}
	asks = append(asks, ask{question: certificates, deal: func(a entra.Answer) []entra.Answer {
		for _, raw := range a.Items {
			r.authorities = append(r.authorities, string(entra.ParseFields(raw).ID()))
		}
		a.Items = nil // a configuration is none of the authorities that it holds
		return []entra.Answer{a}
	}})
	if r.scope.Discover {
		asks = append(asks, ask{question: tellingNames, filter: map[string]string{"names": startsWithAny("displayName", "userPrincipalName")}, deal: some(nil)})
	}
	for _, key := range r.scope.Accounts {
		asks = append(asks, r.aboutAccount(key)...)
	}
	// Whether somebody else has the name of an account now.
	asks = append(asks, several(someUsers, "userPrincipalName", r.scope.Names)...)
	if r.scope.Azure {
		for _, q := range azureQuestions {
			asks = append(asks, ask{question: q})
		}
		asks = append(asks, ask{question: subscriptions, deal: r.subscribed})
	}
	return asks
}

func startsWithAny(properties ...string) string {
	var terms []string
	for _, p := range properties {
		for _, w := range []string{"break", "bg-", "emergency", "notfall", "firecall"} {
			terms = append(terms, "startswith("+p+",'"+w+"')")
		}
	}
	return strings.Join(terms, " or ")
}

// aboutAccount asks everything about one emergency account; key is its object id
// or its user principal name.
func (r *reading) aboutAccount(key string) []ask {
	if !r.fresh("account", key) {
		return nil
	}
	var asks []ask
	for _, q := range accountQuestions {
		asks = append(asks, ask{question: q, key: key, subject: entra.ID(key)})
	}
	return asks
}

// fresh reports whether a question about an object was not asked before.
func (r *reading) fresh(what, id string) bool {
	k := what + " " + strings.ToLower(id)
	if id == "" || r.asked[k] {
		return false
	}
	r.asked[k] = true
	return true
}

// second asks about what the first answers named.
func (r *reading) second() []ask {
	r.nameAccounts()
	s := r.named()
	v := s.View()
	var asks []ask
	for _, id := range r.authorities {
		asks = append(asks, ask{question: authorities, key: id, deal: tenantWide})
	}
	if r.synchronized() {
		asks = append(asks, ask{question: synchronization})
	} else {
		r.answers = append(r.answers, entra.Answer{Part: entra.PartOnPremisesSync, State: entra.PartState{Status: entra.StatusRead}, Where: "the directory is not synchronized"})
	}
	for i := range v.Domains {
		if v.Domains[i].Authentication == "Federated" {
			asks = append(asks, ask{question: federation, key: v.Domains[i].Name, deal: r.federated(v.Domains[i].Name)})
		}
	}
	deciding, named := groupsNamed(v, r.scope.Groups, slices.Concat(r.of(entra.PartRoleAssignments), r.of(entra.PartRoleEligibility)))
	asks = append(asks, r.aboutGroups(deciding, named)...)
	asks = append(asks, r.aboutUnits(s)...)
	asks = append(asks, r.aboutPeople(r.people(v))...)
	if r.scope.Discover {
		n := 0
		for _, p := range posture.Proposals(s) {
			if p.Kind == "user" && n < discovered {
				n++
				asks = append(asks, r.aboutAccount(string(p.ID))...)
				r.ids[strings.ToLower(string(p.ID))] = p.ID
			}
		}
	}
	for _, id := range r.subscriptions {
		asks = append(asks, ask{question: alertRules, key: id}, ask{question: workspaces, key: id, deal: func(a entra.Answer) []entra.Answer {
			for _, raw := range a.Items {
				if id, ok := strings.CutPrefix(string(entra.ParseFields(raw).ID()), "/"); ok && plainResource(id) {
					r.workspaces = append(r.workspaces, "/"+id)
				}
			}
			return []entra.Answer{a}
		}})
	}
	asks = append(asks, r.eligible()...)
	return append(asks, r.logs()...)
}

// eligible asks for the registration details of those who may become Global
// Administrator, in one request.
func (r *reading) eligible() []ask {
	const most = 15 // terms of one filter
	known := map[string]bool{}
	for _, f := range r.of(entra.PartRegistrationDetails) {
		known[f.ID().Key()] = true
	}
	var terms []string
	for _, f := range r.of(entra.PartRoleEligibility) {
		p := f.Object("principal")
		name := p.Str("userPrincipalName")
		if name != "" && !known[p.ID().Key()] && posture.GlobalAdministrator.Equal(entra.ID(f.Str("roleDefinitionId"))) && len(terms) < most {
			known[p.ID().Key()] = true
			terms = append(terms, "userPrincipalName eq '"+strings.ReplaceAll(name, "'", "''")+"'")
		}
	}
	if len(terms) == 0 {
		return nil
	}
	return []ask{{question: registrations, filter: map[string]string{"ids": strings.Join(terms, " or ")}}}
}

// plainResource reports whether a resource id may be put into a path as it is.
func plainResource(id string) bool {
	return id != "" && !strings.Contains(id, "..") && strings.IndexFunc(id, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("/-_.()", c))
	}) < 0
}

// subscribed keeps the subscriptions to ask about. Where none is to be seen, the
// rules and workspaces are not known, rather than none.
func (r *reading) subscribed(a entra.Answer) []entra.Answer {
	for _, raw := range a.Items {
		if id := entra.ParseFields(raw).Str("subscriptionId"); guid.MatchString(id) {
			r.subscriptions = append(r.subscriptions, id)
		}
	}
	st := a.State
	if st.Status == entra.StatusRead && len(r.subscriptions) > 0 {
		return nil
	}
	if st.Status == entra.StatusRead {
		st = entra.PartState{Status: entra.StatusDenied, Detail: "no Azure subscription may be read by whoever is signed in"}
	}
	return []entra.Answer{{Part: entra.PartAlertRules, State: st, Where: a.Where}, {Part: entra.PartWorkspaces, State: st, Where: a.Where}}
}

// synchronized reports whether the directory takes anything from another one; what
// is not known may.
func (r *reading) synchronized() bool {
	for _, o := range r.of(entra.PartOrganization) {
		if is, known := o.Flag("onPremisesSyncEnabled"); known && !is {
			return false
		}
	}
	return true
}

// third asks about what the second answers named.
func (r *reading) third() []ask {
	r.nameAccounts()
	s := r.named()
	v := s.View()
	var nested, people []entra.ID
	for _, a := range r.answers {
		if a.Part != entra.PartGroups || a.Relation != entra.RelationMembers {
			continue
		}
		for _, raw := range a.Items {
			f := entra.ParseFields(raw)
			switch f.ODataType() {
			case "group":
				nested = append(nested, f.ID())
			case "user":
				people = append(people, f.ID())
			}
		}
	}
	asks := r.aboutGroups(nested, nil)
	if r.scope.Discover {
		n := 0
		for _, p := range posture.Proposals(s) {
			if p.Kind != "group" || !p.Strong() {
				continue
			}
			for _, g := range v.Groups {
				for _, m := range g.Members {
					if g.ID.Equal(p.ID) && n < discovered && slices.ContainsFunc(v.Users, func(u entra.User) bool { return u.ID.Equal(m) }) {
						n++
						asks = append(asks, r.aboutAccount(string(m))...)
						r.ids[m.Key()] = m
					}
				}
			}
		}
	}
	for _, id := range r.workspaces {
		asks = append(asks, ask{question: sentinelRules, key: id})
	}
	asks = append(asks, r.aboutPeople(people)...)
	return append(asks, r.aboutUnits(s)...)
}

// nameAccounts files what was read under a user principal name under the
// account's id.
func (r *reading) nameAccounts() {
	for i := range r.answers {
		a := &r.answers[i]
		if a.Part == entra.PartUsers && len(a.Items) == 1 && r.asked["account "+strings.ToLower(string(a.Subject))] {
			if id := entra.ParseFields(a.Items[0]).ID(); id != "" {
				r.ids[strings.ToLower(string(a.Subject))] = id
			}
		}
	}
	for i := range r.answers {
		if id, ok := r.ids[strings.ToLower(string(r.answers[i].Subject))]; ok {
			r.answers[i].Subject = id
		}
	}
}

// accountIDs are the object ids of the accounts that exist.
func (r *reading) accountIDs() []entra.ID {
	var out []entra.ID
	for _, id := range r.ids {
		if !slices.ContainsFunc(out, id.Equal) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b entra.ID) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

// groupsNamed are the groups that something in the tenant names. Of those that
// decide (what policies exclude, what holds roles, what the register names) the
// members are read; of the others it is enough that they exist: whether an account
// is in one is told by the account.
func groupsNamed(v *entra.Content, registered []entra.ID, assignments []entra.Fields) (deciding, named []entra.ID) {
	add := func(to *[]entra.ID, ids ...entra.ID) {
		for _, id := range ids {
			if id.IsGUID() && !slices.ContainsFunc(*to, id.Equal) {
				*to = append(*to, id)
			}
		}
	}
	add(&deciding, registered...)
	for i := range v.Policies {
		u := &v.Policies[i].Conditions.Users
		add(&deciding, u.ExcludeGroups...)
		add(&named, u.IncludeGroups...)
	}
	for _, f := range assignments {
		if f.Object("principal").ODataType() == "group" {
			add(&deciding, f.Object("principal").ID())
		}
	}
	for i := range v.Accounts {
		add(&named, v.Accounts[i].Memberships...)
	}
	return deciding, named
}

// aboutGroups asks for groups, and for the members and owners of those that
// decide. Those beyond manyGroups are left unread, and so not known.
func (r *reading) aboutGroups(deciding, named []entra.ID) []ask {
	var asks []ask
	var fresh []entra.ID
	for _, id := range deciding {
		if len(fresh) < manyGroups && r.fresh("members", string(id)) {
			asks = append(asks, ask{question: groupMembers, key: string(id), subject: id}, ask{question: groupOwners, key: string(id), subject: id})
			fresh = append(fresh, id)
		}
	}
	fresh = fresh[:0:0]
	for _, id := range slices.Concat(deciding, named) {
		if len(fresh) < manyPeople && r.fresh("group", string(id)) {
			fresh = append(fresh, id)
		}
	}
	return append(asks, several(someGroups, "id", fresh)...)
}

// aboutUnits asks who is in the administrative units that hold an account or
// restrict who manages their members.
func (r *reading) aboutUnits(s *entra.Snapshot) []ask {
	var ids []entra.ID
	for _, u := range s.Objects(entra.PartAdministrativeUnits) {
		if restricted, known := u.Flag("isMemberManagementRestricted"); restricted || !known {
			ids = append(ids, u.ID())
		}
	}
	for _, a := range r.answers {
		if a.Part == entra.PartAccounts && a.Relation == entra.RelationMemberships {
			for _, raw := range a.Items {
				if f := entra.ParseFields(raw); f.ODataType() == "administrativeUnit" {
					ids = append(ids, f.ID())
				}
			}
		}
	}
	var asks []ask
	for _, id := range ids {
		if r.fresh("unit", string(id)) {
			asks = append(asks, ask{question: unitMembers, key: string(id), subject: id}, ask{question: unitRoles, key: string(id), subject: id})
		}
	}
	return asks
}

// people are those who hold a role or a part of an account, or whom a policy
// names.
func (r *reading) people(v *entra.Content) []entra.ID {
	out := slices.Clone(r.scope.People)
	for i := range v.Policies {
		out = slices.Concat(out, v.Policies[i].Conditions.Users.ExcludeUsers, v.Policies[i].Conditions.Users.IncludeUsers)
	}
	for i := range v.RolePolicies {
		out = append(out, v.RolePolicies[i].Approvers...)
	}
	others := map[string]bool{}
	for _, f := range r.of(entra.PartRoleAssignments) {
		if t := f.Object("principal").ODataType(); t != "" && t != "user" {
			others[f.Object("principal").ID().Key()] = true
		}
	}
	for i := range v.RoleAssignments {
		if id := v.RoleAssignments[i].Principal; !others[id.Key()] {
			out = append(out, id)
		}
	}
	return out
}

func (r *reading) aboutPeople(ids []entra.ID) []ask {
	var fresh []entra.ID
	for _, id := range ids {
		if id.IsGUID() && len(fresh) < manyPeople && r.fresh("user", string(id)) {
			fresh = append(fresh, id)
		}
	}
	asks := several(someUsers, "id", fresh)
	var holders []entra.ID
	for _, id := range r.scope.People {
		if id.IsGUID() {
			holders = append(holders, id)
		}
	}
	return append(asks, several(leavingUsers, "id", holders)...)
}

// several asks about many objects with few requests.
func several(q question, property string, ids []entra.ID) []ask {
	var asks []ask
	for these := range slices.Chunk(ids, perFilter) {
		var quoted []string
		for _, id := range these {
			quoted = append(quoted, "'"+strings.ReplaceAll(string(id), "'", "''")+"'")
		}
		asks = append(asks, ask{question: q, filter: map[string]string{"ids": property + " in (" + strings.Join(quoted, ",") + ")"}, deal: some(these)})
	}
	return asks
}

// some files objects of a part of which only some were asked for, each as a
// reading of its own: the others were not asked about. One that was asked for
// and did not come does not exist. A refusal is the part's.
func some(wanted []entra.ID) func(entra.Answer) []entra.Answer {
	return func(a entra.Answer) []entra.Answer {
		if a.State.Status != entra.StatusRead {
			a.Items = nil
			return []entra.Answer{a}
		}
		var out []entra.Answer
		var came []entra.ID
		for _, raw := range a.Items {
			f := entra.ParseFields(raw)
			if id := f.ID(); id != "" {
				one := a
				one.Subject, one.Items = id, []json.RawMessage{raw}
				out, came = append(out, one), append(came, id, entra.ID(f.Str("userPrincipalName")))
			}
		}
		for _, id := range wanted {
			if !slices.ContainsFunc(came, id.Equal) {
				one := a
				one.Subject, one.Items = id, nil
				out = append(out, one)
			}
		}
		return out
	}
}

// tenantWide files what was asked of one object under the tenant.
func tenantWide(a entra.Answer) []entra.Answer {
	a.Subject = ""
	return []entra.Answer{a}
}

// federated puts a domain's federation into the domain.
func (r *reading) federated(name string) func(entra.Answer) []entra.Answer {
	return func(a entra.Answer) []entra.Answer {
		if a.State.Status != entra.StatusRead {
			a.Items = nil
			return []entra.Answer{a}
		}
		for i := range r.answers {
			have := &r.answers[i]
			for j, raw := range have.Items {
				if have.Part != entra.PartDomains || !strings.EqualFold(string(entra.ParseFields(raw).ID()), name) {
					continue
				}
				var object map[string]json.RawMessage
				if json.Unmarshal(raw, &object) != nil {
					continue
				}
				list, err := json.Marshal(a.Items)
				if err != nil {
					continue
				}
				object["federationConfiguration"] = list
				if whole, err := json.Marshal(object); err == nil {
					have.Items = slices.Clone(have.Items)
					have.Items[j] = whole
				}
			}
		}
		return nil
	}
}

// logs asks for what happened to the accounts and what they did, once for all of
// them, and whether policies are changing under our hands.
func (r *reading) logs() []ask {
	since := r.begun.Add(-r.scope.Logs).UTC().Format(time.RFC3339)
	asks := []ask{{question: policyAudits, filter: map[string]string{"since": r.begun.UTC().Format(time.RFC3339)}, deal: func(a entra.Answer) []entra.Answer {
		r.changes += len(a.Items)
		return nil
	}}}
	ids := r.accountIDs()
	if len(ids) == 0 {
		return asks
	}
	each := func(term string) string {
		var terms []string
		for _, id := range ids {
			terms = append(terms, strings.ReplaceAll(term, "{id}", string(id)))
		}
		return strings.Join(terms, " or ")
	}
	for _, x := range []struct {
		question
		term, about string
	}{
		{riskyUsers, "id eq '{id}'", "id"},
		{riskDetections, "userId eq '{id}'", "userId"},
		{signIns, "userId eq '{id}'", "userId"},
		{accountAudits, "initiatedBy/user/id eq '{id}'", "initiatedBy.user.id"},
	} {
		asks = append(asks, ask{question: x.question, filter: map[string]string{"ids": each(x.term), "since": since}, deal: dealTo(ids, x.about)})
	}
	return asks
}

// dealTo gives the records of one answer to the accounts that they are about. An
// account without records has a reading without any.
func dealTo(ids []entra.ID, about string) func(entra.Answer) []entra.Answer {
	return func(a entra.Answer) []entra.Answer {
		var out []entra.Answer
		for _, id := range ids {
			one := a
			one.Subject, one.Items = id, nil
			for _, raw := range a.Items {
				if id.Equal(entra.ID(entra.ParseFields(raw).Str(about))) {
					one.Items = append(one.Items, raw)
				}
			}
			out = append(out, one)
		}
		return out
	}
}
