package entra_test

import (
	"strings"
	"testing"

	"halligan/entra"
)

func TestPropertiesAreKnownOnlyWhenTheyWereGiven(t *testing.T) {
	f := entra.ParseFields([]byte(`{"Id":"U1","mail":null,"accountEnabled":"True","n":3,"when":"2026-03-04T05:06:07Z","never":null,
		"list":["a","b"],"mixed":["a",1],"manager":{"id":"m1"},"objects":[{"id":"x"}],"AdditionalProperties":{"extra":"e"}}`))
	if s, ok := f.Text("id"); s != "U1" || !ok {
		t.Errorf("id in another case: %q %v", s, ok)
	}
	if s, ok := f.Text("mail"); s != "" || !ok || !f.Null("mail") {
		t.Error("null is known, and empty")
	}
	if _, ok := f.Text("phone"); ok || f.Known("phone") {
		t.Error("what is absent is not known")
	}
	if _, ok := f.Text("n"); ok {
		t.Error("a number is no text")
	}
	if is, ok := f.Flag("accountEnabled"); !is || !ok {
		t.Error("PowerShell's True")
	}
	if _, ok := f.Flag("mail"); !ok {
		t.Error("a null flag is false, and known")
	}
	if n, ok := f.Int("n"); n != 3 || !ok {
		t.Errorf("n: %d %v", n, ok)
	}
	if at, ok := f.Time("when"); !ok || at.Year() != 2026 {
		t.Errorf("when: %v %v", at, ok)
	}
	if at, ok := f.Time("never"); !ok || !at.IsZero() {
		t.Error("a null time is known, and zero")
	}
	if list, ok := f.Texts("list"); len(list) != 2 || !ok {
		t.Errorf("list: %v %v", list, ok)
	}
	if _, ok := f.Texts("mixed"); ok {
		t.Error("a list with a number in it is no list of texts")
	}
	if f.Object("manager").ID() != "m1" || f.Str("manager.id") != "m1" || f.Str("extra") != "e" {
		t.Error("an object within, a path, or AdditionalProperties")
	}
	if list, ok := f.List("objects"); len(list) != 1 || !ok || list[0].ID() != "x" {
		t.Errorf("objects: %v %v", list, ok)
	}
	for _, bad := range []string{"", "[]", "3", "{", strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)} {
		if !entra.ParseFields([]byte(bad)).Empty() {
			t.Errorf("%.20q is taken for an object", bad)
		}
	}
}

func TestTwoReadingsOfOneObjectAreOne(t *testing.T) {
	s := entra.NewSnapshot(entra.Content{Objects: []entra.Object{
		{Part: entra.PartUsers, Subject: "u1", Raw: []byte(`{"id":"u1","mail":"a@x","phone":"1"}`)},
		{Part: entra.PartUsers, Subject: "U1", Raw: []byte(`{"id":"u1","mail":"a@x","phone":"2","employeeId":null}`)},
		{Part: entra.PartUsers, Subject: "u2", Raw: []byte(`no JSON`)},
	}})
	f := s.Details(entra.PartUsers, "u1")
	if mail, ok := f.Text("mail"); mail != "a@x" || !ok || !f.Known("employeeId") {
		t.Error("what both say, or one of them, is known")
	}
	if f.Known("phone") {
		t.Error("what they say differently is not known")
	}
	if !s.Incomplete() {
		t.Error("an object that is no JSON is a trouble")
	}
	again, err := entra.Read(entra.Source{Name: "s.json", Data: s.JSON()})
	if err != nil || again.Digest() != s.Digest() {
		t.Errorf("the objects do not survive the round trip: %v", err)
	}
}

func TestAReadingIsOfOneSubject(t *testing.T) {
	s := entra.NewSnapshot(entra.Content{
		Parts:    map[entra.Part]entra.PartState{entra.PartRiskyUsers: {Status: entra.StatusRead}, entra.PartOwnedObjects: {Status: entra.StatusDenied}},
		Objects:  []entra.Object{{Part: entra.PartDevices, Subject: "u1", Raw: []byte(`{"id":"d1"}`)}},
		Readings: []entra.Reading{{Part: entra.PartDevices, Subject: "U1", PartState: entra.PartState{Status: entra.StatusRead}}},
	})
	for _, c := range []struct {
		name    string
		part    entra.Part
		subject entra.ID
		n       int
		status  entra.Status
	}{
		{"read for the subject", entra.PartDevices, "u1", 1, entra.StatusRead},
		{"not asked for another", entra.PartDevices, "u2", 0, entra.StatusNotAsked},
		{"a whole list tells of everybody", entra.PartRiskyUsers, "u2", 0, entra.StatusRead},
		{"denied as a whole", entra.PartOwnedObjects, "u1", 0, entra.StatusDenied},
	} {
		if list, st := s.Of(c.part, c.subject); len(list) != c.n || st.Status != c.status {
			t.Errorf("%s: %d objects, %s", c.name, len(list), st.Status)
		}
	}
}

// Lists that only the checks ask for are kept as they are, told by the request
// that their context names.
func TestFurtherListsAreKept(t *testing.T) {
	for name, c := range map[string]struct {
		part    entra.Part
		subject entra.ID
		text    string
	}{
		"administrative units": {entra.PartAdministrativeUnits, "au1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directory/administrativeUnits","value":[{"id":"au1","displayName":"x","isMemberManagementRestricted":true}]}`},
		"risky users":          {entra.PartRiskyUsers, "u1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identityProtection/riskyUsers","value":[{"id":"u1","riskState":"atRisk"}]}`},
		"risk detections":      {entra.PartRiskDetections, "u1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identityProtection/riskDetections","value":[{"id":"d1","userId":"u1"}]}`},
		"registration details": {entra.PartRegistrationDetails, "u1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#reports/authenticationMethods/userRegistrationDetails","value":[{"id":"u1","methodsRegistered":[]}]}`},
		"workflows":            {entra.PartLifecycleWorkflows, "w1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identityGovernance/lifecycleWorkflows/workflows","value":[{"id":"w1","isEnabled":true}]}`},
		"access reviews":       {entra.PartAccessReviews, "r1", `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identityGovernance/accessReviews/definitions","value":[{"id":"r1"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := entra.Read(entra.Source{Name: "x.json", Data: []byte(c.text)})
			if err != nil {
				t.Fatal(err)
			}
			if s.Status(c.part).Status != entra.StatusRead || s.Details(c.part, c.subject).Empty() {
				t.Errorf("%s: %+v, troubles %v, notes %v", c.part, s.Status(c.part), s.View().Troubles, s.View().Notes)
			}
		})
	}
}

func FuzzParseFields(f *testing.F) {
	f.Add([]byte(`{"id":"u1","mail":null,"a":{"b":[{"c":1}]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		x := entra.ParseFields(raw)
		for _, path := range []string{"id", "a.b", "a.b.c", "@odata.type", ""} {
			x.Text(path)
			x.Flag(path)
			x.Time(path)
			x.Texts(path)
			x.List(path)
			x.Object(path)
		}
	})
}
