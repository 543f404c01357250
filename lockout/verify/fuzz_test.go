package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halligan/lockout/verify"
)

// unique is a proof in which every claim can be made in one way only: one
// credential, one route, one condition, so that a certificate that says anything
// else is wrong.
func unique() *proof {
	p := newProof()
	set(p.snap, "accounts.0.methods", arr{obj{"id": "key", "type": "fido2", "aaGuid": modelA, "passkeyType": "deviceBound"}})
	set(p.cert, "options.0.kit", arr{"key"})
	all := conditions(everybody, anything)
	p.policy(`{"state":"disabled",`+all+`,`+blocks+`}`, `{"reason":"notEnabled","state":"disabled"}`)
	p.policy(enabled(conditions(users(`"includeUsers":["All"],"excludeUsers":["bg"]`), anything), blocks), excluded("user", "bg"))
	p.policy(enabled(conditions(users(`"includeGroups":["others"]`), anything), blocks), notIncluded)
	p.policy(enabled(conditions(everybody, `"applications":{"includeApplications":["Office365"]}`), blocks), notTarget)
	p.policy(enabled(conditions(everybody, anything, `"clientAppTypes":["other"]`), blocks), disjoint("clientAppTypes"))
	return p.policy(enabled(all, grant("AND", `"builtInControls":["mfa"]`)), satisfied(mfaByKey))
}

// claims is what a certificate of unique says, in one spelling: case, order,
// repetition, names and the number of the only leaf make no difference.
func claims(t *testing.T, cert []byte) string {
	t.Helper()
	var c struct {
		Snapshot   string `json:"snapshot"`
		Account    string `json:"account"`
		Now        string `json:"now"`
		Dimensions []struct {
			Dimension string   `json:"dimension"`
			Values    []string `json:"values"`
		} `json:"dimensions"`
		Options []struct {
			Choice map[string]string `json:"choice"`
			Kit    []string          `json:"kit"`
		} `json:"options"`
		Lines []struct {
			Policy, Stage, Reason, State, Condition string
			Route                                   *struct{ Kind, ID string }
			Items                                   []struct {
				Control     string
				Credentials []string
				Combination []string
				By          string
			}
		} `json:"lines"`
		Gates []struct {
			Gate, Reason, Detail string
			Credentials          []string
			Combination          []string
		} `json:"gates"`
	}
	if err := json.Unmarshal(cert, &c); err != nil {
		t.Fatalf("accepted, and no JSON: %v", err)
	}
	var says []string
	add := func(x any) {
		b, _ := json.Marshal(x)
		says = append(says, strings.ToLower(string(b)))
	}
	add(map[string]any{"snapshot": c.Snapshot, "account": strings.TrimSpace(c.Account), "now": c.Now})
	for _, d := range c.Dimensions {
		slices.Sort(d.Values)
		add(d)
	}
	for _, o := range c.Options {
		slices.Sort(o.Kit)
		add(o)
	}
	for _, l := range c.Lines {
		l.State = strings.TrimSpace(l.State)
		if l.Route != nil {
			l.Route.ID = strings.TrimSpace(l.Route.ID)
		}
		for i := range l.Items {
			trim(&l.Items[i].Control, &l.Items[i].Credentials, &l.Items[i].Combination)
		}
		add(l)
	}
	for _, g := range c.Gates {
		var none string
		trim(&none, &g.Credentials, &g.Combination)
		add(g)
	}
	slices.Sort(says)
	return strings.Join(slices.Compact(says), "\n")
}

func trim(s *string, credentials, combination *[]string) {
	*s = strings.TrimSpace(*s)
	for i := range *combination {
		(*combination)[i] = strings.TrimSpace((*combination)[i])
	}
	if len(*credentials) == 0 {
		*credentials = nil
	}
	if len(*combination) == 0 {
		*combination = nil
	}
}

// FuzzCertificate changes a certificate in any way: the checker never panics, and
// what it accepts says the same as before.
func FuzzCertificate(f *testing.F) {
	p := unique()
	if err := p.check(); err != nil {
		f.Fatal(err)
	}
	snap, cert := text(p.snap), text(p.cert)
	f.Add(cert)
	f.Add([]byte(`{}`))
	f.Add(bytes.Replace(cert, []byte(`"leaf":-1`), []byte(`"leaf":0`), -1))
	for _, change := range [][2]string{{`"disabled"`, `"Disabled"`}, {`"notEnabled"`, `"excluded"`}, {`"bg"`, `"BG"`}, {`"clientAppTypes"`, `"platforms"`},
		{`"mfa"`, `"block"`}, {`"fido2"`, `"password"`}, {`"browser"`, `"other"`}, {`"p1"`, `"p2"`}, {`"off"`, `"mfa"`}, {`-1`, `-2`}, {`["key"]`, `["key","key"]`}} {
		f.Add(bytes.Replace(cert, []byte(change[0]), []byte(change[1]), 1))
	}
	for _, other := range []func() *proof{newProof, split, recovery, activation, outage, legacy, gps, strict, remediation, workstations} {
		o := other()
		o.check() // fills in the digest
		o.cert["snapshot"] = p.cert["snapshot"]
		f.Add(text(o.cert))
	}
	want := ""
	f.Fuzz(func(t *testing.T, data []byte) {
		if want == "" {
			want = claims(t, cert)
		}
		if verify.Certificate(snap, p.q, data) != nil {
			return
		}
		if got := claims(t, data); got != want {
			t.Errorf("accepted a certificate that says\n%s\nwant\n%s", got, want)
		}
	})
}

