package sandbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bench is a Graph with a caller of its own.
type bench struct {
	t      testing.TB
	g      *graph
	caller Caller
	at     time.Time
	heard  io.Writer // who is told what is said; nil the judge of all tests
}

const testHost = "localhost:8443"

func newBench(t testing.TB, name string) *bench {
	t.Helper()
	st, err := Example(name)
	if err != nil {
		t.Fatal(err)
	}
	return benchOf(t, st)
}

func benchOf(t testing.TB, st *State) *bench {
	b := &bench{t: t, at: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	s := &Server{Tenant: Tenant{state: st}, config: Config{State: st, Host: testHost, Now: func() time.Time { return b.at }}, faults: &Faults{}}
	b.g = newGraph(s)
	b.g.who = func(*http.Request) (Caller, error) { return b.caller, nil }
	b.everything()
	return b
}

// everything makes the caller an application that may do what an application may,
// with the role of Global Administrator.
func (b *bench) everything() {
	b.caller = Caller{AppID: "5a8d0000-0000-4000-8000-000000000001", Permissions: graphPermissions()}
	b.g.View(func(st *State) {
		st.Put("servicePrincipals", "5a8d0000-0000-4000-8000-00000000000a", Object{"id": "5a8d0000-0000-4000-8000-00000000000a", "appId": b.caller.AppID, "displayName": "Test", "appRoles": []any{}})
		st.Put(setAssignments, "5a8d0000-0000-4000-8000-00000000000b", Object{"id": "5a8d0000-0000-4000-8000-00000000000b", "principalId": "5a8d0000-0000-4000-8000-00000000000a", "roleDefinitionId": globalAdmin, "directoryScopeId": "/"})
	})
}

// as makes a person the caller, with all permissions.
func (b *bench) as(upn string) {
	b.caller = Caller{AppID: firstParties[1].app, UserID: b.id(upn), Permissions: graphPermissions()}
}

// id is the object id of a user.
func (b *bench) id(upn string) (id string) {
	b.g.View(func(st *State) { id = text(st.userNamed(upn), "id") })
	if id == "" {
		b.t.Fatalf("there is no user %s", upn)
	}
	return id
}

type reply struct {
	status int
	body   Object
	text   string
	header http.Header
}

func (r reply) code() string {
	return text(r.body, "error", "code") + ": " + text(r.body, "error", "message")
}

func (b *bench) do(method, path, body string, headers ...string) reply {
	b.t.Helper()
	r := httptest.NewRequest(method, "https://"+testHost+strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	version := v1
	if strings.HasPrefix(path, "/beta") {
		version = beta
	}
	w := httptest.NewRecorder()
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.g.serve(w, r, version) })
	to := judged(Config{}).Record
	if b.heard != nil {
		to = b.heard
	}
	newRecorder(to).around(serve)(w, r)
	out := reply{status: w.Code, text: w.Body.String(), header: w.Header()}
	if strings.HasPrefix(strings.TrimSpace(out.text), "{") {
		if err := json.Unmarshal(w.Body.Bytes(), &out.body); err != nil {
			b.t.Fatalf("%s %s: %v\n%s", method, path, err, out.text)
		}
	}
	return out
}

func (b *bench) must(status int, method, path, body string, headers ...string) reply {
	b.t.Helper()
	r := b.do(method, path, body, headers...)
	if r.status != status {
		b.t.Fatalf("%s %s: got %d, want %d: %s", method, path, r.status, status, r.text)
	}
	return r
}

const newUser = `{"accountEnabled":true,"displayName":"New","mailNickname":"new","userPrincipalName":"new@contoso.onmicrosoft.com","passwordProfile":{"password":"Str0ng-enough!"}}`

const newPolicy = `{"displayName":"P","state":"disabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`

