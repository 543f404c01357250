package graph

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"halligan/custody"
)

// DefaultClientID is Microsoft Graph Command Line Tools: a public client that
// every tenant knows, that asks for consent to exactly the scopes it is given.
// Source: graph-docs "Use app-only authentication with the Microsoft Graph
// PowerShell SDK" and entra-docs "Verify first-party Microsoft applications in
// sign-in reports".
const DefaultClientID = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

// Method is a way to sign in.
type Method string

// The ways to sign in.
const (
	MethodBrowser         Method = "browser"
	MethodDeviceCode      Method = "devicecode"
	MethodAzureCLI        Method = "azurecli"
	MethodCertificate     Method = "certificate"
	MethodWorkload        Method = "workload"
	MethodManagedIdentity Method = "managedidentity"
	MethodSecret          Method = "secret"
)

// MethodRule describes a way to sign in.
type MethodRule struct {
	Method  Method
	Says    string   // in one line, for a person who chooses
	Person  bool     // somebody signs in; otherwise an application does
	Needs   []string // settings that must be given, by name
	Custom  bool     // works with a custom cloud
	Warning string   // "" when there is nothing to warn of
	build   func(SignIn, azcore.ClientOptions) (azcore.TokenCredential, error)
}

// Methods lists the ways to sign in, the preferred first.
var Methods = []MethodRule{
	{Method: MethodBrowser, Person: true, Custom: true, build: browser,
		Says: "opens the browser on this machine (authorization code with PKCE)"},
	{Method: MethodDeviceCode, Person: true, Custom: true, build: deviceCode,
		Says:    "shows a code to be entered in a browser on any machine",
		Warning: "Many tenants block the device code flow, and attackers use it: enter a code only if you asked for it yourself."},
	{Method: MethodAzureCLI, Person: true, build: azureCLI,
		Says:    "uses whoever is signed in to the Azure CLI",
		Warning: "Tokens of the Azure CLI lack Policy.Read.All: what needs it stays unknown. Use `halligan login` for those checks."},
	{Method: MethodCertificate, Custom: true, Needs: []string{"tenant", "client id", "certificate file"}, build: certificate,
		Says: "signs in an application with a certificate (PEM or PFX)"},
	{Method: MethodWorkload, Custom: true, Needs: []string{"tenant", "client id", "token file"}, build: workload,
		Says: "signs in an application with a federated token from a file"},
	{Method: MethodManagedIdentity, build: managedIdentity,
		Says: "signs in as the managed identity of the Azure machine this runs on"},
	{Method: MethodSecret, Custom: true, Needs: []string{"tenant", "client id", "secret"}, build: secret,
		Says:    "signs in an application with a client secret",
		Warning: "A client secret can be copied without a trace. Prefer a certificate or a federated token, and let the secret expire soon."},
}

// RuleOf returns the description of a way to sign in.
func RuleOf(m Method) (MethodRule, error) {
	for _, r := range Methods {
		if r.Method == m {
			return r, nil
		}
	}
	var names []string
	for _, r := range Methods {
		names = append(names, string(r.Method))
	}
	return MethodRule{}, &ConfigError{What: fmt.Sprintf("sign in by %q: there is no such way", clean(string(m), 40)), Cure: "Use one of " + strings.Join(names, ", ") + "."}
}

// SignIn is all that a sign-in is made from.
type SignIn struct {
	Method          Method
	Cloud           Cloud
	Tenant          string                          // id or domain; a person may leave it out
	ClientID        string                          // DefaultClientID for a person when empty
	Username        string                          // fills the browser's form
	Account         azidentity.AuthenticationRecord // of an earlier Login; the zero value means none
	CertificateFile string
	SecretFile      string
	TokenFile       string
	Secret          custody.Secret // client secret from a prompt, or the certificate's password
	CacheName       string         // of the platform's store; "" keeps tokens in memory
	Interactive     bool           // a person may be asked; otherwise a missing token is an error
	Proxy           *url.URL
	Roots           *x509.CertPool
	Wrap            func(http.RoundTripper) http.RoundTripper

	// Prompt shows a device code to a person.
	Prompt func(ctx context.Context, address, code string) error
}

