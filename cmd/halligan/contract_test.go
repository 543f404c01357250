package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/contract"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// served is `halligan sandbox` as a process of its own.
type served struct {
	sandboxStart
	home, record string
	stop         func()
}

// serve runs the real binary as a sandbox until the test ends, recording what is
// said to it.
func serve(t *testing.T, record string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "halligan", append([]string{"sandbox", "--listen", "127.0.0.1:0", "--format", "json", "--record", record}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &served{home: t.TempDir(), record: record}
	ended := false
	s.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the sandbox ended with %v: %s", err, talk.String())
		}
	}
	t.Cleanup(s.stop)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &s.sandboxStart)
	}
	if err != nil {
		t.Fatalf("the sandbox did not begin: %v: %s", err, talk.String())
	}
	return s
}

// halligan runs the real binary as a person would, and expects one of these exit
// codes.
func (s *served) halligan(t *testing.T, codes []int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "halligan", args...)
	cmd.Env = append(os.Environ(), "HALLIGAN_HOME="+s.home)
	cmd.Dir = s.home
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if code := cmd.ProcessState.ExitCode(); !slices.Contains(codes, code) {
		t.Fatalf("halligan %s: got exit code %d, want one of %v\n%s", strings.Join(args, " "), code, codes, out)
	}
	return string(out)
}

