package sandbox

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/internal/testenv"
)

// Whatever a Snapshot is read from is served.
func TestEveryPartOfSnapshotIsServed(t *testing.T) {
	routes := routesOf(operationTable())
	for _, p := range entra.PartTable {
		for _, request := range strings.Split(p.Request, ", ") {
			method, path, _ := strings.Cut(request, " ")
			if arm, is := strings.CutPrefix(path, "{arm}"); is {
				arm, _, _ = strings.Cut(arm, "?")
				if list, _, _ := findARM(arm); list == nil {
					t.Errorf("%s: %s is not served", p.Part, request)
				}
				continue
			}
			segments := strings.Split(strings.Trim(strings.ReplaceAll(path, "{id}", "x"), "/"), "/")
			op, _, err := routes.find(method, map[bool]string{true: beta, false: v1}[p.Beta], segments)
			if err != nil {
				t.Errorf("%s: %s is not served: %v", p.Part, request, err)
				continue
			}
			if op.licence != p.Licence && p.Part != entra.PartStrengths && p.Part != entra.PartProtectedActions {
				t.Errorf("%s: %s needs licence %q here, %q in the table of parts", p.Part, request, op.licence, p.Licence)
			}
			if !suffices(op.application, []string{p.Permission}) && p.Part != entra.PartAccounts {
				t.Errorf("%s: %s is not allowed to %s: %s", p.Part, request, p.Permission, op.application)
			}
		}
	}
}

func TestOperationTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range operationTable() {
		for _, v := range op.versions() {
			k := op.method + " " + v + " " + op.path
			if seen[k] {
				t.Errorf("%s stands twice", k)
			}
			seen[k] = true
		}
		if op.do == nil || op.doc == "" || op.family == "" || op.delegated == "" {
			t.Errorf("%s %s lacks a handler, page, family or permission", op.method, op.path)
		}
		if _, known := roleSets[op.roles]; op.roles != "" && !known {
			t.Errorf("%s %s names unknown roles %s", op.method, op.path, op.roles)
		}
	}
}

var pathName = regexp.MustCompile(`\{[^}]*\}`)

// contractPath brings a path of the description and of the table to one form.
func contractPath(path string) string {
	path = regexp.MustCompile(`\((\w+)='?\{[^}]*\}'?\)`).ReplaceAllString(path, "($1)")
	return strings.ReplaceAll(strings.ToLower(pathName.ReplaceAllString(path, "{}")), "()", "")
}

// withMore are operations for which Microsoft names least permissions that are
// needed together with others (graph.md section 2).
var withMore = regexp.MustCompile(`^(POST|PATCH|DELETE) /identity/conditionalaccess/(policies|namedlocations|authenticationcontextclassreferences|deleteditems)`)

// The least permission that Microsoft names is accepted, and one that Microsoft
// does not name is refused.
func TestPermissionsAgreeWithContract(t *testing.T) {
	folder := testenv.Folder(t, "HALLIGAN_CONTRACT")
	text, err := os.ReadFile(filepath.Join(folder, "operations.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimRight(line, "\n"), "\t"); len(f) > 6 {
			rows[f[0]+" "+contractPath(f[1])] = f
		}
	}
	checked := 0
	for _, op := range operationTable() {
		k := op.method + " " + contractPath(op.path)
		row := rows[k]
		if row == nil || withMore.MatchString(k) {
			continue
		}
		for i, have := range map[int]string{3: op.delegated, 4: op.application} {
			for _, least := range strings.Split(row[i], ",") {
				if least == "" || strings.HasPrefix(least, "Device") || strings.HasPrefix(least, "Agent") {
					continue
				}
				checked++
				if !suffices(have, []string{least}) {
					t.Errorf("%s: %s is the least that Microsoft asks for, and is refused: %s", k, least, have)
				}
			}
		}
		if suffices(op.application, []string{"Mail.Send"}) {
			t.Errorf("%s is allowed to Mail.Send", k)
		}
	}
	if checked < 200 {
		t.Errorf("only %d permissions were compared", checked)
	}
}