// FuzzSnapshot changes the Snapshot under a certificate: the checker never
// panics.
func FuzzSnapshot(f *testing.F) {
	var proofs []*proof
	for i, make := range []func() *proof{unique, split, recovery, activation, outage, legacy, gps, strict, remediation, workstations} {
		p := make()
		if err := p.check(); err != nil {
			f.Fatal(err)
		}
		proofs = append(proofs, p)
		f.Add(i, text(p.snap))
	}
	f.Fuzz(func(_ *testing.T, i int, data []byte) {
		p := proofs[uint(i)%uint(len(proofs))]
		sum := sha256.Sum256(data)
		old := p.cert["snapshot"]
		defer func() { p.cert["snapshot"] = old }()
		p.cert["snapshot"] = hex.EncodeToString(sum[:])
		verify.Certificate(data, p.q, text(p.cert))
	})
}

// FuzzQuestion reads any question.
func FuzzQuestion(f *testing.F) {
	p := unique()
	p.check()
	f.Add([]byte(`{"Account":"bg","Goal":{"name":"entraAdminCenter"},"Envelope":{"flow":{"Exists":true,"All":true,"Values":null,"Devices":null}},"Now":"","Holdings":{"k":{"Site":"a"}}}`))
	f.Add([]byte(`{"account":"bg","goal":{"name":"recover:entraAdminCenter"},"envelope":{"device":{"all":true},"ipLocations":{"values":["l1"]}}}`))
	snap, cert := text(p.snap), text(p.cert)
	f.Fuzz(func(t *testing.T, data []byte) {
		q, err := verify.ParseQuestion(data)
		if err != nil {
			return
		}
		if err := verify.Certificate(snap, q, cert); err == nil && !strings.EqualFold(strings.TrimSpace(q.Account), "bg") && !strings.Contains(strings.ToLower(q.Account), "bg@contoso") {
			t.Errorf("accepted for account %s", fmt.Sprintf("%q", q.Account))
		}
	})
}

// Every value of a certificate is exchanged for every other value that occurs in
// it, and for nothing: what is accepted says the same as before.
func TestEveryValueOfACertificateIsHeldTo(t *testing.T) {
	p := unique()
	if err := p.check(); err != nil {
		t.Fatal(err)
	}
	snap, cert := text(p.snap), text(p.cert)
	want := claims(t, cert)
	values := map[string]any{"null": nil, "[]": arr{}, "{}": obj{}, "0": 0, "1": 1, "-1": -1, "true": true, `""`: "", "p7": "p7", "nobody": "nobody"}
	var collect func(v any)
	collect = func(v any) {
		switch x := v.(type) {
		case obj:
			for k, e := range x {
				values[k] = k
				collect(e)
			}
		case arr:
			for _, e := range x {
				collect(e)
			}
		default:
		}
	}
	tree := parse(string(cert))
	collect(tree)
	tried, same := 0, 0
	try := func(how string) {
		tried++
		data := text(tree)
		if verify.Certificate(snap, p.q, data) != nil {
			return
		}
		same++
		if got := claims(t, data); got != want {
			t.Errorf("%s: accepted a certificate that says\n%s", how, got)
		}
	}
	var exchange func(path string, v any, put func(any))
	exchange = func(path string, v any, put func(any)) {
		for name, w := range values {
			put(w)
			try(path + " = " + name)
		}
		put(v)
		switch x := v.(type) {
		case obj:
			for k, e := range x {
				delete(x, k)
				try(path + "." + k + " left out")
				x[k] = e
				exchange(path+"."+k, e, func(n any) { x[k] = n })
			}
		case arr:
			for i, e := range x {
				exchange(fmt.Sprintf("%s[%d]", path, i), e, func(n any) { x[i] = n })
			}
		}
	}
	exchange("certificate", tree, func(v any) { tree = v })
	t.Logf("%d exchanges, %d of them without a change of meaning", tried, same)
	if tried < 5000 {
		t.Errorf("%d exchanges are too few", tried)
	}
}
