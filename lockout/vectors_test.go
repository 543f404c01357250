package lockout_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

// file wraps one vector, given as the members of its object, into a file.
func file(members string) []byte {
	return []byte(`{"schema":"ca-vectors/1","goals":{
		"console":{"client":"c44b4083-3bb0-49c1-b47d-974e53cbdf3c","audiences":["aud"],"clientAppTypes":["browser"],"mandatoryMfa":null},
		"recover:<goal>":"words for people"},
		"vectors":[{"id":"V1","title":"t",` + members + `}]}`)
}

const plain = `"accounts":[{"id":"bg","credentials":[]}],"query":{"kind":"prove","goal":"console","account":"bg"},"expect":{"verdict":"PROVED"}`

func TestReadVectorsRefuses(t *testing.T) {
	with := func(tenant string) []byte { return file(`"tenant":{` + tenant + `},` + plain) }
	account := func(members string) []byte {
		return file(`"accounts":[{"id":"bg",` + members + `}],"query":{"kind":"prove","goal":"console"},"expect":{}`)
	}
	query := func(members string) []byte {
		return file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":"console",` + members + `},"expect":{}`)
	}
	expect := func(members string) []byte {
		return file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":"console"},"expect":{` + members + `}`)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"text that is not JSON":           {[]byte(`{"schema"`), "EOF"},
		"two JSON values":                 {[]byte(`{} {}`), "more than one JSON value"},
		"a key given twice":               {[]byte(`{"schema":"ca-vectors/1","schema":"ca-vectors/1","vectors":[]}`), "duplicate"},
		"another schema":                  {[]byte(`{"schema":"ca-vectors/2","vectors":[]}`), `schema: "ca-vectors/2" is none of ca-vectors/1`},
		"no schema":                       {[]byte(`{"vectors":[]}`), "schema: missing"},
		"an unknown key at the top":       {[]byte(`{"schema":"ca-vectors/1","vectors":[],"extra":1}`), "extra: unknown key"},
		"an unknown key of a vector":      {file(`"hint":1,` + plain), "vectors[0].hint: unknown key"},
		"an unknown key of the tenant":    {with(`"kloud":"public"`), "vectors[0].tenant.kloud: unknown key"},
		"a flag that is a string":         {with(`"securityDefaults":"yes"`), "vectors[0].tenant.securityDefaults: want a boolean, found a string"},
		"an unknown key of mandatoryMfa":  {with(`"mandatoryMfa":{"phase3":true}`), "vectors[0].tenant.mandatoryMfa.phase3: unknown key"},
		"a policy that is a string":       {with(`"policies":["p"]`), "vectors[0].tenant.policies[0]: want an object, found a string"},
		"an unknown key of a group":       {with(`"groups":{"g":{"owners":[]}}`), "vectors[0].tenant.groups.g.owners: unknown key"},
		"an unknown key of an agreement":  {with(`"agreements":[{"id":"t","perDevice":true}]`), "vectors[0].tenant.agreements[0].perDevice: unknown key"},
		"an unknown role requirement":     {with(`"roleManagementPolicies":{"r":{"approval":true}}`), "vectors[0].tenant.roleManagementPolicies.r.approval: unknown key"},
		"an unknown legacy method":        {with(`"legacyMfaMethods":["pigeon"]`), `vectors[0].tenant.legacyMfaMethods[0]: "pigeon" is none of`},
		"an unknown key of a campaign":    {with(`"registrationCampaignForced":{"snooze":1}`), "registrationCampaignForced.snooze: unknown key"},
		"an application without id":       {with(`"servicePrincipals":[{}]`), "vectors[0].tenant.servicePrincipals[0].appId: missing"},
		"an unknown account key":          {account(`"mail":"x"`), "vectors[0].accounts[0].mail: unknown key"},
		"an unknown user type":            {account(`"userType":"Robot"`), `vectors[0].accounts[0].userType: "Robot" is none of Member, Guest`},
		"a role without template":         {account(`"roles":[{"assignment":"active"}]`), "vectors[0].accounts[0].roles[0].roleTemplateId: missing"},
		"an unknown credential type":      {account(`"credentials":[{"type":"telepathy"}]`), `vectors[0].accounts[0].credentials[0].type: "telepathy" is none of`},
		"an unknown credential key":       {account(`"credentials":[{"type":"password","colour":"red"}]`), "vectors[0].accounts[0].credentials[0].colour: unknown key"},
		"a password with a key model":     {account(`"credentials":[{"type":"password","aaGuid":"x"}]`), "a credential of type password has no aaGuid"},
		"two credentials of one name":     {account(`"credentials":[{"type":"password","id":"a"},{"type":"sms","id":"A"}]`), `two credentials are named "A"`},
		"an unknown kind of question":     {file(`"accounts":[{"id":"bg"}],"query":{"kind":"guess","goal":"console"},"expect":{}`), `query.kind: "guess" is none of`},
		"a goal nobody knows":             {file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":"moon"},"expect":{}`), `vectors[0].query.goal: no goal is named "moon"`},
		"an unknown key of a goal object": {file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":{"audiences":["a"],"clientAppTypes":["browser"],"x":1}},"expect":{}`), "vectors[0].query.goal.x: unknown key"},
		"a goal that asks for nothing":    {file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":{"audiences":[],"clientAppTypes":["browser"]}},"expect":{}`), "vectors[0].query.goal: a goal needs at least one audience"},
		"a stage of an unknown kind":      {file(`"accounts":[{"id":"bg"}],"query":{"kind":"prove","goal":{"audiences":["a"],"clientAppTypes":["browser"],"stage":{"kind":"magic","action":"a"}}},"expect":{}`), `stage.kind: "magic" is none of userAction`},
		"an account that is not there":    {query(`"account":"nobody"`), `no account "nobody" in this vector`},
		"an unknown dimension":            {query(`"quantifiers":{"weather":{"forall":"*"}}`), "vectors[0].query.quantifiers.weather: unknown key"},
		"both quantifiers":                {query(`"quantifiers":{"flow":{"forall":"*","exists":"*"}}`), "want one of forall and exists"},
		"an unknown value":                {query(`"quantifiers":{"platform":{"forall":["amiga"]}}`), `quantifiers.platform.forall[0]: "amiga" is none of windows`},
		"an empty list of values":         {query(`"quantifiers":{"platform":{"forall":[]}}`), "an empty list of values"},
		"another star":                    {query(`"quantifiers":{"platform":{"forall":"**"}}`), `"**" is none of *`},
		"a device attribute nobody knows": {query(`"quantifiers":{"device":{"forall":[{"registered":true,"shape":"round"}]}}`), "device.forall[0].shape: unknown key"},
		"a device that does not say":      {query(`"quantifiers":{"device":{"forall":[{}]}}`), "device.forall[0].registered: missing"},
		"an unknown verdict":              {expect(`"verdict":"FINE"`), `vectors[0].expect.verdict: "FINE" is none of`},
		"a blocker without control":       {expect(`"blockers":[{"source":"p"}]`), "vectors[0].expect.blockers[0].control: missing"},
		"an unknown dimension of a point": {expect(`"denyPoint":{"mood":"bad"}`), "vectors[0].expect.denyPoint.mood: unknown key"},
		"a margin that is no number":      {expect(`"margin":"two"`), "vectors[0].expect.margin: want a number, found a string"},
		"an event that is no list":        {expect(`"singlePointsOfFailure":["deleteGroup"]`), "singlePointsOfFailure[0]: want a list, found a string"},
		"an unknown key of expect":        {expect(`"outcome":"PROVED"`), "vectors[0].expect.outcome: unknown key"},
		"one id for two vectors": {[]byte(strings.Replace(string(file(plain)), `"vectors":[`,
			`"vectors":[{"id":"V1",`+plain+`},`, 1)), `the id "V1" is given twice`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := lockout.ReadVectors(c.data)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v\nwant one with %q", err, c.want)
			}
		})
	}
}

func TestReadVectorsReportsEveryMistake(t *testing.T) {
	_, err := lockout.ReadVectors(file(`"tenant":{"a":1,"b":2},` + plain))
	for _, want := range []string{"tenant.a: unknown key", "tenant.b: unknown key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

// everyKey uses every key that the conventions name, and each at a value that is
// not its default.
const everyKey = `"tags":["x"],"tenant":{
	"cloud":"usgov","lowPrivilegeScopesEnforced":false,"securityDefaults":true,"mandatoryMfa":{"phase1":false,"phase2":true},
	"policies":[{"id":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeAuthenticationContextClassReferences":["c2"]}},
		"grantControls":{"operator":"OR","authenticationStrength":{"id":"s2","allowedCombinations":["fido2"]}}}],
	"namedLocations":[{"@odata.type":"#microsoft.graph.ipNamedLocation","id":"l1","displayName":"l1","isTrusted":true,"ipRanges":[{"cidrAddress":"10.0.0.0/8"}]}],
	"authenticationStrengthPolicies":[{"id":"s1","displayName":"s1","policyType":"custom","allowedCombinations":["password,sms"]}],
	"authenticationMethodsPolicy":{"policyMigrationState":"migrationInProgress","authenticationMethodConfigurations":[
		{"@odata.type":"#microsoft.graph.smsAuthenticationMethodConfiguration","id":"Sms","state":"disabled","includeTargets":[],"excludeTargets":[]}]},
	"groups":{"outer":{"members":["inner"]},"inner":["bg"],"loop":{"members":["loop"]},"other":{"members":["someone"]}},
	"protectedActions":{"microsoft.directory/conditionalAccessPolicies/basic/update":"c1"},
	"servicePrincipals":[{"appId":"aud","customSecurityAttributes":{"Set":{"@odata.type":"#x","Attr":"v","Many@odata.type":"#Collection(String)","Many":["a","b"]},"Flat_Attr":"w"}}],
	"agreements":[{"id":"t1","isPerDeviceAcceptanceRequired":true}],
	"roleManagementPolicies":{"r1":{"approvalRequired":true}},
	"legacyMfaMethods":["sms"],
	"registrationCampaignForced":{"includeTargets":[{"targetType":"group","id":"all_users","targetedAuthenticationMethod":"fido2"}],"excludeTargets":[{"targetType":"user","id":"bg"}]}},
	"accounts":[{"id":"bg","userType":"Guest","accountEnabled":false,"perUserMfa":"enforced",
		"roles":[{"roleTemplateId":"r1","directoryScopeId":"/administrativeUnits/x","assignment":"eligible"}],
		"credentials":[{"id":"k","type":"fido2","aaGuid":"A","passkeyType":"synced","site":"safe","custodians":["ann","bob"]},
			{"id":"t","type":"temporaryAccessPass","isUsableOnce":true},
			{"id":"c","type":"x509","issuerSki":"SKI","policyOids":["1.2"],"protection":"multiFactor"},
			{"id":"p","type":"password"},{"id":"h","type":"hardwareOath"},{"id":"o","type":"softwareOath"},{"id":"s","type":"sms"},
			{"id":"v","type":"voice"},{"id":"a","type":"microsoftAuthenticatorPush"}]}],
	"query":{"kind":"prove","account":"bg","goal":{"client":"c","audiences":["aud"],"clientAppTypes":["browser","other"],"mandatoryMfa":"phase1","lowPrivOnly":true,
			"stage":{"kind":"userAction","action":"urn:user:registersecurityinfo","audiences":["reg"]}},
		"quantifiers":{"platform":{"forall":["linux"]},"ipLocations":{"exists":[["l2","l1"],[]]},"country":{"forall":["de","unknown"]},"gpsCountry":{"forall":"*"},
			"compliantNetwork":{"exists":[true,false]},"smartLockout":{"forall":[true]},"signInRisk":{"forall":"*"},"userRisk":{"forall":["high"]},
			"insiderRisk":{"forall":["elevated"]},"clientAppType":{"forall":"*"},"flow":{"exists":"*"},"authService":{"forall":["outageExistingSession"]},
			"resourceSeenIp":{"forall":[[]]},
			"device":{"exists":[{"registered":false},{"registered":true,"managed":true,"isCompliant":"True","trustType":"ServerAD","physicalIds":["a","b"]}]}}},
	"expect":{"verdict":"LOCKOUT","blockers":[{"source":"account","control":"noUsableCredential"}],"denyPoint":{"platform":"linux","ipLocations":["l1"],"compliantNetwork":true,
			"device":{"registered":true}},"allowPoint":{},"margin":2,"minimalEventSets":[[["deleteGroup","g"]]],"singlePointsOfFailure":[],"reason":"r","status":"inferred","cite":"c"}`

func TestReadVectorsReadsEveryKey(t *testing.T) {
	f, err := lockout.ReadVectors(file(everyKey))
	if err != nil {
		t.Fatal(err)
	}
	v := &f.Vectors[0]
	s, err := v.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c := s.View()
	got := map[string]any{
		"cloud": c.Cloud, "low": *c.LowPrivilegeScopes, "defaults": *c.SecurityDefaults, "policies": len(c.Policies),
		"locations": len(c.Locations), "strengths": len(c.Strengths), "migration": c.MethodsPolicy.MigrationState,
		"sms": c.MethodsPolicy.Method("Sms").State, "fido2": c.MethodsPolicy.Method("Fido2").State,
		"memberships": c.Accounts[0].Memberships, "protected": c.ProtectedActions[0].Context, "contexts": len(c.Contexts),
		"attributes": c.Applications[0].Attributes, "agreement": c.Agreements[0].PerDevice, "approval": c.RolePolicies[0].ApprovalRequired,
		"legacy": c.LegacyMethods, "campaign": c.CampaignForced.Include[0].Method, "userType": c.Users[0].UserType, "enabled": *c.Users[0].Enabled,
		"perUser": c.Accounts[0].PerUserMFA, "roles": c.RoleAssignments, "methods": len(c.Accounts[0].Methods),
	}
	want := map[string]any{
		"cloud": "usgov", "low": false, "defaults": true, "policies": 1, "locations": 1, "strengths": 2, "migration": "migrationInProgress",
		"sms": "disabled", "fido2": "enabled", "memberships": []entra.ID{"inner", "outer"}, "protected": "c1", "contexts": 2,
		"attributes": map[string][]string{"Set_Attr": {"v"}, "Set_Many": {"a", "b"}, "Flat_Attr": {"w"}}, "agreement": true, "approval": true,
		"legacy": []entra.MethodType{"sms"}, "campaign": "fido2", "userType": "Guest", "enabled": false, "perUser": "enforced",
		"roles":   []entra.RoleAssignment{{Principal: "bg", Role: "r1", Scope: "/administrativeUnits/x", Assignment: entra.AssignmentEligible}},
		"methods": 9,
	}
	same(t, "snapshot", got, want)

	q, err := v.Question(s)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "goal", q.Goal, lockout.Goal{Name: "(goal of V1)", Client: "c", Audiences: []entra.ID{"aud"}, ClientAppTypes: []entra.ClientAppType{"browser", "other"},
		LowPrivOnly: true, Stage: &lockout.Stage{Kind: "userAction", Action: "urn:user:registersecurityinfo", Audiences: []entra.ID{"reg"}}})
	same(t, "holdings", q.Holdings, map[string]lockout.Holding{"k": {Site: "safe", Custodians: []string{"ann", "bob"}}})
	same(t, "where", q.Envelope[lockout.DimIP], lockout.Quantifier{Exists: true, Values: []string{"l1,l2", ""}})
	same(t, "country", q.Envelope[lockout.DimCountry], lockout.Quantifier{Values: []string{"DE", "unknown"}})
	same(t, "network", q.Envelope[lockout.DimCompliantNetwork], lockout.Quantifier{Exists: true, Values: []string{"true", "false"}})
	same(t, "flow", q.Envelope[lockout.DimFlow], lockout.Quantifier{Exists: true, All: true})
	same(t, "devices", q.Envelope[lockout.DimDevice], lockout.Quantifier{Exists: true, Devices: []lockout.Device{{}, {Registered: true, Managed: true,
		Attributes: map[string][]string{"isCompliant": {"True"}, "trustType": {"ServerAD"}, "physicalIds": {"a", "b"}}}}})
	if len(q.Envelope) != len(lockout.Dimensions) {
		t.Errorf("got %d dimensions, want all %d", len(q.Envelope), len(lockout.Dimensions))
	}
	for _, p := range []entra.Part{entra.PartPolicies, entra.PartGroups, entra.PartApplications, entra.PartLicences, entra.PartDomains} {
		if got := s.Status(p).Status; got != entra.StatusRead {
			t.Errorf("%s: got %s, want read", p, got)
		}
	}
}

func TestReadVectorsDefaults(t *testing.T) {
	f, err := lockout.ReadVectors(file(plain))
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Vectors[0].Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	c := s.View()
	if c.Cloud != "public" || *c.SecurityDefaults || !*c.LowPrivilegeScopes || !slices.Contains(c.ServicePlans, "AAD_PREMIUM_P2") || c.CampaignForced != nil ||
		len(c.MethodsPolicy.Methods) != 10 || c.MethodsPolicy.MigrationState != "migrationComplete" || !c.RegistrationRuledOut {
		t.Errorf("tenant: got %+v", c)
	}
	same(t, "role", c.RoleAssignments, []entra.RoleAssignment{{Principal: "bg", Role: "62e90394-69f5-4237-9190-012177145e10", Scope: "/", Assignment: entra.AssignmentActive}})
	if u := c.Users[0]; u.UserType != "Member" || !*u.Enabled || c.Accounts[0].PerUserMFA != "disabled" || !c.Accounts[0].MethodsRead || !c.Accounts[0].MembersRead {
		t.Errorf("account: got %+v %+v", u, c.Accounts[0])
	}
}

func TestVectorGoals(t *testing.T) {
	ask := func(goal string) lockout.Goal {
		f, err := lockout.ReadVectors(file(strings.Replace(plain, `"console"`, `"`+goal+`"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return f.Vectors[0].Goal
	}
	if g := ask("recover:console"); g.Name != "recover:console" || !g.Recover || g.Audiences[0] != "aud" {
		t.Errorf("recover of a goal of the file: got %+v", g)
	}
	if g := ask("console"); g.Recover {
		t.Errorf("recover sticks to the goal: %+v", g)
	}
	if g := ask("recover:graphPowerShell"); !g.Recover || len(g.Audiences) != 1 {
		t.Errorf("recover of a goal of ours: got %+v", g)
	}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := json.MarshalIndent(got, "", " ")
	w, _ := json.MarshalIndent(want, "", " ")
	if string(g) != string(w) {
		t.Errorf("%s: got %s\nwant %s", what, g, w)
	}
}