// Build returns a credential. It reads files, and sends nothing.
func (s SignIn) Build() (azcore.TokenCredential, error) {
	rule, err := RuleOf(s.Method)
	if err != nil {
		return nil, err
	}
	if err := s.check(rule); err != nil {
		return nil, err
	}
	quiet()
	roots := s.Roots
	if roots == nil {
		roots = s.Cloud.Roots
	}
	doer, err := newDoer(network{proxy: s.Proxy, roots: roots, wrap: s.Wrap})
	if err != nil {
		return nil, err
	}
	doer.limit = 4 << 20 // an answer of a token endpoint is a few kilobytes
	doer.hosts = s.tokenHosts()
	credential, err := rule.build(s, azcore.ClientOptions{
		Cloud:     s.Cloud.azure(),
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Transport: doer,
		// Two more attempts for a token endpoint that stumbles; one that asks to
		// wait longer than ten seconds is believed, and the sign-in fails.
		Retry: policy.RetryOptions{MaxRetries: 2, TryTimeout: 30 * time.Second, RetryDelay: time.Second, MaxRetryDelay: 10 * time.Second},
	})
	if err != nil {
		if _, is := errors.AsType[*ConfigError](err); is {
			return nil, err
		}
		return nil, &ConfigError{What: fmt.Sprintf("prepare to sign in by %s: %s", s.Method, clean(firstLine(err.Error()), maxMessage)), Cure: "Check the tenant, the client id and the files."}
	}
	return credential, nil
}

// tokenHosts are the addresses to which the sign-in may speak. Microsoft's
// library asks login.microsoftonline.com which names a known cloud has; a region
// set in the environment would lead it elsewhere and is refused here.
func (s SignIn) tokenHosts() []string {
	if s.Cloud.Name == customName {
		return []string{s.Cloud.Authority}
	}
	return []string{s.Cloud.Authority, "https://login.microsoftonline.com", "https://login.microsoft.com", "https://login.partner.microsoftonline.cn"}
}

func (s SignIn) check(rule MethodRule) error {
	if err := s.Cloud.check(); err != nil {
		return err
	}
	if s.Cloud.Name == customName && !rule.Custom {
		return &ConfigError{What: fmt.Sprintf("sign in by %s: it works with Microsoft's clouds only", rule.Method), Cure: "Use devicecode, browser, certificate or secret for the sandbox."}
	}
	if name := "AZURE_REGIONAL_AUTHORITY_NAME"; !rule.Person && rule.Method != MethodManagedIdentity && os.Getenv(name) != "" {
		// Microsoft's library reads it and cannot be told not to. It would lead
		// the sign-in to another host, which tokenHosts refuses.
		return &ConfigError{What: fmt.Sprintf("sign in by %s: %s is set, and would lead the sign-in elsewhere", rule.Method, name), Cure: "Unset " + name + "."}
	}
	given := map[string]bool{
		"tenant": s.Tenant != "", "client id": s.ClientID != "", "certificate file": s.CertificateFile != "",
		"token file": s.TokenFile != "", "secret": s.SecretFile != "" || !s.Secret.Empty(),
	}
	for _, need := range rule.Needs {
		if !given[need] {
			return &ConfigError{What: fmt.Sprintf("sign in by %s: the %s is missing", rule.Method, need), Cure: fmt.Sprintf("It needs: %s.", strings.Join(rule.Needs, ", "))}
		}
	}
	if s.Tenant != "" && strings.Trim(s.Tenant, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") != "" {
		return &ConfigError{What: fmt.Sprintf("sign in to tenant %q: that is no id and no domain", clean(s.Tenant, 80)), Cure: "Give the tenant's id, or a domain such as contoso.onmicrosoft.com."}
	}
	if s.ClientID != "" && !guid.MatchString(s.ClientID) {
		return &ConfigError{What: fmt.Sprintf("sign in with application %q: that is no client id", clean(s.ClientID, 80)), Cure: "Give the application (client) id, not its name."}
	}
	return nil
}