// loginWithSecret signs the tenant's reader in.
func (s *served) loginWithSecret(t *testing.T) {
	t.Helper()
	if len(s.Apps) == 0 {
		t.Fatal("no application has a secret")
	}
	file := filepath.Join(s.home, "secret")
	if err := os.WriteFile(file, []byte(s.Apps[0].Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s.halligan(t, []int{0}, "login", "--cloud", s.URL, "--ca", s.CA, "--tenant", s.Tenant, "--client-id", s.Apps[0].ClientID, "--secret-file", file)
}

// furnished is an example tenant with what none of the examples has: a federated
// domain, certificate authorities, and accounts that come from elsewhere.
func furnished(t *testing.T, name string) string {
	t.Helper()
	state, err := sandbox.Example(name)
	if err != nil {
		t.Fatal(err)
	}
	const pki, domain = "directory/publicKeyInfrastructure/certificateBasedAuthConfigurations", "partner.example"
	state.Put("domains", domain, sandbox.Object{"id": domain, "authenticationType": "Federated", "isAdminManaged": true, "isDefault": false, "isInitial": false, "isRoot": true,
		"isVerified": true, "supportedServices": []any{"Email"}, "availabilityStatus": nil, "passwordNotificationWindowInDays": 14, "passwordValidityPeriodInDays": 90, "state": nil})
	state.Put("domains/"+domain+"/federationConfiguration", "5a8d0000-0000-4000-8000-0000000000f1", sandbox.Object{"id": "5a8d0000-0000-4000-8000-0000000000f1", "displayName": "Partner",
		"issuerUri": "https://sts.partner.example/issuer", "passiveSignInUri": "https://sts.partner.example/signin", "activeSignInUri": "https://sts.partner.example/active",
		"preferredAuthenticationProtocol": "wsFed", "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp", "signingCertificate": "MIIB"})
	state.Put(pki, "5a8d0000-0000-4000-8000-0000000000f2", sandbox.Object{"id": "5a8d0000-0000-4000-8000-0000000000f2", "displayName": "Cards", "status": "succeeded", "statusDetails": nil,
		"deletedDateTime": nil, "lastModifiedDateTime": "2026-01-02T03:04:05Z"})
	state.Put(pki+"/5a8d0000-0000-4000-8000-0000000000f2/certificateAuthorities", "5a8d0000-0000-4000-8000-0000000000f3", sandbox.Object{"id": "5a8d0000-0000-4000-8000-0000000000f3",
		"displayName": "Root", "certificateAuthorityType": "root", "certificate": "MIIB", "issuer": "CN=Root", "issuerSubjectKeyIdentifier": "0A0B", "createdDateTime": "2026-01-02T03:04:05Z",
		"expirationDateTime": "2036-01-02T03:04:05Z", "thumbprint": "0C0D", "certificateRevocationListUrl": nil, "deltacertificateRevocationListUrl": nil, "isIssuerHintEnabled": true, "deletedDateTime": nil})
	for _, o := range state.All("organization") {
		synced := maps.Clone(o)
		synced["onPremisesSyncEnabled"], synced["onPremisesLastSyncDateTime"] = true, "2026-01-02T03:04:05Z"
		state.Put("organization", synced["id"].(string), synced)
	}
	server, err := sandbox.New(sandbox.Config{State: state})
	if err != nil {
		t.Fatal(err)
	}
	data, err := server.Dump()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tenant.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// readByPerson reads a tenant as somebody who signs in with a device code:
// applications are refused some of it.
func (s *served) readByPerson(t *testing.T, upn string) {
	t.Helper()
	who, err := s.somebody(upn)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := graph.LoadRoots(s.CA, false)
	if err != nil {
		t.Fatal(err)
	}
	cloud, err := graph.CustomCloud(s.URL, roots)
	if err != nil {
		t.Fatal(err)
	}
	signIn := graph.SignIn{Method: graph.MethodDeviceCode, Cloud: cloud, Tenant: s.Tenant, Prompt: func(_ context.Context, address, code string) error { return who.enter(address, code) }}
	credential, _, err := signIn.Login(t.Context(), graph.Scopes())
	if err != nil {
		t.Fatal(err)
	}
	client, err := graph.New(graph.Config{Cloud: cloud, Tenant: s.Tenant, Credential: credential, Scopes: signIn.Scopes(graph.Scopes())})
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := client.Read(t.Context(), graph.Scope{Discover: true, Azure: true})
	if err != nil {
		t.Fatal(err)
	}
	if state := snapshot.Status(entra.PartOnPremisesSync); state.Status != entra.StatusRead {
		t.Errorf("the synchronization is %v", state)
	}
}

// Everything that Halligan says to every example tenant, and everything that is
// answered, is as Microsoft describes it; and all that it may ask is asked.
func TestWholeRunKeepsTheContract(t *testing.T) {
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range sandbox.ExampleNames() {
		t.Run(name, func(t *testing.T) {
			s := serve(t, filepath.Join(folder, name+".jsonl"), "--tenant", name)
			s.loginWithSecret(t)
			judged := []int{0, 3, 5}
			s.halligan(t, judged, "check", "--cross-check", "--azure")
			s.halligan(t, []int{0}, "snapshot", "-o", filepath.Join(s.home, "snapshot.json"))
			s.halligan(t, judged, "prove")
			s.stop()
			s.saysNoSecret(t)
		})
	}
	t.Run("a person, in a tenant with everything", func(t *testing.T) {
		s := serve(t, filepath.Join(folder, "person.jsonl"), "--tenant", "contoso-p2", "--state", furnished(t, "contoso-p2"))
		s.readByPerson(t, "adm.second@contoso.onmicrosoft.com")
		s.stop()
		s.saysNoSecret(t)
	})
	report, err := c.ValidateLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range report.Lines() {
		t.Error(line)
	}
	for _, row := range report.Unused() {
		t.Errorf("nothing needed the exception %s", row)
	}
	for _, need := range graph.Needs() {
		for _, request := range need.Requests {
			if o, err := operationOf(c, request); err != nil {
				t.Error(err)
			} else if report.Operations[o.String()] == 0 {
				t.Errorf("nobody asked %s", request)
			}
		}
	}
	t.Logf("%d exchanges with %d operations", report.Exchanges, len(report.Operations))
	refuseMutations(t, c, folder)
}

// operationOf finds the operation of a request as the table of permissions
// writes it: "GET /v1.0/users/{id}".
func operationOf(c *contract.Contract, request string) (*contract.Operation, error) {
	method, path, _ := strings.Cut(request, " ")
	version := contract.ARM
	for _, v := range []string{contract.V1, contract.Beta} {
		if rest, is := strings.CutPrefix(path, "/"+v); is {
			version, path = v, rest
		}
	}
	// A resource of Azure is named by its whole id.
	path = strings.Replace(path, "{id}/providers/Microsoft.SecurityInsights", "/subscriptions/a/resourceGroups/b/providers/Microsoft.OperationalInsights/workspaces/c/providers/Microsoft.SecurityInsights", 1)
	return c.Find(method, version, strings.NewReplacer("{id}", "a").Replace(path))
}

// saysNoSecret looks for credentials in a record.
func (s *served) saysNoSecret(t *testing.T) {
	t.Helper()
	record, err := os.ReadFile(s.record)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"Bearer ", "eyJ0eXAi", "eyJhbGci"}
	for _, app := range s.Apps {
		secrets = append(secrets, app.Secret)
	}
	for _, person := range s.Accounts {
		secrets = append(secrets, person.Password)
	}
	for _, secret := range secrets {
		if secret != "" && bytes.Contains(record, []byte(secret)) {
			t.Errorf("the record holds %q", secret)
		}
	}
}

// refuseMutations makes exchanges of a record wrong in every way there is: each
// must be refused. Otherwise that they are right would say nothing.
func refuseMutations(t *testing.T, c *contract.Contract, folder string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var seeds []contract.Exchange
	seen := map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(data) {
			var x contract.Exchange
			if err := json.Unmarshal(line, &x); err != nil {
				t.Fatal(err)
			}
			if o := c.Judge(x).Operation; o != nil && seen[o.String()] < 3 {
				seen[o.String()]++
				seeds = append(seeds, x)
			}
		}
	}
	mutations := c.Mutations(seeds, 25)
	if len(mutations) < 200 {
		t.Errorf("got %d wrong exchanges, want at least 200", len(mutations))
	}
	for _, m := range mutations {
		if !slices.ContainsFunc(c.Check(m.Exchange), func(v contract.Violation) bool { return slices.Contains(m.Rules, v.Rule) }) {
			t.Errorf("accepted, or refused for another reason than %v: %s", m.Rules, m.Name)
		}
	}
	t.Logf("%d wrong exchanges of %d right ones", len(mutations), len(seeds))
}
