package entra_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"halligan/entra"
)

func raws(texts ...string) []json.RawMessage {
	var out []json.RawMessage
	for _, t := range texts {
		out = append(out, json.RawMessage(t))
	}
	return out
}

var wasRead = entra.PartState{Status: entra.StatusRead}

func TestAnswersBecomeOneSnapshot(t *testing.T) {
	const ana, group = entra.ID("11111111-1111-1111-1111-111111111111"), entra.ID("22222222-2222-2222-2222-222222222222")
	s := entra.Assemble("tenant", "public", time.Unix(0, 0).UTC(), []entra.Answer{
		{Part: entra.PartPolicies, State: wasRead, Where: "policies", Items: raws(`{"id":"p1","displayName":"block","state":"enabled","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)},
		{Part: entra.PartUsers, Subject: ana, State: wasRead, Items: raws(`{"id":"` + string(ana) + `","userPrincipalName":"ana@x","accountEnabled":true}`)},
		{Part: entra.PartAccounts, Relation: entra.RelationMethods, Subject: ana, State: wasRead, Items: raws(`{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"k","aaGuid":"x"}`)},
		{Part: entra.PartAccounts, Relation: entra.RelationMemberships, Subject: ana, State: entra.PartState{Status: entra.StatusDenied, Detail: "403"},
			Items: nil},
		{Part: entra.PartAccounts, Relation: entra.RelationRequirements, Subject: ana, State: wasRead, Items: raws(`{"perUserMfaState":"Enforced"}`)},
		{Part: entra.PartGroups, Subject: group, State: wasRead, Items: raws(`{"id":"` + string(group) + `","displayName":"g","groupTypes":[]}`)},
		{Part: entra.PartGroups, Relation: entra.RelationMembers, Subject: group, State: wasRead, Items: raws(`{"@odata.type":"#microsoft.graph.user","id":"` + string(ana) + `"}`)},
		{Part: entra.PartDevices, Subject: ana, State: wasRead},
		{Part: entra.PartDomains, State: entra.PartState{Status: entra.StatusCutShort, Detail: "page 2"}, Items: raws(`{"id":"x","isInitial":true,"authenticationType":"Managed"}`)},
	})
	v := s.View()
	if len(v.Policies) != 1 || s.Status(entra.PartPolicies).Status != entra.StatusRead {
		t.Errorf("policies: got %d, %v", len(v.Policies), s.Status(entra.PartPolicies))
	}
	if len(v.Accounts) != 1 || !v.Accounts[0].MethodsRead || v.Accounts[0].MembersRead || v.Accounts[0].PerUserMFA != "enforced" || len(v.Accounts[0].Methods) != 1 {
		t.Errorf("account: got %+v", v.Accounts)
	}
	if len(v.Groups) != 1 || !v.Groups[0].MembersRead || len(v.Groups[0].Members) != 1 || v.Groups[0].DisplayName != "g" {
		t.Errorf("groups: got %+v", v.Groups)
	}
	if _, st := s.Of(entra.PartDevices, ana); st.Status != entra.StatusRead {
		t.Errorf("an empty list that was read is a reading: got %v", st)
	}
	if _, st := s.Of(entra.PartDevices, group); st.Status != entra.StatusNotAsked {
		t.Errorf("nobody asked for the devices of another: got %v", st)
	}
	if got := s.Status(entra.PartAccounts).Status; got != entra.StatusDenied {
		t.Errorf("one list of the account was denied: got %v", got)
	}
	if got := s.Status(entra.PartDomains).Status; got != entra.StatusCutShort {
		t.Errorf("domains: got %v", got)
	}
	if got := s.Status(entra.PartUsers).Status; got != entra.StatusNotAsked {
		t.Errorf("one user is not all users: got %v", got)
	}
	again, err := entra.Read(entra.Source{Name: "snapshot", Data: s.JSON()})
	if err != nil || again.Digest() != s.Digest() {
		t.Errorf("the snapshot does not survive its own form: %v, %v", err, again.View().Troubles)
	}
}

func TestAnElementThatIsNoObjectIsNotSkipped(t *testing.T) {
	s := entra.Assemble("t", "", time.Time{}, []entra.Answer{{Part: entra.PartPolicies, State: wasRead, Where: "policies", Items: raws(`"text"`)}})
	if s.Status(entra.PartPolicies).Status == entra.StatusRead || len(s.View().Troubles) == 0 {
		t.Errorf("got %v, troubles %v", s.Status(entra.PartPolicies), s.View().Troubles)
	}
}

// Of a policy without its rules nobody knows whether it asks for approval.
func TestRolePolicyWithoutRulesIsTrouble(t *testing.T) {
	for _, policy := range []string{`{}`, `{"policy":null}`, `{"policy":{"id":"p"}}`, `{"policy":{"id":"p","rules":null}}`} {
		raw := json.RawMessage(`{"scopeType":"DirectoryRole","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10",` + strings.TrimPrefix(policy, "{"))
		if policy == `{}` {
			raw = json.RawMessage(`{"scopeType":"DirectoryRole","roleDefinitionId":"62e90394-69f5-4237-9190-012177145e10"}`)
		}
		s := entra.Assemble("5a8d0000-0000-4000-8000-000000000002", "public", time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
			[]entra.Answer{{Part: entra.PartRolePolicies, Items: []json.RawMessage{raw}, State: entra.PartState{Status: entra.StatusRead}}})
		if v := s.View(); len(v.Troubles) != 1 || len(v.RolePolicies) != 0 {
			t.Errorf("%s: got %d troubles and %d policies", policy, len(v.Troubles), len(v.RolePolicies))
		}
	}
}

// One list of a part was refused: whoever asks for the subject must not hear that
// the part was read.
func TestOfTwoAnswersAboutASubjectTheWorseCounts(t *testing.T) {
	const ana = entra.ID("11111111-1111-1111-1111-111111111111")
	denied := entra.PartState{Status: entra.StatusDenied, Detail: "403"}
	for _, states := range [][]entra.PartState{{wasRead, denied}, {denied, wasRead}} {
		var answers []entra.Answer
		for _, st := range states {
			answers = append(answers, entra.Answer{Part: entra.PartDevices, Subject: ana, State: st})
		}
		s := entra.Assemble("t", "", time.Time{}, answers)
		if _, st := s.Of(entra.PartDevices, ana); st.Status != entra.StatusDenied {
			t.Errorf("%v: got %v, want denied", states, st)
		}
	}
}
