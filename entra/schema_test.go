package entra_test

import (
	"bytes"
	"net/netip"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"halligan/entra"
)

func snapshotSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile("../docs/snapshot.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("snapshot.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("snapshot.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkSchema(t testing.TB, schema *jsonschema.Schema, s *entra.Snapshot) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.JSON()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Errorf("the snapshot is not of its schema: %v\n%s", err, s.JSON())
	}
}

func ptr[T any](v T) *T { return &v }

// fullContent has something in every field of every type of a Content.
func fullContent() entra.Content {
	when := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	target := entra.MethodTarget{TargetType: "group", ID: "all_users", Profiles: []entra.ID{"pp1"}, Method: "fido2"}
	unmodelled := []entra.Unmodelled{{Area: entra.AreaGrant, Path: "grantControls.future", Value: `{"x":1}`, Kind: "key"}}
	restrictions := &entra.KeyRestrictions{Enforced: true, Enforcement: "allow", AAGUIDs: []string{"a1"}}
	at := entra.Origin{File: "export.zip!p.json", Line: 3, Path: ".value[2]"}
	return entra.Content{
		TenantID: "t", Cloud: "usgov", Taken: when,
		Parts: map[entra.Part]entra.PartState{entra.PartPolicies: {Status: entra.StatusRead}, entra.PartUsers: {Status: entra.StatusDenied, Detail: "403"}},
		Policies: []entra.Policy{{
			ID: "p1", DisplayName: "Microsoft-managed: x", State: entra.StateReportOnly, TemplateID: "tpl", Managed: true,
			Conditions: entra.Conditions{
				Users: entra.Users{
					IncludeUsers: []entra.ID{"All"}, ExcludeUsers: []entra.ID{"u1"}, IncludeGroups: []entra.ID{"g1"}, ExcludeGroups: []entra.ID{"g2"},
					IncludeRoles: []entra.ID{"r1"}, ExcludeRoles: []entra.ID{"r2"},
					IncludeGuests: &entra.Guests{Types: []entra.GuestType{entra.GuestOther}, AllTenants: true},
					ExcludeGuests: &entra.Guests{Types: []entra.GuestType{entra.GuestInternal, entra.GuestServiceProvider}, Tenants: []entra.ID{"t2"}},
				},
				Applications: entra.Applications{Include: []entra.ID{"Office365"}, Exclude: []entra.ID{"app"},
					Filter:      &entra.Filter{Mode: entra.FilterExclude, Rule: `CustomSecurityAttribute.a_b -eq "c"`},
					UserActions: []string{"urn:user:registerdevice"}, AuthContexts: []string{"c1"}, GlobalSecureAccess: true},
				ClientAppTypes: []entra.ClientAppType{entra.ClientBrowser}, Platforms: &entra.Platforms{Include: []entra.Platform{entra.PlatformAll}, Exclude: []entra.Platform{entra.PlatformIOS}},
				Locations:    &entra.Locations{Include: []entra.ID{"All"}, Exclude: []entra.ID{"AllTrusted"}},
				DeviceFilter: &entra.Filter{Mode: entra.FilterInclude, Rule: "device.isCompliant -eq True"},
				SignInRisk:   []entra.RiskLevel{entra.RiskHigh}, UserRisk: []entra.RiskLevel{entra.RiskLow}, InsiderRisk: []entra.InsiderRisk{entra.InsiderElevated, entra.InsiderMinor},
				Flows: []entra.AuthFlow{entra.FlowDeviceCode, entra.FlowTransfer}, WorkloadRisk: []entra.RiskLevel{entra.RiskMedium}, Workload: true, Agents: true,
			},
			Grant: entra.Grant{Operator: entra.OperatorAnd, Controls: []entra.GrantControl{entra.ControlMFA}, TermsOfUse: []entra.ID{"tou"}, CustomFactors: []string{"duo"},
				Strength: &entra.AuthStrength{ID: "s1", DisplayName: "S", PolicyType: "custom", Combinations: []entra.Combination{{entra.ModePassword, entra.ModeSMS}, {entra.ModeFIDO2}},
					Configurations: []entra.CombinationConfiguration{
						{AppliesTo: []entra.Combination{{entra.ModeFIDO2}}, AAGUIDs: []string{"a1"}},
						{AppliesTo: []entra.Combination{{entra.ModeX509Multi}}, IssuerSKIs: []string{"ski"}, PolicyOIDs: []string{"1.2"}}, {AppliesTo: []entra.Combination{{entra.ModeSMS}}, Unknown: true},
					}, ConfigurationsRead: true}},
			Session: entra.Session{SignInFrequency: &entra.SignInFrequency{Value: 4, Unit: "hours", AuthenticationType: "primaryAndSecondaryAuthentication"}, PersistentBrowser: "never",
				CloudAppSecurity: "monitorOnly", AppEnforcedRestrictions: true, DisableResilienceDefaults: true, SecureSignInSession: true, ContinuousAccessEvaluation: "strictLocation", GlobalSecureAccess: true},
			Unmodelled: unmodelled, Foreign: []string{"tenantFilter"}, Origin: at,
		}},
		Locations: []entra.NamedLocation{
			{ID: "l1", DisplayName: "HQ", Kind: entra.LocationIP, Trusted: true, Ranges: []entra.IPRange{
				{First: netip.MustParseAddr("192.0.2.0"), Last: netip.MustParseAddr("192.0.2.255")}, {First: netip.MustParseAddr("2001:db8::"), Last: netip.MustParseAddr("2001:db8::ff")}}, Origin: at, Unmodelled: unmodelled},
			{ID: "l2", DisplayName: "Countries", Kind: entra.LocationCountry, Countries: []string{"DE", "FR"}, IncludeUnknown: true, GPS: true},
			{ID: "l3", DisplayName: "Compliant", Kind: entra.LocationCompliantNetwork, Trusted: true},
		},
		Strengths: []entra.AuthStrength{{ID: "s1", DisplayName: "S", PolicyType: "custom", Combinations: []entra.Combination{{entra.ModeFIDO2}}, ConfigurationsRead: true, Origin: at, Unmodelled: unmodelled}},
		Contexts:  []entra.AuthContext{{ID: "c1", DisplayName: "Admin", Available: true}},
		MethodsPolicy: &entra.MethodsPolicy{MigrationState: "migrationComplete", Campaign: &entra.RegistrationCampaign{State: "enabled", SnoozeDays: 3, Enforce: ptr(false), Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users", Method: "fido2"}}, Exclude: []entra.MethodTarget{{TargetType: "user", ID: "u1"}}},
			Methods: []entra.MethodConfiguration{
				{ID: "Fido2", State: "enabled", Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users", Profiles: []entra.ID{"pp1"}}}, Exclude: []entra.MethodTarget{{TargetType: "group", ID: "g3"}}, KeyRestrictions: restrictions, AttestationEnforced: true, DefaultProfile: "pp1",
					PasskeyProfiles: []entra.PasskeyProfile{{ID: "pp1", Name: "P", PasskeyTypes: []string{"deviceBound", "synced"}, KeyRestrictions: restrictions, Attestation: "registrationOnly"}}},
				{ID: "TemporaryAccessPass", State: "disabled", TAPOneTimeOnly: true, TAPMaxLifetimeMinute: 480},
				{ID: "ext", State: "enabled", External: true},
			}, Origin: at, Unmodelled: unmodelled},
		SecurityDefaults: ptr(false), SSPRAllowed: ptr(true),
		Users:  []entra.User{{ID: "u1", UserPrincipalName: "bg@x.example", DisplayName: "BG", UserType: "Member", Enabled: ptr(true), OnPremisesSync: ptr(false), PasswordPolicies: "DisablePasswordExpiration", Deleted: true, Unmodelled: unmodelled}},
		Groups: []entra.Group{{ID: "g1", DisplayName: "G", RoleAssignable: ptr(true), Dynamic: true, Members: []entra.ID{"u1"}, MembersRead: true}},
		Accounts: []entra.Account{{ID: "u1", Memberships: []entra.ID{"g1"}, MembersRead: true, MethodsRead: true, PerUserMFA: "disabled", Methods: []entra.AuthMethod{
			{ID: "m1", Type: entra.MethodFIDO2, DisplayName: "key", AAGUID: "a1", PasskeyType: "deviceBound", Created: &when, Raw: []byte(`{"id":"m1"}`)},
			{ID: "m2", Type: entra.MethodTAP, UsableOnce: true}, {ID: "m3", Type: entra.MethodX509, IssuerSKI: "ski", PolicyOIDs: []string{"1.2.3"}, MultiFactor: true}}}},
		RoleAssignments:  []entra.RoleAssignment{{Principal: "u1", Role: "r1", Scope: "/", Assignment: entra.AssignmentActive, End: &when, Activated: true}},
		RolePolicies:     []entra.RolePolicy{{Role: "r1", ApprovalRequired: true, Approvers: []entra.ID{"u2"}, MFARequired: true, AuthContext: "c1"}},
		ProtectedActions: []entra.ProtectedAction{{Action: "microsoft.directory/conditionalAccessPolicies/basic/update", Context: "c1"}},
		Agreements:       []entra.Agreement{{ID: "tou", DisplayName: "Terms", PerDevice: true}},
		Applications:     []entra.ServicePrincipal{{AppID: "app", DisplayName: "App", Attributes: map[string][]string{"set_attr": {"v"}}, AttributesRead: true}},
		Domains:          []entra.Domain{{Name: "x.onmicrosoft.com", Initial: true, Authentication: "Managed", IdpMFA: "acceptIfMfaDoneByFederatedIdp"}},
		ServicePlans:     []entra.ServicePlan{"AAD_PREMIUM_P2"}, LegacyMethods: []entra.MethodType{entra.MethodSMS}, LowPrivilegeScopes: ptr(true), RegistrationRuledOut: true,
		CampaignForced: &entra.RegistrationCampaign{State: "enabled", SnoozeDays: 1, Enforce: ptr(true), Include: []entra.MethodTarget{target}, Exclude: []entra.MethodTarget{target}},
		Objects:        []entra.Object{{Part: entra.PartUsers, Subject: "u1", Raw: []byte(`{"id":"u1","mail":null}`)}},
		Readings:       []entra.Reading{{Part: entra.PartDevices, Subject: "u1", PartState: entra.PartState{Status: entra.StatusDenied, Detail: "403"}}},
		Supposed:       []entra.Supposition{{Expression: "member=g1", Meaning: "u1 is a member of g1"}},
		Troubles:       []entra.Trouble{{File: "a.json", Line: 1, Column: 2, What: "w"}}, Notes: []entra.Trouble{{What: "n"}},
	}
}

// A field that fullContent leaves empty would not be tested by the round trip.
func TestFullContentLeavesNothingOut(t *testing.T) {
	seen := map[string]bool{} // Type.Field → set somewhere
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			if v.Type().PkgPath() != reflect.TypeFor[entra.Content]().PkgPath() {
				return
			}
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				seen[name] = seen[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(fullContent()))
	// What is not part of the JSON: the JSON itself, and the origin of objects
	// that travel in the small form. Everytime is the other case of Value.
	for _, name := range []string{"Policy.Raw", "NamedLocation.Raw", "AuthStrength.Raw", "AuthContext.Raw", "MethodsPolicy.Raw", "User.Raw", "User.Origin", "Group.Raw", "Group.Origin",
		"RoleAssignment.Raw", "RolePolicy.Raw", "Agreement.Raw", "ServicePrincipal.Raw", "Domain.Raw", "ProtectedAction.Raw", "SignInFrequency.EveryTime", "MethodConfiguration.Unmodelled", "Trouble.Other"} {
		delete(seen, name)
	}
	for name, set := range seen {
		if !set {
			t.Errorf("fullContent does not set %s", name)
		}
	}
}

// Everything a Content can say survives JSON, and the JSON is of the schema.
func TestSnapshotSurvivesTheRoundTripInEveryField(t *testing.T) {
	s := entra.NewSnapshot(fullContent())
	checkSchema(t, snapshotSchema(t), s)
	checkRoundTrip(t, s)
	again, _ := entra.Read(entra.Source{Name: "s.json", Data: s.JSON()})
	got, want := again.Content(), s.Content()
	for _, c := range []*entra.Content{&got, &want} { // what has its own JSON keeps it
		c.Policies[0].Grant.Strength.Raw, c.Policies[0].Grant.Strength.Unmodelled = nil, nil
	}
	if !reflect.DeepEqual(got, want) {
		a, b := reflect.ValueOf(got), reflect.ValueOf(want)
		for i := range a.NumField() {
			if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
				t.Errorf("%s: got  %+v\nwant %+v", a.Type().Field(i).Name, a.Field(i).Interface(), b.Field(i).Interface())
			}
		}
	}
}