// What is read: status, and a property that must be in the answer.
func TestReadsAnswerAsDocumented(t *testing.T) {
	b := newBench(t, "contoso-p2")
	kestrel := "kestrel.ash@contoso.onmicrosoft.com"
	id := b.id(kestrel)
	for _, c := range []struct{ name, path, has string }{
		{"users have eleven properties by default", "/v1.0/users?$top=1", `"officeLocation"`},
		{"a selected property comes, null or not", "/v1.0/users/" + kestrel + "?$select=id,accountEnabled,onPremisesSyncEnabled", `"onPremisesSyncEnabled":null`},
		{"a user by name", "/v1.0/users(userPrincipalName='" + kestrel + "')", id},
		{"a user by key in brackets", "/v1.0/users('" + id + "')", kestrel},
		{"members carry their type", "/v1.0/groups?$filter=displayName eq 'Conditional Access exclusions'&$expand=members", `"@odata.type":"#microsoft.graph.user"`},
		{"a cast of memberships", "/v1.0/users/" + id + "/transitiveMemberOf/microsoft.graph.group", "Conditional Access exclusions"},
		{"role memberships", "/v1.0/users/" + id + "/memberOf", `"roleTemplateId":"62e90394-69f5-4237-9190-012177145e10"`},
		{"methods have the password method", "/v1.0/users/" + id + "/authentication/methods", passwordMethod},
		{"keys", "/v1.0/users/" + id + "/authentication/fido2Methods", `"aaGuid":"cb69481e`},
		{"per-user MFA in beta", "/beta/users/" + id + "/authentication/requirements", `"perUserMfaState":"disabled"`},
		{"policies", "/v1.0/identity/conditionalAccess/policies", "CA002 Require MFA for all users"},
		{"built-in strengths", "/v1.0/policies/authenticationStrengthPolicies/" + phishingResistant, "x509CertificateMultiFactor"},
		{"the other address of strengths", "/v1.0/identity/conditionalAccess/authenticationStrength/policies?$expand=combinationConfigurations", `"combinationConfigurations":[]`},
		{"a configuration by name without case", "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/fido2", `"id":"Fido2"`},
		{"security defaults", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", `"isEnabled":false`},
		{"the authorization policy is one object in v1.0", "/v1.0/policies/authorizationPolicy", `"allowedToUseSSPR"`},
		{"and a list in beta", "/beta/policies/authorizationPolicy", `"value":[`},
		{"PIM policies with rules", "/v1.0/policies/roleManagementPolicyAssignments?$filter=scopeId eq '/' and scopeType eq 'DirectoryRole'&$expand=policy($expand=rules)", "Approval_EndUser_Assignment"},
		{"eligible roles", "/v1.0/roleManagement/directory/roleEligibilityScheduleInstances", `"memberType":"Direct"`},
		{"a service principal by application", "/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?$select=id,appRoles", `"value":"Policy.Read.All"`},
		{"registration details", "/v1.0/reports/authenticationMethods/userRegistrationDetails?$top=3", `"isMfaCapable"`},
		{"sign-ins", "/v1.0/auditLogs/signIns?$filter=createdDateTime ge 2020-01-01T00:00:00Z", `"conditionalAccessStatus"`},
		{"beta sign-ins by kind", "/beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'interactiveUser')", `"signInEventTypes"`},
		{"licences of the tenant", "/v1.0/subscribedSkus", "AAD_PREMIUM_P2"},
		{"the count, with the header", "/v1.0/users?$count=true&$top=1", `"@odata.count"`},
	} {
		r := b.must(200, "GET", c.path, "", "ConsistencyLevel", "eventual")
		if !strings.Contains(r.text, c.has) {
			t.Errorf("%s: GET %s lacks %s:\n%.600s", c.name, c.path, c.has, r.text)
		}
		if r.header.Get("request-id") == "" || r.header.Get("x-ms-resource-unit") == "" || !strings.HasPrefix(text(r.body, "@odata.context"), "https://"+testHost) {
			t.Errorf("%s: headers or context are missing: %v %s", c.name, r.header, text(r.body, "@odata.context"))
		}
	}
	if r := b.must(200, "GET", "/v1.0/users?$top=1", ""); strings.Contains(r.text, "accountEnabled") || strings.Contains(r.text, "@odata.count") {
		t.Errorf("a plain list of users shows too much: %s", r.text)
	}
	if r := b.must(200, "GET", "/v1.0/policies/authenticationMethodsPolicy", ""); strings.Contains(r.text, "HardwareOath") || strings.Contains(r.text, "systemCredentialPreferences") {
		t.Error("v1.0 shows what only beta has")
	}
	if r := b.must(200, "GET", "/v1.0/users/$count", "", "ConsistencyLevel", "eventual"); r.text != "33" && len(r.text) > 3 {
		t.Errorf("$count is no number: %q", r.text)
	}
}

func TestPagesFollowEachOtherAndEnd(t *testing.T) {
	b := newBench(t, "contoso-p1")
	next, seen, pages := "/v1.0/users?$top=7&$select=id", map[string]bool{}, 0
	for next != "" {
		r := b.must(200, "GET", next, "")
		for _, o := range objects(r.body, "value") {
			if seen[text(o, "id")] {
				t.Fatalf("%s came twice", text(o, "id"))
			}
			seen[text(o, "id")] = true
		}
		pages++
		next = strings.TrimPrefix(text(r.body, "@odata.nextLink"), "https://"+testHost)
		if next != "" && !strings.Contains(next, "$top=7") {
			t.Fatalf("the next page forgets the options: %s", next)
		}
	}
	b.g.View(func(st *State) {
		if n := st.Count("users"); len(seen) != n || pages != (n+6)/7 {
			t.Errorf("got %d users on %d pages, want %d", len(seen), pages, n)
		}
	})
	b.must(400, "GET", "/v1.0/users?$skiptoken=nonsense", "")
}

// A tenant without a licence refuses what needs one, with the documented error.
func TestTenantWithoutLicenceRefuses(t *testing.T) {
	b := newBench(t, "contoso-free")
	for path, code := range map[string]string{
		"/v1.0/auditLogs/signIns":                                     "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
		"/v1.0/reports/authenticationMethods/userRegistrationDetails": "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
		"/v1.0/users?$select=id,signInActivity":                       "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
		"/v1.0/identity/conditionalAccess/policies":                   "AccessDenied",
		"/v1.0/identityProtection/riskyUsers":                         "AccessDenied",
		"/v1.0/identityGovernance/lifecycleWorkflows/workflows":       "AccessDenied",
	} {
		if r := b.must(403, "GET", path, ""); text(r.body, "error", "code") != code || text(r.body, "error", "innerError", "request-id") == "" {
			t.Errorf("GET %s: %s", path, r.text)
		}
	}
	b.must(200, "GET", "/v1.0/auditLogs/directoryAudits", "")
}

func TestUserLivesAndComesBack(t *testing.T) {
	b := newBench(t, "contoso-p2")
	r := b.must(201, "POST", "/v1.0/users", newUser)
	id := text(r.body, "id")
	if r := b.must(200, "GET", "/v1.0/users/"+id+"?$select=passwordProfile,userType", ""); strings.Contains(r.text, "Str0ng") {
		t.Error("the password is shown")
	}
	b.must(204, "PATCH", "/v1.0/users/"+id, `{"displayName":"Renamed"}`)
	role := b.must(201, "POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"`+id+`","roleDefinitionId":"`+globalReader+`","directoryScopeId":"/"}`)
	b.must(400, "POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"`+id+`","roleDefinitionId":"`+globalReader+`","directoryScopeId":"/"}`)
	if r := b.must(200, "POST", "/v1.0/users/"+id+"/revokeSignInSessions", ""); r.body["value"] != true {
		t.Errorf("revokeSignInSessions answers %s", r.text)
	}
	b.must(204, "DELETE", "/v1.0/users/"+id, "")
	b.must(404, "GET", "/v1.0/users/"+id, "")
	b.must(404, "GET", "/v1.0/roleManagement/directory/roleAssignments/"+text(role.body, "id"), "")
	if r := b.must(200, "GET", "/v1.0/directory/deletedItems/microsoft.graph.user", ""); !strings.Contains(r.text, id) {
		t.Error("the deleted user is not among the deleted")
	}
	b.must(200, "POST", "/v1.0/directory/deletedItems/"+id+"/restore", "")
	b.must(200, "GET", "/v1.0/roleManagement/directory/roleAssignments/"+text(role.body, "id"), "")
	b.must(204, "DELETE", "/v1.0/users/"+id, "")
	b.must(204, "DELETE", "/v1.0/directory/deletedItems/"+id, "")
	b.must(404, "POST", "/v1.0/directory/deletedItems/"+id+"/restore", "")
}

func TestBatchAnswersEachPartByItself(t *testing.T) {
	b := newBench(t, "contoso-p2")
	r := b.must(200, "POST", "/v1.0/$batch", `{"requests":[
		{"id":"1","method":"GET","url":"/organization?$select=id"},
		{"id":"2","method":"GET","url":"/users/00000000-dead-4000-8000-000000000000"},
		{"id":"3","method":"GET","url":"/domains","dependsOn":["2"]},
		{"id":"4","method":"POST","url":"/users","headers":{"Content-Type":"application/json"},"body":`+newUser+`}]}`)
	want := map[string]float64{"1": 200, "2": 404, "3": 424, "4": 201}
	list := objects(r.body, "responses")
	if len(list) != 4 || text(list[0], "id") != "4" {
		t.Fatalf("got %s", r.text)
	}
	for _, p := range list {
		if p["status"] != want[text(p, "id")] || p["body"] == nil {
			t.Errorf("part %v: %v", p["id"], p["status"])
		}
	}
	for _, bad := range []string{`{}`, `{"requests":[{"id":"1","method":"GET","url":"/users"},{"id":"1","method":"GET","url":"/users"}]}`,
		`{"requests":[{"id":"1","method":"GET","url":"/users","dependsOn":["9"]}]}`, `{"requests":[{"id":"1","method":"POST","url":"/users","body":{}}]}`,
		`{"requests":[` + strings.Repeat(`{"id":"1","method":"GET","url":"/users"},`, 20) + `{"id":"x","method":"GET","url":"/users"}]}`} {
		b.must(400, "POST", "/v1.0/$batch", bad)
	}
}

func TestNewObjectIsNotVisibleEverywhereAtOnce(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.g.late = func() (time.Duration, bool) { return window, true }
	id := text(b.must(201, "POST", "/v1.0/users", newUser).body, "id")
	b.must(404, "GET", "/v1.0/users/"+id, "")
	b.must(404, "POST", "/v1.0/roleManagement/directory/roleAssignments", `{"principalId":"`+id+`","roleDefinitionId":"`+globalReader+`","directoryScopeId":"/"}`)
	b.at = b.at.Add(window)
	b.must(200, "GET", "/v1.0/users/"+id, "")
}

func TestMillionUsersAreListedWithoutBeingMade(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.g.View(func(st *State) { st.Grow(1_000_000) })
	allocated := testing.AllocsPerRun(3, func() { b.must(200, "GET", "/v1.0/users?$top=100", "") })
	if allocated > 100_000 {
		t.Errorf("a page of 100 users made %.0f objects", allocated)
	}
	r := b.must(200, "GET", "/v1.0/users?$top=999&$skiptoken="+token(999_990), "")
	if n := len(objects(r.body, "value")); n != 10 || r.body["@odata.nextLink"] != nil {
		t.Errorf("the last page has %d users", n)
	}
	last := text(objects(r.body, "value")[9], "id")
	b.must(204, "PATCH", "/v1.0/users/"+last, `{"displayName":"One of many"}`)
	if r := b.must(200, "GET", "/v1.0/users/"+last, ""); text(r.body, "displayName") != "One of many" {
		t.Errorf("the change is lost: %s", r.text)
	}
	b.must(204, "DELETE", "/v1.0/users/"+last, "")
	b.must(404, "GET", "/v1.0/users/"+last, "")
	if n := b.must(200, "GET", "/v1.0/users/$count", "", "ConsistencyLevel", "eventual").text; n != "999999" {
		t.Errorf("got %s users after one of a million was deleted", n)
	}
}

// What is written says that it is JSON.
func TestWritesNeedTheirContentType(t *testing.T) {
	b := newBench(t, "contoso-free")
	for kind, want := range map[string]int{"application/json": 201, "application/json; charset=utf-8": 201, "": 400, "text/plain": 400} {
		body := strings.ReplaceAll(newUser, "new@", fmt.Sprintf("new%d@", len(kind)))
		if r := b.do("POST", "/v1.0/users", body, "Content-Type", kind); r.status != want {
			t.Errorf("%q: got %d %s, want %d", kind, r.status, r.code(), want)
		}
	}
}
