package entra_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
)

// fuzzLimits keep a run of the fuzzer small.
var fuzzLimits = entra.Limits{FileBytes: 1 << 20, TotalBytes: 1 << 21, Files: 50, Depth: 60, Objects: 2000, ZipRatio: 200}

func seeds(f *testing.F) [][]byte {
	generated := generatePolicies(3)
	full := entra.NewSnapshot(fullContent())
	return [][]byte{
		[]byte(onePolicy), marshal(f, generated), marshal(f, pascal(anyList(generated))), full.JSON(),
		[]byte(`{"value":[` + onePolicy + `],"@odata.nextLink":"x"}`),
		[]byte(`{"conditional_access_policies":"System.Object[]","privileged_roles":[{"RoleTemplateId":"r","Assignments":[],"Rules":[]}]}`),
		[]byte(`{"id":"g","groupTypes":[],"members":[{"id":"u","userPrincipalName":"a@b","transitiveMemberOf":[{"id":"g"}]}]}`),
		[]byte("{\"a\":[1,]}"), []byte("\xff\xfe{\x00}\x00"), []byte("\x00{\x00}"), []byte(`{"a":"\ud800"}`), []byte("[]{}[]"),
		[]byte(`{"@odata.type":"#microsoft.graph.ipNamedLocation","ipRanges":["::/0",{"cidrAddress":"1.2.3.4/99"}]}`),
		[]byte(`{"error":{"code":"x","message":"y"}}`), []byte(`{"schema":"halligan-snapshot/1","parts":{"x":1},"accounts":[{"id":1}]}`),
	}
}

// checkSound holds what must be true of every reading of anything.
func checkSound(t *testing.T, s *entra.Snapshot) {
	t.Helper()
	if !json.Valid(s.JSON()) {
		t.Fatalf("not JSON: %s", s.JSON())
	}
	ids := map[string]string{}
	for _, p := range s.View().Policies {
		if p.ID == "" {
			t.Errorf("a policy without an id: %+v", p)
		}
		if raw, twice := ids[p.ID.Key()]; twice && (raw == string(p.Raw) || !s.Incomplete()) {
			t.Errorf("the id %q twice, and nothing is said", p.ID)
		}
		ids[p.ID.Key()] = string(p.Raw)
	}
	again, err := entra.DefaultLimits.Read(entra.Source{Name: "again", Data: s.JSON()})
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != s.Digest() {
		t.Errorf("the digest changed in a round trip:\n%s\n%s", s.JSON(), again.JSON())
	}
}

// Whatever the bytes are: no panic, the same answer each time, and a Snapshot
// that survives its own JSON.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := fuzzLimits.Read(entra.Source{Name: "f.json", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, s)
		if again, _ := fuzzLimits.Read(entra.Source{Name: "f.json", Data: data}); again.Digest() != s.Digest() {
			t.Error("two readings of the same bytes differ")
		}
		if v := s.View(); len(v.Troubles)+len(v.Notes) == 0 && bytes.Equal(s.JSON(), entra.NewSnapshot(entra.Content{}).JSON()) {
			t.Error("nothing was read, and nothing is said")
		}
	})
}

// A policy is never dropped in silence: whatever stands beside it in a list, it
// is read or named.
func FuzzNoPolicyIsDropped(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(string(seed), uint8(0))
		f.Add(string(seed), uint8(1))
		f.Add(string(seed), uint8(2))
	}
	f.Fuzz(func(t *testing.T, beside string, form uint8) {
		if !json.Valid([]byte(beside)) || strings.Contains(beside, "halligan-snapshot") {
			return
		}
		text := [...]string{
			`[` + onePolicy + `,` + beside + `]`,
			`{"value":[` + beside + `,` + onePolicy + `]}`,
			`{"a":` + beside + `,"conditional_access_policies":[` + onePolicy + `]}`,
		}[form%3]
		s, err := fuzzLimits.Read(entra.Source{Name: "f.json", Data: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range s.View().Policies {
			found = found || p.ID == "11111111-1111-1111-1111-111111111111" && p.State == entra.StateEnabled && slices.Contains(p.Grant.Controls, entra.ControlMFA)
		}
		if !found && len(s.View().Troubles) == 0 {
			t.Errorf("the policy is gone, and nothing is said: %s", text)
		}
	})
}

// An unknown key with a value is recorded, wherever it stands in a policy.
func FuzzUnknownKeysAreRecorded(f *testing.F) {
	f.Add("future", `true`, uint8(0))
	f.Add("Future", `{"x":[1]}`, uint8(1))
	f.Add("times", `["x"]`, uint8(2))
	f.Add("a@b", `1`, uint8(3))
	f.Fuzz(func(t *testing.T, key, value string, place uint8) {
		if !json.Valid([]byte(value)) || !identifier(key) || knownKeys[strings.ToLower(key)] {
			return
		}
		anchors := []string{`"id":`, `"users":`, `"includeUsers":`, `"includeApplications":`, `"operator":`}
		anchor := anchors[int(place)%len(anchors)]
		text := strings.Replace(onePolicy, anchor, `"`+key+`":`+value+`,`+anchor, 1)
		p, err := entra.DecodePolicy([]byte(text))
		if err != nil {
			return // nested too deeply
		}
		empty, err := entra.DecodePolicy([]byte(strings.Replace(onePolicy, anchor, `"`+key+`":null,`+anchor, 1)))
		if err != nil || len(empty.Unmodelled) != 0 {
			t.Fatalf("null is recorded: %v, %v", empty.Unmodelled, err)
		}
		if len(p.Unmodelled) == 0 && !saysNothing(t, value) {
			t.Errorf("not recorded: %s", text)
		}
	})
}

// knownKeys are those that a policy, or a tool beside it, may have at one of
// the places.
var knownKeys = map[string]bool{}

func init() {
	for _, k := range strings.Fields(`id displayname state templateid conditions grantcontrols sessioncontrols createddatetime modifieddatetime description
		users applications clientapptypes platforms locations devices signinrisklevels userrisklevels serviceprincipalrisklevels insiderrisklevels authenticationflows
		clientapplications agents agentcontext agentidrisklevels includeusers excludeusers includegroups excludegroups includeroles excluderoles includeguestsorexternalusers
		excludeguestsorexternalusers includeapplications excludeapplications applicationfilter includeuseractions includeauthenticationcontextclassreferences globalsecureaccess
		networkaccess operator builtincontrols termsofuse customauthenticationfactors authenticationstrength additionalproperties
		locationinfo tenantfilter guid source issynced reportonly present note notes comment comments policyapplies analysisreasons`) {
		knownKeys[k] = true
	}
}

// identifier: the names that OData allows for a property.
func identifier(s string) bool {
	for i, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || i > 0 && (c >= '0' && c <= '9' || c == '_')) {
			return false
		}
	}
	return s != "" && len(s) < 128
}