func TestEmptySnapshotIsOfItsSchema(t *testing.T) {
	s := entra.NewSnapshot(entra.Content{})
	checkSchema(t, snapshotSchema(t), s)
	checkRoundTrip(t, s)
	if s.Incomplete() || s.PoliciesRead() != 0 || s.Status(entra.PartPolicies).Status != entra.StatusNotAsked {
		t.Errorf("got incomplete %v, %d policies, status %v", s.Incomplete(), s.PoliciesRead(), s.Status(entra.PartPolicies))
	}
}

// Names that a caller made of bytes are still JSON.
func TestBytesThatAreNotUTF8BecomeAReplacement(t *testing.T) {
	s := entra.NewSnapshot(entra.Content{Cloud: "public", Notes: []entra.Trouble{{What: "a\xff\"b"}}})
	if !bytes.Contains(s.JSON(), []byte("\"what\":\"a\uFFFD\\\"b\"")) {
		t.Errorf("got %s", s.JSON())
	}
	checkRoundTrip(t, s)
}

func TestPublishedSetsAreOfTheSchema(t *testing.T) {
	root, sets := policySets(t)
	schema := snapshotSchema(t)
	for _, set := range sets {
		names, texts := set.files(t, root)
		s, _ := entra.Read(forms[0].of(t, names, texts)...)
		checkSchema(t, schema, s)
	}
}