// What the sandbox serves is in Microsoft's description, or in this list with its
// page.
func TestOperationsAreDescribedOrNamed(t *testing.T) {
	folder := testenv.Folder(t, "HALLIGAN_CONTRACT")
	known := map[string]bool{}
	for _, v := range []string{"v1.0", "beta"} {
		var doc struct {
			Paths map[string]map[string]json.RawMessage
		}
		readFile(t, filepath.Join(folder, "openapi-"+v+".json"), &doc)
		for path, methods := range doc.Paths {
			for m := range methods {
				known[v+" "+strings.ToUpper(m)+" "+contractPath(path)] = true
			}
		}
	}
	undescribed := regexp.MustCompile(`^(/identityGovernance/termsOfUse/|/roleManagement/directory/resourceNamespaces/|/groupLifecyclePolicies|/directory/publicKeyInfrastructure/|/users/\{id\}/manager|/devices|/servicePrincipals\(appId\)/|/identityGovernance/lifecycleWorkflows)`)
	var missing []string
	for _, op := range operationTable() {
		for _, v := range op.versions() {
			if !known[v+" "+op.method+" "+contractPath(op.path)] && !undescribed.MatchString(op.path) {
				missing = append(missing, v+" "+op.method+" "+op.path)
			}
		}
	}
	for _, m := range slices.Compact(missing) {
		if !slices.Contains(alsoServed, m) {
			t.Errorf("%s is in no description", m)
		}
	}
}

// alsoServed are documented operations (their pages stand in the table) whose
// path is described with other methods only: setting up an application and
// consent.
var alsoServed = []string{
	"v1.0 POST /servicePrincipals", "beta POST /servicePrincipals", "v1.0 PATCH /servicePrincipals/{id}", "beta PATCH /servicePrincipals/{id}",
	"v1.0 DELETE /servicePrincipals/{id}", "beta DELETE /servicePrincipals/{id}", "v1.0 POST /applications", "beta POST /applications",
	"v1.0 PATCH /applications/{id}", "beta PATCH /applications/{id}", "v1.0 DELETE /applications/{id}", "beta DELETE /applications/{id}",
	"v1.0 PATCH /oauth2PermissionGrants/{id}", "beta PATCH /oauth2PermissionGrants/{id}",
}

func readFile(t testing.TB, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(bufio.NewReader(f)).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// outOfContract are types that Microsoft's description, as it is shared, lacks.
var outOfContract = []string{"agreement", "termsExpiration", "unifiedRbacResourceAction", "groupLifecyclePolicy", "certificateBasedAuthPki", "certificateAuthorityDetail"}

// The declared properties are Microsoft's: none is invented, and none that an
// object in use has is missing.
func TestTypesAgreeWithContract(t *testing.T) {
	folder := testenv.Folder(t, "HALLIGAN_CONTRACT")
	for _, v := range []string{v1, beta} {
		var doc map[string]struct {
			Base                   string
			Properties, Navigation map[string]string
			Members                []string
		}
		readFile(t, filepath.Join(folder, "types-"+v+".json"), &doc)
		for name, typ := range types().types {
			if typ.only != "" && typ.only != v || slices.Contains(outOfContract, name) {
				continue
			}
			want, ok := doc["microsoft.graph."+name]
			if !ok {
				t.Errorf("%s: %s is no type", v, name)
				continue
			}
			base := types().types[typ.base]
			for _, p := range typ.order {
				prop := typ.props[p]
				if base != nil && base.props[p] == prop || !prop.in(v) {
					continue
				}
				if want.Properties[p] == "" && want.Navigation[p] == "" {
					t.Errorf("%s: %s has no property %s", v, name, p)
				}
			}
			for p, declared := range want.Properties {
				have := typ.props[p]
				if (have == nil || !have.in(v)) && !strings.Contains(declared, "microsoft.graph.") {
					t.Errorf("%s: the table lacks %s.%s", v, name, p)
				}
			}
		}
	}
}

func TestErrorsHaveGraphsForm(t *testing.T) {
	b := newBench(t, "contoso-p2")
	b.g.who = func(*http.Request) (Caller, error) {
		return Caller{}, &graphError{401, "InvalidAuthenticationToken", "Access token is empty."}
	}
	r := b.must(401, "GET", "/v1.0/users", "", "client-request-id", "abc")
	if text(r.body, "error", "innerError", "client-request-id") != "abc" || r.header.Get("client-request-id") != "abc" || r.header.Get("WWW-Authenticate") == "" || r.header.Get("x-ms-ags-diagnostic") == "" {
		t.Errorf("a refusal lacks headers or ids: %v %s", r.header, r.text)
	}
	b.g.who = func(*http.Request) (Caller, error) { return b.caller, nil }
	b.caller.Permissions = []string{"Mail.Send"}
	if r := b.must(403, "GET", "/v1.0/users", ""); text(r.body, "error", "code") != "Authorization_RequestDenied" {
		t.Error(r.text)
	}
	b.caller.Audience = "https://management.azure.com/"
	b.must(401, "GET", "/v1.0/users", "")
}