func saysNothing(t *testing.T, value string) bool {
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	var nothing func(any) bool
	nothing = func(v any) bool {
		switch v := v.(type) {
		case nil:
			return true
		case string:
			return v == ""
		case []any:
			for _, x := range v {
				if !nothing(x) {
					return false
				}
			}
			return true
		case map[string]any:
			for k, x := range v {
				if !strings.ContainsAny(k, "@#") && !nothing(x) {
					return false
				}
			}
			return true
		}
		return false
	}
	return nothing(v)
}

// An archive may hold anything; no member hides another.
func FuzzZip(f *testing.F) {
	f.Add(zipOf(f, []string{"a.json", "b.txt"}, [][]byte{[]byte(onePolicy), []byte("x")}))
	f.Add(zipOf(f, []string{"../a.json", "/b.json", "c/"}, [][]byte{[]byte(onePolicy), []byte("[]"), nil}))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !bytes.HasPrefix(data, []byte("PK")) {
			data = append([]byte("PK\x03\x04"), data...)
		}
		s, err := fuzzLimits.Read(entra.Source{Name: "f.zip", Data: data})
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, s)
	})
	// The members themselves are made here, so that the fuzzer need not find
	// checksums.
}

func FuzzZipMember(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add("a.json", seed)
	}
	f.Add("../../etc/passwd.json", []byte(onePolicy))
	f.Add("a\\b.JSON", []byte(onePolicy))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, member := range []struct {
			name string
			data []byte
		}{{name, data}, {"policy.json", []byte(onePolicy)}} {
			w, err := z.Create(member.name)
			if err != nil {
				return
			}
			if _, err := w.Write(member.data); err != nil {
				return // a folder
			}
		}
		if err := z.Close(); err != nil {
			return
		}
		s, err := fuzzLimits.Read(entra.Source{Name: "f.zip", Data: b.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		checkSound(t, s)
		if s.PoliciesRead() == 0 && len(s.View().Troubles) == 0 {
			t.Error("the policy is gone, and nothing is said")
		}
	})
}

// The decoders of single objects answer anything with a value or an error, and
// the JSON they keep means the same.
func FuzzDecoders(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := entra.DecodePolicy(data); err == nil {
			again, err := entra.DecodePolicy(p.Raw)
			if err != nil || string(again.Raw) != string(p.Raw) || len(again.Unmodelled) != len(p.Unmodelled) || again.State != p.State {
				t.Errorf("canonical JSON means something else: %s, %v", p.Raw, err)
			}
		}
		if l, err := entra.DecodeLocation(data); err == nil {
			for _, r := range l.Ranges {
				if r.Last.Less(r.First) || r.First.Is4() != r.Last.Is4() {
					t.Errorf("a range that is none: %v", r)
				}
			}
		}
		entra.DecodeStrength(data)
		entra.DecodeMethodsPolicy(data)
		entra.DecodeMethod(data)
		if c, err := entra.Canonical(data); err == nil {
			if again, err := entra.Canonical(c); err != nil || string(again) != string(c) {
				t.Errorf("canonical JSON is not canonical: %s, %s, %v", c, again, err)
			}
		}
	})
}