// custom reports whether Microsoft's directory of clouds must not be asked: it
// does not know this one, and the sandbox works without the internet.
func (s SignIn) custom() bool { return s.Cloud.Name == customName }

// Scopes are what a token is asked for. A person is asked for the permissions
// one by one, so that the consent page shows them; an application has what it
// was granted.
func (s SignIn) Scopes(permissions []string) []string {
	if s.Method != MethodBrowser && s.Method != MethodDeviceCode || len(permissions) == 0 {
		return []string{s.Cloud.Graph + "/.default"}
	}
	var scopes []string
	for _, p := range permissions {
		scopes = append(scopes, s.Cloud.Graph+"/"+p)
	}
	slices.Sort(scopes)
	return slices.Compact(scopes)
}

// authenticator is what the credentials of persons have in common.
type authenticator interface {
	Authenticate(context.Context, *policy.TokenRequestOptions) (azidentity.AuthenticationRecord, error)
}

// Login has a person sign in now, whatever is in the store, and returns the
// account to keep in a Profile, with the credential that holds its tokens. For
// an application it fetches a token, and the account is zero.
func (s SignIn) Login(ctx context.Context, permissions []string) (azcore.TokenCredential, azidentity.AuthenticationRecord, error) {
	s.Interactive = true
	credential, err := s.Build()
	if err != nil {
		return nil, azidentity.AuthenticationRecord{}, err
	}
	ask := policy.TokenRequestOptions{Scopes: s.Scopes(permissions), EnableCAE: true}
	var record azidentity.AuthenticationRecord
	ctx, lost := withLost(ctx)
	if person, is := credential.(authenticator); is {
		record, err = person.Authenticate(ctx, &ask)
	} else {
		_, err = credential.GetToken(ctx, ask)
	}
	if ctx.Err() != nil {
		return nil, record, &SignInError{Operation: "sign in", Kind: KindNotSignedIn, Why: "nobody finished the sign-in in time, or it was stopped", cause: context.Cause(ctx),
			Cure: "Start again. Without a browser on this machine: `halligan login --device-code`."}
	}
	if err != nil {
		return nil, record, explainSignIn(err, lost.Load())
	}
	return credential, record, nil
}

func (s SignIn) cache() (azidentity.Cache, error) {
	if s.CacheName == "" {
		return azidentity.Cache{}, nil
	}
	return openStore(s.CacheName)
}

func browser(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	cache, err := s.cache()
	if err != nil {
		return nil, err
	}
	return azidentity.NewInteractiveBrowserCredential(&azidentity.InteractiveBrowserCredentialOptions{
		ClientOptions: o, ClientID: cmp.Or(s.ClientID, DefaultClientID), TenantID: s.Tenant, LoginHint: s.Username, Cache: cache,
		AuthenticationRecord: s.Account, DisableAutomaticAuthentication: !s.Interactive, DisableInstanceDiscovery: s.custom(),
	})
}

func deviceCode(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	cache, err := s.cache()
	if err != nil {
		return nil, err
	}
	return azidentity.NewDeviceCodeCredential(&azidentity.DeviceCodeCredentialOptions{
		ClientOptions: o, ClientID: cmp.Or(s.ClientID, DefaultClientID), TenantID: s.Tenant, Cache: cache,
		AuthenticationRecord: s.Account, DisableAutomaticAuthentication: !s.Interactive || s.Prompt == nil, DisableInstanceDiscovery: s.custom(),
		UserPrompt: func(ctx context.Context, m azidentity.DeviceCodeMessage) error {
			return s.Prompt(ctx, clean(m.VerificationURL, 200), clean(m.UserCode, 40))
		},
	})
}

func azureCLI(s SignIn, _ azcore.ClientOptions) (azcore.TokenCredential, error) {
	return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{TenantID: s.Tenant})
}

