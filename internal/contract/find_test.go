package contract_test

import (
	"strings"
	"testing"

	"halligan/internal/contract"
)

func TestRequestsFindTheirOperation(t *testing.T) {
	c := load(t)
	for _, tt := range []struct{ name, method, version, path, want string }{
		{"a list", "GET", "v1.0", "/users", "/users"},
		{"by id", "GET", "v1.0", "/users/5a8d0000-0000-4000-8000-000000000001", "/users/{user-id}"},
		{"by name", "GET", "v1.0", "/users/adele%40contoso.com", "/users/{user-id}"},
		{"by the name of a guest", "GET", "v1.0", "/users/a_b.com%23EXT%23%40contoso.com/memberOf", "/users/{user-id}/memberOf"},
		{"by key", "GET", "v1.0", "/users('$adele')/memberOf", "/users/{user-id}/memberOf"},
		{"by another key", "GET", "v1.0", "/users(userPrincipalName='adele')", "/users(userPrincipalName='{userPrincipalName}')"},
		{"by application", "GET", "v1.0", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')", "/servicePrincipals(appId='{appId}')"},
		{"oneself", "GET", "v1.0", "/me/memberOf", "/users/{user-id}/memberOf"},
		{"a count", "GET", "v1.0", "/users/$count", "/users/$count"},
		{"a function", "GET", "v1.0", "/users/delta", "/users/delta()"},
		{"a function with parentheses", "GET", "v1.0", "/users/delta()", "/users/delta()"},
		{"a function with parameters", "GET", "beta", "/users/a/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes=10)", "/users/{user-id}/authentication/fido2Methods/creationOptions(challengeTimeoutInMinutes={challengeTimeoutInMinutes})"},
		{"the same without", "GET", "v1.0", "/users/a/authentication/fido2Methods/creationOptions", "/users/{user-id}/authentication/fido2Methods/creationOptions"},
		{"a cast in full", "GET", "v1.0", "/users/a/transitiveMemberOf/microsoft.graph.directoryRole", "/users/{user-id}/transitiveMemberOf/graph.directoryRole"},
		{"a cast in short", "GET", "v1.0", "/directory/deletedItems/graph.user", "/directory/deletedItems/graph.user"},
		{"a function of a namespace", "POST", "v1.0", "/security/microsoft.graph.security.runHuntingQuery", "/security/microsoft.graph.security.runHuntingQuery"},
		{"a reference", "DELETE", "v1.0", "/groups/a/members/b/$ref", "/groups/{group-id}/members/{directoryObject-id}/$ref"},
		{"a batch", "POST", "beta", "/$batch", "/$batch"},
		{"Azure", "GET", "arm", "/subscriptions/a/providers/Microsoft.Insights/scheduledQueryRules", "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/scheduledQueryRules"},
		{"another method", "PUT", "v1.0", "/users/a", "error: PUT is not described for /users/a, only DELETE, GET, PATCH"},
		{"beta only", "GET", "v1.0", "/users/a/authentication/requirements", "error: described in beta, not in v1.0"},
		{"v1.0 only", "POST", "beta", "/users/a/authentication/phoneMethods/b/enableSmsSignIn", "error: described in v1.0, not in beta"},
		{"a cast that is not there", "GET", "v1.0", "/directory/deletedItems/microsoft.graph.device", "error: is not described"},
		{"outside", "GET", "v1.0", "/me/messages", "error: is not described"},
		{"no key", "GET", "v1.0", "/users/", "error: is not described"},
		{"other case", "GET", "v1.0", "/Users", "error: is not described"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o, err := c.Find(tt.method, tt.version, tt.path)
			want, fails := strings.CutPrefix(tt.want, "error: ")
			switch {
			case fails && err == nil:
				t.Errorf("got %s, want an error", o)
			case fails && !strings.Contains(err.Error(), want):
				t.Errorf("got error %q, want one with %q", err, want)
			case !fails && err != nil:
				t.Error(err)
			case !fails && (o.Path != tt.want || o.Method != tt.method || o.Version != tt.version):
				t.Errorf("got %s, want %s", o, tt.want)
			}
		})
	}
}

func TestOperationsHaveTheirExamples(t *testing.T) {
	c := load(t)
	described, with, of := 0, 0, 0
	for _, o := range c.Operations() {
		if o.Exception == nil {
			described++
		}
		examples := c.ExamplesOf(o)
		of += len(examples)
		if len(examples) > 0 {
			with++
		}
		for _, e := range examples {
			if !strings.Contains(e.Exchange.URL, "/"+o.Version+"/") || e.Exchange.Method != o.Method {
				t.Errorf("%s has the example %s of %s", o, e.File, e.Exchange)
			}
		}
	}
	if described != 306+328 {
		t.Errorf("got %d operations, want 306 of v1.0 and 328 of beta", described)
	}
	if of < 480 || with < 250 {
		t.Errorf("got %d examples of %d operations, want nearly all 482", of, with)
	}
}

func TestRightErrorsAreAccepted(t *testing.T) {
	c := load(t)
	x := live(contract.Exchange{Method: "GET", URL: "https://graph.microsoft.com/v1.0/users/a", Status: 403, ResponseBody: []byte(
		`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation.","innerError":{"date":"2025-02-13T10:17:06","request-id":"a","client-request-id":"b"}}}`)})
	x.ResponseBody = []byte(strings.Replace(string(x.ResponseBody), `"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#x",`, "", 1))
	for _, v := range c.Check(x) {
		t.Error(v)
	}
	if v := c.Check(countExchange()); len(v) > 0 {
		t.Errorf("the count: %v", v)
	}
	if v := c.Check(batchExchange()); len(v) > 0 {
		t.Errorf("the batch: %v", v)
	}
}
