package entra_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"halligan/entra"
)

// read makes a Snapshot of one text.
func read(t testing.TB, name, text string) *entra.Snapshot {
	t.Helper()
	s, err := entra.Read(entra.Source{Name: name, Data: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// whats returns what the troubles or notes say, with their places.
func whats(list []entra.Trouble) []string {
	var out []string
	for _, x := range list {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s", x.File, x.Line, x.Column, x.What))
	}
	return out
}

const onePolicy = `{"id":"11111111-1111-1111-1111-111111111111","displayName":"P","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`

// The forms in which other tools keep policies, as far as the corpus lacks them.
func TestPoliciesAreFoundInReports(t *testing.T) {
	generated := generatePolicies(7)
	list, shell := string(marshal(t, generated)), string(marshal(t, pascal(anyList(generated))))
	one := string(marshal(t, generated[0]))
	cases := []struct {
		name, text string
		want       int
		incomplete bool
	}{
		{"an answer of Graph", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":` + list + `}`, 7, false},
		{"an answer of Graph for one policy", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies/$entity",` + one[1:], 1, false},
		{"a batch of answers", `{"responses":[{"id":"1","status":200,"body":{"value":` + list + `}}]}`, 7, false},
		{"values one after another", one + "\n" + strings.ReplaceAll(one, `"id":"`, `"id":"a`), 2, false},
		{"ScubaGear's provider export", `{"baseline_version":"1","date":"x","conditional_access_policies":` + shell + `,"cap_table_data":[{"Name":"P","Users":["All"]}],"service_plans":[],"aad_successful_commands":["Get-MgBetaIdentityConditionalAccessPolicy"]}`, 7, false},
		{"ScubaGear's results", `{"MetaData":{},"Summary":{},"Results":{"AAD":[{"Controls":[{"Result":"Fail"}]}]},"Raw":{"conditional_access_policies":` + shell + `}}`, 7, false},
		{"a list of one that PowerShell wrote as its element", `{"conditional_access_policies":` + one + `}`, 1, false},
		{"an index of policies", `{"conditional_access_policies":{"a":` + one + `,"b":` + strings.ReplaceAll(one, `"id":"`, `"id":"b`) + `}}`, 2, false},
		{"an IntuneManagement export", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#identity/conditionalAccess/policies/$entity","#microsoft.graph.restore":{"target":"https://graph"},"id@odata.type":"#String",` + one[1:], 1, false},
		{"templates of Microsoft", `{"value":[{"id":"t1","name":"Require MFA for admins","scenarios":"x","details":{"conditions":{"users":{"includeRoles":["r"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}}]}`, 1, false},
		{"a list of nothing", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[]}`, 0, false},
		{"a policy with only some of its properties", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies(id,displayName,state)","value":[{"id":"p","displayName":"x","state":"enabled"}]}`, 1, false},
		{"a list whose further pages are missing", `{"@odata.nextLink":"https://graph.microsoft.com/v1.0/x?$skiptoken=y","value":` + list + `}`, 7, true},
		{"a list shorter than its count", `{"@odata.count":8,"value":` + list + `}`, 7, true},
		{"a nextLink that is null", `{"@odata.nextLink":null,"value":` + list + `}`, 7, false},
		{"ScubaGear that was not allowed to read policies", `{"conditional_access_policies":[],"aad_unsuccessful_commands":["Get-MgBetaIdentityConditionalAccessPolicy","Get-MgBetaUser"]}`, 0, true},
		{"ids in place of policies", `{"conditional_access_policies":["11111111-1111-1111-1111-111111111111"]}`, 0, true},
		{"an object that is no policy among policies", `{"conditionalAccessPolicies":[` + one + `,{"x":1}]}`, 1, true},
		{"policies that PowerShell did not write out", `{"conditional_access_policies":"System.Object[]"}`, 0, true},
		{"an error of Graph", `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}`, 0, true},
		{"a What-If answer", `{"value":[{"policyApplies":true,"analysisReasons":"notSet",` + one[1:] + `]}`, 1, true},
		{"a deleted policy", `[` + strings.Replace(one, `{`, `{"deletedDateTime":"2024-01-01T00:00:00Z",`, 1) + `,` + strings.ReplaceAll(one, `"id":"`, `"id":"b`) + `]`, 1, false},
		{"a sign-in record", `{"value":[{"id":"s","userPrincipalName":"a@b","appliedConditionalAccessPolicies":[{"id":"p","displayName":"x","enforcedGrantControls":["mfa"]}]}]}`, 0, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := read(t, "in.json", c.text)
			if s.PoliciesRead() != c.want || s.Incomplete() != c.incomplete {
				t.Errorf("got %d policies, incomplete %v; want %d, %v; troubles %q", s.PoliciesRead(), s.Incomplete(), c.want, c.incomplete, whats(s.View().Troubles))
			}
			if st := s.Status(entra.PartPolicies); c.incomplete && st.Status != entra.StatusCutShort && c.name != "an error of Graph" {
				t.Errorf("got status %v, want cut short", st)
			}
			checkRoundTrip(t, s)
		})
	}
}

func anyList[T any](list []T) []any {
	out := make([]any, len(list))
	for i := range list {
		out[i] = any(list[i])
	}
	return out
}

// A template has no id, state or name of its own.
func TestTemplatesAreNamedAfterTheirWrapper(t *testing.T) {
	s := read(t, "templates.json", `{"value":[{"id":"t1","name":"Block legacy","details":{"conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"builtInControls":["block"]}}}]}`)
	p := s.View().Policies[0]
	if p.DisplayName != "Block legacy" || p.State != entra.StateUnknown || p.ID != "file:templates" {
		t.Errorf("got name %q, state %q, id %q", p.DisplayName, p.State, p.ID)
	}
	checkRoundTrip(t, s)
}

func TestPoliciesWithoutAnIDGetOneOfTheirOwn(t *testing.T) {
	anonymous := func(name string) string {
		return `{"displayName":"` + name + `","conditions":{"users":{"includeUsers":["All"]}}}`
	}
	ids := func(sources ...entra.Source) (out []string) {
		s, err := entra.Read(sources...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.View().Policies {
			out = append(out, string(p.ID))
		}
		return out
	}
	array := entra.Source{Name: "all.json", Data: []byte("[" + anonymous("a") + "," + anonymous("b") + "," + anonymous("a") + "]")}
	first := ids(array)
	if len(first) != 3 || !slices.Equal(first, ids(array)) || len(slices.Compact(slices.Clone(first))) != 3 {
		t.Errorf("got %q, want three different ids, the same each time", first)
	}
	for _, id := range first {
		if !strings.HasPrefix(id, "policy-") {
			t.Errorf("got %q, want policy-…", id)
		}
	}
	got := ids(entra.Source{Name: `C:\export\CA001.json`, Data: []byte(anonymous("a"))}, entra.Source{Name: "x/CA001.json", Data: []byte(anonymous("b"))})
	if want := []string{"file:CA001", "file:CA001-2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRepetitionsAndContradictions(t *testing.T) {
	other := strings.Replace(onePolicy, `"mfa"`, `"block"`, 1)
	shell := strings.NewReplacer(`"id"`, `"Id"`, `"state"`, `"State"`, `"conditions"`, `"Conditions"`, `"users"`, `"Users"`).Replace(onePolicy)
	cases := []struct {
		name            string
		texts           []string
		policies        int
		troubles, notes int
	}{
		{"the same policy twice", []string{onePolicy, onePolicy}, 1, 0, 1},
		{"the same policy as Graph and as PowerShell spell it", []string{onePolicy, shell}, 1, 0, 1},
		{"the same id in other case", []string{onePolicy, strings.ToUpper(onePolicy[:46]) + onePolicy[46:]}, 1, 0, 1},
		{"the same id with other content", []string{onePolicy, other}, 2, 1, 0},
		{"the same id with other content, each twice", []string{onePolicy, other, onePolicy, other}, 2, 1, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var sources, reversed []entra.Source
			for i, text := range c.texts {
				sources = append(sources, entra.Source{Name: fmt.Sprintf("%d.json", i), Data: []byte(text)})
			}
			s, _ := entra.Read(sources...)
			v := s.View()
			if len(v.Policies) != c.policies || len(v.Troubles) != c.troubles || len(v.Notes) != c.notes {
				t.Errorf("got %d policies, troubles %q, notes %q; want %d, %d, %d", len(v.Policies), whats(v.Troubles), whats(v.Notes), c.policies, c.troubles, c.notes)
			}
			for i := range sources {
				reversed = append(reversed, sources[len(sources)-1-i])
			}
			if again, _ := entra.Read(reversed...); again.Digest() != s.Digest() {
				t.Error("the order of the sources changes the digest")
			}
			checkRoundTrip(t, s)
		})
	}
}

// One bad file does not hide the others, and nothing is left out in silence.
func TestFoldersAreReadWhole(t *testing.T) {
	bad := "{\n \"a\": [1,]\n}"
	folder := fstest.MapFS{
		"Identity/Conditional/AccessPolicies/1/1.json": {Data: []byte(onePolicy)},
		"Identity/Conditional/NamedLocations/2/2.json": {Data: []byte(`{"@odata.type":"#microsoft.graph.countryNamedLocation","id":"l","displayName":"L","countriesAndRegions":["DE"]}`)},
		"broken.JSON":           {Data: []byte(bad)},
		"nothing.json":          {Data: []byte(`{"hello":"world"}`)},
		"empty.json":            {Data: nil},
		"notes.txt":             {Data: []byte("x")},
		"script.ps1":            {Data: []byte("y")},
		"dsc/M365.ps1":          {Data: []byte("Configuration x {\n AADConditionalAccessPolicy 'y' { }\n}")},
		".git/config.json":      {Data: []byte("{{")},
		"archive.zip":           {Data: zipOf(t, []string{"q.json", "readme.md"}, [][]byte{[]byte(strings.Replace(onePolicy, "1111", "2222", 1)), []byte("x")})},
		"sub/broken.zip":        {Data: []byte("PK\x03\x04broken")},
		"Domains/a/domain.json": {Data: []byte(`{"id":"a.onmicrosoft.com","authenticationType":"managed","isInitial":true,"isVerified":true}`)},
	}
	s, err := entra.Read(entra.Source{Name: "tenant", FS: folder})
	if err != nil {
		t.Fatal(err)
	}
	v := s.View()
	if len(v.Policies) != 2 || len(v.Locations) != 1 || len(v.Domains) != 1 {
		t.Errorf("got %d policies, %d locations, %d domains; want 2, 1, 1", len(v.Policies), len(v.Locations), len(v.Domains))
	}
	wantTroubles := []string{
		"tenant/broken.JSON:2:9: not valid JSON: a comma before ']'",
		"tenant/empty.json:0:0: the file is empty",
		"tenant/sub/broken.zip:0:0: zip archive cannot be read: zip: not a valid zip file",
	}
	if got := whats(v.Troubles); !slices.Equal(got, wantTroubles) {
		t.Errorf("got troubles %q\nwant %q", got, wantTroubles)
	}
	wantNotes := []string{
		"tenant/archive.zip:0:0: a file was not read, for it is not JSON: export/readme.md",
		"tenant/dsc/M365.ps1:0:0: a Microsoft365DSC configuration is PowerShell, not JSON; export the policies from Graph as JSON instead",
		"tenant/nothing.json:0:0: no tenant data found",
		"tenant:0:0: 3 files were not read, for they are neither JSON nor zip: dsc/M365.ps1, notes.txt, script.ps1",
	}
	if got := whats(v.Notes); !slices.Equal(got, wantNotes) {
		t.Errorf("got notes %q\nwant %q", got, wantNotes)
	}
	if at := v.Policies[0].Origin; at.File != "tenant/Identity/Conditional/AccessPolicies/1/1.json" || at.Line != 1 {
		t.Errorf("got origin %+v", at)
	}
	if at := v.Policies[1].Origin.File; at != "tenant/archive.zip!export/q.json" {
		t.Errorf("got origin %q", at)
	}
	for _, p := range []entra.Part{entra.PartPolicies, entra.PartLocations, entra.PartDomains} {
		if st := s.Status(p).Status; st != entra.StatusRead {
			t.Errorf("%s: got %q, want read", p, st)
		}
	}
}

// EntraExporter writes a folder per type and a file per object.
func TestTreeOfOneFilePerObject(t *testing.T) {
	folder := fstest.MapFS{
		"Identity/Conditional/AccessPolicies/1/1.json":                                       {Data: []byte(onePolicy)},
		"Groups/g1/g1.json":                                                                  {Data: []byte(`{"id":"g1","displayName":"Break glass","groupTypes":[],"securityEnabled":true,"mailEnabled":false}`)},
		"Groups/g1/Members/u1/u1.json":                                                       {Data: []byte(`{"id":"u1","userPrincipalName":"a@b","displayName":"A"}`)},
		"Groups/g1/Members/g2/g2.json":                                                       {Data: []byte(`{"id":"g2","displayName":"nested"}`)},
		"Groups/g1/Owners/u2/u2.json":                                                        {Data: []byte(`{"id":"u2","userPrincipalName":"c@d","displayName":"C"}`)},
		"Groups/g3/Owners/u2/u2.json":                                                        {Data: []byte(`{"id":"u2","userPrincipalName":"c@d","displayName":"C"}`)},
		"RoleManagement/Directory/RoleAssignments/a/a.json":                                  {Data: []byte(`{"id":"a","principalId":"u1","roleDefinitionId":"r1","directoryScopeId":"/"}`)},
		"RoleManagement/Exchange/RoleAssignments/b/b.json":                                   {Data: []byte(`{"id":"b","principalId":"u1","roleDefinitionId":"x","directoryScopeId":"/"}`)},
		"Policies/AuthenticationMethodsPolicy/AuthenticationMethodConfigurations/FIDO2.json": {Data: []byte(`{"@odata.type":"#microsoft.graph.fido2AuthenticationMethodConfiguration","id":"Fido2","state":"enabled"}`)},
	}
	s, err := entra.Read(entra.Source{Name: "tenant", FS: folder})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Content()
	wantGroups := []entra.Group{{ID: "g1", DisplayName: "Break glass", Members: []entra.ID{"g2", "u1"}, MembersRead: true}}
	if got := bare(c.Groups); !reflect.DeepEqual(got, wantGroups) {
		t.Errorf("got groups %+v\nwant %+v", got, wantGroups)
	}
	wantRoles := []entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive}}
	if got := bare(c.RoleAssignments); !reflect.DeepEqual(got, wantRoles) {
		t.Errorf("got roles %+v\nwant %+v", got, wantRoles)
	}
	if len(c.Policies) != 1 || len(c.Troubles) != 0 || len(c.Notes) != 1 ||
		c.Notes[0].What != "no tenant data found in 3 JSON files: tenant/Groups/g1/Owners/u2/u2.json, tenant/Groups/g3/Owners/u2/u2.json, tenant/RoleManagement/Exchange/RoleAssignments/b/b.json" {
		t.Errorf("got %d policies, troubles %q, notes %q", len(c.Policies), whats(c.Troubles), whats(c.Notes))
	}
	// Exchange's list alone says nothing about the directory's roles.
	s = read(t, "x.json", `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#roleManagement/exchange/roleAssignments","value":[{"principalId":"u1","roleDefinitionId":"x","directoryScopeId":"/"}]}`)
	if st := s.Status(entra.PartRoleAssignments).Status; st != entra.StatusNotAsked || len(s.View().RoleAssignments) != 0 {
		t.Errorf("Exchange's roles: got status %q, %d assignments", st, len(s.View().RoleAssignments))
	}
}

// A file that a person names must hold something.
func TestNamedFilesThatAreNotJSON(t *testing.T) {
	cases := []struct{ name, text, trouble, note string }{
		{"Microsoft365DSC", "Configuration M365 {\n  AADConditionalAccessPolicy \"x\" {\n }\n}", "a Microsoft365DSC configuration is PowerShell, not JSON; export the policies from Graph as JSON instead", ""},
		{"an HTML report", " <!DOCTYPE html><html></html>", "HTML or XML, not JSON; give the JSON file of the same export", ""},
		{"text", "hello", "not valid JSON: invalid character 'h' at start of value", ""},
		{"nothing", " \r\n", "the file is empty", ""},
		{"an empty list", "[]", "", "no tenant data found"},
		{"NUL bytes", "\x00\x00\x00", "not valid JSON: invalid character '\\x00' at start of value", ""},
		{"bytes that are not UTF-8", "{\"a\":\"\xff\xfe\"}", "", "some bytes are not UTF-8; they were read as U+FFFD"},
		{"a snapshot of a newer form", `{"schema":"halligan-snapshot/9"}`, "a snapshot of the form halligan-snapshot/9, which this version cannot read (halligan-snapshot/1)", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := read(t, "f", c.text).View()
			if c.trouble != "" && (len(v.Troubles) != 1 || v.Troubles[0].What != c.trouble) || c.trouble == "" && len(v.Troubles) > 0 {
				t.Errorf("got troubles %q, want %q", whats(v.Troubles), c.trouble)
			}
			if c.note != "" && (len(v.Notes) == 0 || v.Notes[0].What != c.note) {
				t.Errorf("got notes %q, want %q", whats(v.Notes), c.note)
			}
		})
	}
}

func TestNulInsideAStringIsKept(t *testing.T) {
	s := read(t, "f", strings.Replace(onePolicy, `"P"`, `"a\u0000b"`, 1))
	if got := s.View().Policies[0].DisplayName; got != "a\x00b" {
		t.Errorf("got %q", got)
	}
	checkRoundTrip(t, s)
}

func TestLimitsAreNamedAndTheRestIsRead(t *testing.T) {
	second := strings.Replace(onePolicy, "1111", "2222", 1)
	big := strings.Repeat(" ", 4<<20) + second
	cases := []struct {
		name    string
		limits  func(*entra.Limits)
		sources []entra.Source
		want    int
		trouble string
	}{
		{"a file too large", func(l *entra.Limits) { l.FileBytes = 1000 }, []entra.Source{{Name: "a", Data: []byte(onePolicy)}, {Name: "b", Data: []byte(big)}}, 1, "larger than the limit of 1000 bytes; not read"},
		{"a file too large in a folder", func(l *entra.Limits) { l.FileBytes = 1000 }, []entra.Source{{Name: "x", FS: fstest.MapFS{"a.json": {Data: []byte(onePolicy)}, "b.json": {Data: []byte(big)}}}}, 1, "larger than the limit of 1000 bytes; not read"},
		{"a member too large in an archive", func(l *entra.Limits) { l.FileBytes = 9000 }, []entra.Source{{Name: "z", Data: zipOf(t, []string{"a.json", "b.json"}, [][]byte{[]byte(onePolicy), []byte(big)})}}, 1, "larger than the limit of 9000 bytes; not read"},
		{"an archive that unpacks to a bomb", func(l *entra.Limits) { l.ZipRatio = 100 }, []entra.Source{{Name: "z", Data: zipOf(t, []string{"a.json", "b.json"}, [][]byte{[]byte(onePolicy), []byte(big)})}}, 1, "unpacks to more than 100 times its size; not read"},
		{"too much together", func(l *entra.Limits) { l.TotalBytes = int64(len(onePolicy)) + 10 }, []entra.Source{{Name: "a", Data: []byte(onePolicy)}, {Name: "b", Data: []byte(second)}}, 1, fmt.Sprintf("together more than %d bytes; not read", len(onePolicy)+10)},
		{"too many files", func(l *entra.Limits) { l.Files = 1 }, []entra.Source{{Name: "x", FS: fstest.MapFS{"a.json": {Data: []byte(onePolicy)}, "b.json": {Data: []byte(second)}, "c.json": {Data: []byte(second)}}}}, 1, "more than 1 files; this and all later ones were not read"},
		{"too many objects", func(l *entra.Limits) { l.Objects = 1 }, []entra.Source{{Name: "x", Data: []byte("[" + onePolicy + "," + second + "," + second + "]")}}, 1, "more than 1 objects; the rest is not read"},
		{"nesting too deep", func(l *entra.Limits) { l.Depth = 10 }, []entra.Source{{Name: "a", Data: []byte(onePolicy)}, {Name: "b", Data: []byte(strings.Repeat(`{"a":`, 11))}}, 1, "not valid JSON: nested too deeply"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := entra.DefaultLimits
			c.limits(&l)
			s, err := l.Read(c.sources...)
			if err != nil {
				t.Fatal(err)
			}
			if s.PoliciesRead() != c.want || !s.Incomplete() || len(s.View().Troubles) != 1 || s.View().Troubles[0].What != c.trouble {
				t.Errorf("got %d policies, troubles %q; want %d, %q", s.PoliciesRead(), whats(s.View().Troubles), c.want, c.trouble)
			}
		})
	}
}

func TestTroublesOfOneFileAreNotListedWithoutEnd(t *testing.T) {
	s := read(t, "f", `{"conditional_access_policies":[`+strings.Repeat("1,", 3000)+onePolicy+`]}`)
	list := s.View().Troubles
	if len(list) != 1000 || !strings.HasSuffix(list[999].What, "; further troubles of this file are not listed") || s.PoliciesRead() != 1 {
		t.Errorf("got %d troubles, %d policies", len(list), s.PoliciesRead())
	}
}

func TestReadWithoutASourceIsAnError(t *testing.T) {
	if _, err := entra.Read(); err == nil {
		t.Error("got no error")
	}
}

func TestArchiveMembersWithoutATellingNameAreRead(t *testing.T) {
	s, _ := entra.Read(entra.Source{Name: "z", Data: zipOf(t, []string{"policies", "readme.txt", "inner.zip"}, [][]byte{[]byte(onePolicy), []byte("{}"), []byte("PK")})})
	if s.PoliciesRead() != 1 || len(s.View().Notes) != 1 || s.View().Notes[0].What != "2 files were not read, for they are not JSON: export/readme.txt, export/inner.zip" {
		t.Errorf("got %d policies, notes %q", s.PoliciesRead(), whats(s.View().Notes))
	}
}

func TestTwoTenantsAreNotMixed(t *testing.T) {
	report := func(tenant string) []byte {
		return []byte(`{"tenant_details":[{"TenantId":"` + tenant + `","DomainName":"a.onmicrosoft.com"}],"conditional_access_policies":[]}`)
	}
	one, two := "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
	s, _ := entra.Read(entra.Source{Name: "a", Data: report(one)}, entra.Source{Name: "b", Data: report(strings.ToUpper(one))})
	if s.Incomplete() || string(s.View().TenantID) != one {
		t.Errorf("one tenant: got tenant %q, troubles %q", s.View().TenantID, whats(s.View().Troubles))
	}
	if s, _ = entra.Read(entra.Source{Name: "a", Data: report(one)}, entra.Source{Name: "b", Data: report(two)}); len(s.View().Troubles) != 1 {
		t.Errorf("two tenants: got troubles %q, want one", whats(s.View().Troubles))
	}
}

// A Snapshot and newer exports together are one reading.
func TestSnapshotsMixWithOtherSources(t *testing.T) {
	full := entra.NewSnapshot(fullContent())
	s, _ := entra.Read(entra.Source{Name: "s.json", Data: full.JSON()}, entra.Source{Name: "p.json", Data: []byte(onePolicy)})
	if s.PoliciesRead() != 2 || len(s.View().Users) != 1 || s.View().Cloud != "usgov" || len(s.View().Supposed) != 1 {
		t.Errorf("got %d policies, %d users", s.PoliciesRead(), len(s.View().Users))
	}
	// The same Snapshot twice is that Snapshot.
	if s, _ = entra.Read(entra.Source{Name: "a", Data: full.JSON()}, entra.Source{Name: "b", Data: full.JSON()}); s.PoliciesRead() != 1 || len(s.View().Troubles) != len(full.View().Troubles) {
		t.Errorf("got %d policies, troubles %q", s.PoliciesRead(), whats(s.View().Troubles))
	}
	v := read(t, "s.json", strings.Replace(string(full.JSON()), `"perUserMfa":`, `"future":1,"perUserMfa":`, 1)).View()
	if got := whats(v.Troubles); len(got) != 2 || !strings.Contains(got[0], "accounts[0].future") {
		t.Errorf("a key of a newer version: got troubles %q", got)
	}
}