func certificate(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	data, err := readPrivate(s.CertificateFile)
	if err != nil {
		return nil, err
	}
	certs, key, err := azidentity.ParseCertificates(data, s.Secret.Reveal())
	if err != nil {
		return nil, &ConfigError{What: fmt.Sprintf("read certificate %s: it holds no certificate with its key, or the password is wrong", s.CertificateFile),
			Cure: "Give a PEM file with certificate and unencrypted key, or a PFX file and its password."}
	}
	if err := checkValidity(certs, key, time.Now()); err != nil {
		return nil, &ConfigError{What: fmt.Sprintf("use certificate %s: %v", s.CertificateFile, err), Cure: "Make a new certificate, and upload it to the application."}
	}
	return azidentity.NewClientCertificateCredential(s.Tenant, s.ClientID, certs, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: s.custom(),
	})
}

// checkValidity says when a certificate has ended: the token endpoint would say
// so in a text that names neither the file nor the day.
func checkValidity(certs []*x509.Certificate, key crypto.PrivateKey, now time.Time) error {
	if len(certs) == 0 || key == nil {
		return fmt.Errorf("it has no certificate or no key")
	}
	switch c := certs[0]; {
	case now.After(c.NotAfter):
		return fmt.Errorf("it ended on %s", c.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(c.NotBefore):
		return fmt.Errorf("it begins on %s; is the clock right?", c.NotBefore.UTC().Format(time.DateOnly))
	}
	return nil
}

func workload(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	if _, err := os.Stat(s.TokenFile); err != nil {
		return nil, &ConfigError{What: fmt.Sprintf("read token file %s: %v", s.TokenFile, errors.Unwrap(err)), Cure: "Check the path, and that the platform has put the token there."}
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: o, TenantID: s.Tenant, ClientID: s.ClientID, TokenFilePath: s.TokenFile, DisableInstanceDiscovery: s.custom(),
	})
}

// managedIdentity speaks to an address of the machine itself, over http, which
// the platform names in the environment: that is its interface (azure-docs "How
// to use managed identities ... to acquire an access token").
func managedIdentity(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	o.Transport = &http.Client{
		Transport:     &http.Transport{ResponseHeaderTimeout: 15 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
	if s.ClientID != "" {
		options.ID = azidentity.ClientID(s.ClientID)
	}
	return azidentity.NewManagedIdentityCredential(options)
}

func secret(s SignIn, o azcore.ClientOptions) (azcore.TokenCredential, error) {
	text := s.Secret.Reveal()
	if s.SecretFile != "" {
		data, err := readPrivate(s.SecretFile)
		if err != nil {
			return nil, err
		}
		text = data
	}
	value := strings.TrimSpace(string(text))
	if value == "" {
		return nil, &ConfigError{What: "sign in by secret: the secret is empty", Cure: "Put the value of the client secret into the file."}
	}
	return azidentity.NewClientSecretCredential(s.Tenant, s.ClientID, value, &azidentity.ClientSecretCredentialOptions{
		ClientOptions: o, DisableInstanceDiscovery: s.custom(),
	})
}

// maxPrivate is the largest key or secret file that is read.
const maxPrivate = 1 << 20

// readPrivate reads a file that only its owner may read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &ConfigError{What: fmt.Sprintf("read %s: %v", path, errors.Unwrap(err)), Cure: "Check the path, and that you may read the file."}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, &ConfigError{What: fmt.Sprintf("read %s: it is no plain file", path), Cure: "Give the path of a file."}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &ConfigError{What: fmt.Sprintf("read %s: others than its owner may read it (mode %04o)", path, info.Mode().Perm()), Cure: fmt.Sprintf("chmod 600 %s, and think about who may have read it.", path)}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxPrivate+1))
	if err != nil || len(data) > maxPrivate {
		return nil, &ConfigError{What: fmt.Sprintf("read %s: it is larger than %d bytes or cannot be read", path, maxPrivate), Cure: "Give the right file."}
	}
	return data, nil
}
