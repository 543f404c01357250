package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestResourceManagerAnswersAsDocumented(t *testing.T) {
	st, err := Example("contoso-hardened")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Tenant: Tenant{state: st}, config: Config{Host: testHost, Now: time.Now}, faults: &Faults{}}
	audience := "https://management.azure.com"
	door := armDoor{s, func(*http.Request) (Caller, error) { return Caller{AppID: "a", Audience: audience}, nil }}
	get := func(method, path string) (int, string, Object) {
		w := httptest.NewRecorder()
		door.serve(w, httptest.NewRequest(method, "https://"+testHost+path, nil))
		var body Object
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return w.Code, text(body, "error", "code"), body
	}
	_, _, subs := get("GET", "/subscriptions?api-version=2022-12-01")
	sub := text(objects(subs, "value")[0], "id")
	for _, c := range []struct {
		method, path string
		status       int
		code         string
		list         int
	}{
		{"GET", "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter=atScope()", 200, "", 0},
		{"GET", "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01", 403, "AuthorizationFailed", 0},
		{"GET", "/providers/microsoft.aadiam/diagnosticSettings?api-version=2017-04-01", 200, "", 1},
		{"GET", "/providers/microsoft.aadiam/diagnosticSettings", 400, "MissingApiVersionParameter", 0},
		{"GET", "/providers/microsoft.aadiam/diagnosticSettings?api-version=2001-01-01", 400, "InvalidApiVersionParameter", 0},
		{"GET", sub + "/providers/Microsoft.Insights/scheduledQueryRules?api-version=2023-12-01", 200, "", 1},
		{"GET", sub + "/providers/Microsoft.OperationalInsights/workspaces?api-version=2023-09-01", 200, "", 1},
		{"GET", sub + "/resourceGroups/security/providers/Microsoft.OperationalInsights/workspaces/entra-logs/providers/Microsoft.SecurityInsights/alertRules?api-version=2023-11-01", 200, "", 0},
		{"GET", "/subscriptions/11111111-1111-4111-8111-111111111111/providers/Microsoft.Insights/scheduledQueryRules?api-version=2023-12-01", 404, "SubscriptionNotFound", 0},
		{"GET", "/providers/Microsoft.Unicorn/horns?api-version=2023-12-01", 404, "InvalidResourceType", 0},
		{"PUT", "/subscriptions?api-version=2022-12-01", 405, "MethodNotAllowed", 0},
	} {
		status, code, body := get(c.method, c.path)
		if status != c.status || code != c.code || len(objects(body, "value")) != c.list {
			t.Errorf("%s %s: got %d %s with %d objects", c.method, c.path, status, code, len(objects(body, "value")))
		}
	}
	audience = "https://graph.microsoft.com"
	if status, code, _ := get("GET", "/subscriptions?api-version=2022-12-01"); status != 401 || code != "InvalidAuthenticationTokenAudience" {
		t.Errorf("a token for Graph: got %d %s", status, code)
	}
}

// The routes stand beside the addresses of sign-in, which begin with a tenant.
func TestRoutesDoNotClashWithSignIn(t *testing.T) {
	st, err := Example("contoso-free")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Tenant: Tenant{state: st}, config: Config{Host: testHost, Now: time.Now}, faults: &Faults{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	s.graphRoutes(mux)
	s.armRoutes(mux)
	for path, want := range map[string]string{"/v1.0/organization": "Authorization_RequestDenied InvalidAuthenticationToken", "/subscriptions?api-version=2022-12-01": "AuthenticationFailed InvalidAuthenticationTokenAudience"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", "https://"+testHost+path, nil))
		var body Object
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || !strings.Contains(want, text(body, "error", "code")) {
			t.Errorf("GET %s: %d %s", path, w.Code, w.Body)
		}
	}
}
