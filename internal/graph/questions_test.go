package graph

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/contract"
	"halligan/internal/testenv"
)

// everyQuestion is all that is ever asked.
func everyQuestion() []question {
	return slices.Concat(tenantQuestions, accountQuestions, azureQuestions, []question{riskyUsers, riskDetections, signIns, accountAudits, policyAudits, synchronization, someUsers, leavingUsers,
		someGroups, groupMembers, groupOwners, unitMembers, unitRoles, federation, certificates, authorities, tellingNames, whatIf, subscriptions, alertRules, workspaces, sentinelRules})
}

// described finds the operation that a question is put to.
func (q question) described(c *contract.Contract) (*contract.Operation, string, error) {
	method := "GET"
	if q.post {
		method = "POST"
	}
	const workspace = "/subscriptions/a/resourceGroups/b/providers/Microsoft.OperationalInsights/workspaces/c"
	path := strings.Replace(q.path, "{id}", "a", 1)
	if strings.HasPrefix(q.path, "{id}") {
		path = strings.Replace(q.path, "{id}", workspace, 1)
	}
	o, err := c.Find(method, cmp.Or(string(q.version), contract.V1), path)
	return o, path, err
}

// Each question is one that Microsoft describes, with options that it has.
func TestQuestionsAreDescribed(t *testing.T) {
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range everyQuestion() {
		o, path, err := q.described(c)
		if err != nil {
			t.Error(err)
			continue
		}
		query := strings.NewReplacer("{ids}", "id eq 'a'", "{names}", "startswith(displayName,'a')", "{since}", "2026-01-01T00:00:00Z").Replace(q.query)
		if q.path == "/users" || q.path == "/groups" {
			query = strings.Replace(query, "id eq 'a'", "id in ('a')", 1)
		}
		parts := strings.Split(query, "&")
		for i, p := range parts {
			name, value, _ := strings.Cut(p, "=")
			parts[i] = name + "=" + url.QueryEscape(value)
		}
		address := "https://graph.microsoft.com"
		if q.version != ARM {
			address += "/" + string(q.version)
		}
		x := contract.Exchange{Method: o.Method, URL: address + path + "?" + strings.Join(parts, "&"), Fault: "the question alone"}
		if q.counted {
			x.RequestHeader = http.Header{}
			x.RequestHeader.Set("ConsistencyLevel", "eventual")
		}
		if query == "" {
			x.URL = address + path
		}
		for _, v := range c.Check(x) {
			if v.Rule != "body" { // What If has one; crosscheck is judged as it runs
				t.Errorf("%s: %s", x.URL, v)
			}
		}
	}
}

// Each documented answer to a question is taken whole: nothing in it is trouble.
func TestDocumentedAnswersAreUnderstood(t *testing.T) {
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	unneeded, answers := map[string]bool{}, 0
	for file := range incomplete {
		unneeded[file] = true
	}
	for _, q := range everyQuestion() {
		o, _, err := q.described(c)
		if err != nil || q.part == "" || q.post || q.beside {
			continue
		}
		for _, e := range c.ExamplesOf(o) {
			if e.Exchange.Status != 200 || strings.Contains(e.Exchange.URL, "$select") {
				continue
			}
			var list struct{ Value []json.RawMessage }
			if err := json.Unmarshal(e.Exchange.ResponseBody, &list); err != nil {
				t.Errorf("%s: %v", e.File, err)
				continue
			}
			items := list.Value
			if q.single {
				items = []json.RawMessage{json.RawMessage(e.Exchange.ResponseBody)}
			}
			answers++
			a := entra.Answer{Part: q.part, Relation: q.relation, Items: items, State: entra.PartState{Status: entra.StatusRead}, Where: e.File}
			if strings.Contains(q.path, "{id}") {
				a.Subject = "5a8d0000-0000-4000-8000-000000000001"
			}
			s := entra.Assemble("5a8d0000-0000-4000-8000-000000000002", "public", time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), []entra.Answer{a})
			for _, trouble := range s.View().Troubles {
				if incomplete[e.File] == "" {
					t.Errorf("%s (%s): %+v", e.File, q.path, trouble)
				}
				delete(unneeded, e.File)
			}
		}
	}
	for file := range unneeded {
		t.Errorf("%s is listed and is understood", file)
	}
	if answers < 40 {
		t.Errorf("only %d documented answers were tried", answers)
	}
	t.Logf("%d documented answers", answers)
}

// incomplete lists the examples that leave out what an answer of Graph has.
var incomplete = map[string]string{
	"v1.0.policyroot-list-rolemanagementpolicyassignments.1.json": "asked without $expand, so without the rules",
}
