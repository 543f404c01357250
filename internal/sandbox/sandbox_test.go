package sandbox

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const (
	testTenant = "5f7e2d0a-6c1b-4a53-9a51-3c8f6f5b7a10"
	testAda    = "a0000000-0000-4000-8000-000000000001" // Global Administrator
	testBob    = "b0000000-0000-4000-8000-000000000002" // nobody special
	testApp    = "c0000000-0000-4000-8000-000000000003" // client id
	testAppObj = "c0000000-0000-4000-8000-000000000004"
	testSP     = "c0000000-0000-4000-8000-000000000005"
	testGraph  = "d0000000-0000-4000-8000-000000000006"
	testSecret = "a~fictional~secret"
	graphCLI   = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
	azureCLI   = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
	globalAdm  = "62e90394-69f5-4237-9190-012177145e10"
)

// testState is a tenant of two people and one application.
func testState() *State {
	s := NewState(testTenant, "Contoso", "P2")
	s.Put("domains", "contoso.example", Object{"id": "contoso.example", "isVerified": true})
	s.Put("users", testAda, Object{"id": testAda, "userPrincipalName": "ada@contoso.example", "displayName": "Ada", "accountEnabled": true})
	s.Put("users", testBob, Object{"id": testBob, "userPrincipalName": "bob@contoso.example", "displayName": "Bob", "accountEnabled": true})
	s.Credentials[testAda] = &Credentials{Password: "correct horse"}
	s.Put("roleManagement/directory/roleAssignments", "r1", Object{"id": "r1", "principalId": testAda, "roleDefinitionId": globalAdm, "directoryScopeId": "/"})
	s.Put("servicePrincipals", testGraph, Object{"id": testGraph, "appId": graphAppID, "displayName": "Microsoft Graph", "accountEnabled": true,
		"appRoles": []any{map[string]any{"id": "role-policy", "value": "Policy.Read.All"}}})
	s.Put("applications", testAppObj, Object{"id": testAppObj, "appId": testApp, "displayName": "Halligan reader",
		"passwordCredentials": []any{
			map[string]any{"keyId": "key-1", "endDateTime": "2100-01-01T00:00:00Z"},
			map[string]any{"keyId": "key-2", "endDateTime": "2020-01-01T00:00:00Z"},
		}})
	s.Secrets["key-1"], s.Secrets["key-2"] = testSecret, "an~ended~secret"
	s.Put("servicePrincipals", testSP, Object{"id": testSP, "appId": testApp, "displayName": "Halligan reader", "accountEnabled": true})
	s.Put("appRoleAssignments", "g1", Object{"id": "g1", "principalId": testSP, "resourceId": testGraph, "appRoleId": "role-policy"})
	return s
}

// clock is a settable time.
type testClock struct{ offset time.Duration }

// openSite serves a tenant for one test. Requests to /whoami answer with the caller.
func openSite(t *testing.T, config Config, change func(*State)) *Site {
	t.Helper()
	if config.State == nil {
		config.State = testState()
	}
	if change != nil {
		change(config.State)
	}
	site, err := Open(t.Context(), judged(config), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	return site
}

// web is a client that trusts the site alone and follows no redirect.
func (s *Site) web(t *testing.T) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Pool()}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s *Site) azure(t *testing.T) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: s.web(t), Retry: policy.RetryOptions{MaxRetries: -1},
		Cloud: cloud.Configuration{ActiveDirectoryAuthorityHost: s.URL}}
}

var graphScope = []string{"https://graph.microsoft.com/.default"}

func getToken(t *testing.T, credential azcore.TokenCredential) string {
	t.Helper()
	token, err := credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: graphScope})
	if err != nil {
		t.Fatal(err)
	}
	return token.Token
}

// say is what a token or answer says.
func decoded(t *testing.T, body io.Reader) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.NewDecoder(body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAzidentitySignsInWithASecret(t *testing.T) {
	site := openSite(t, Config{}, nil)
	credential, err := azidentity.NewClientSecretCredential(testTenant, testApp, testSecret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: site.azure(t), DisableInstanceDiscovery: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := site.as(getToken(t, credential))
	if err != nil {
		t.Fatal(err)
	}
	if c.AppID != testApp || c.Delegated() || strings.Join(c.Permissions, " ") != "Policy.Read.All" || c.Audience != graphAppID {
		t.Errorf("got %+v", c)
	}
}

// as is whom a token stands for.
func (s *Site) as(token string) (Caller, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL+"/v1.0/organization", nil)
	if err != nil {
		return Caller{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return s.caller(r)
}
