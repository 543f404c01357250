package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"halligan/internal/app"
	"halligan/internal/graph"
)

func TestFault22TokensThatEnd(t *testing.T) {
	runFaults(t,
		faultCase{name: "in mid-run", spec: "22=expired,after=10", tune: limits(5*time.Second, 20*time.Second), want: both(overcome, tokens(3)), off: without(graph.DefenceRenew)},
		faultCase{name: "at once", spec: "22=zero", want: both(overcome, tokens(1)), off: without(graph.DefenceReuse)},
		faultCase{name: "clock ahead", spec: "22=ahead", want: both(overcome, tokens(2))},
		faultCase{name: "clock behind", spec: "22=behind", want: both(overcome, tokens(2))},
	)
}

func TestFault23ClaimsChallenge(t *testing.T) {
	runFaults(t,
		faultCase{name: "once", spec: "23=once", want: both(overcome, tokens(3))},
		faultCase{name: "for ever", spec: "23=endless", bound: 5 * time.Second, off: without(graph.DefenceRenewOnce),
			want: both(ends(exitNotSignedIn, "TokenIssuedBeforeRevocationTimestamp", "halligan login"), tokens(4), within(4*time.Second))},
	)
}

func TestFault24TokenEndpoint(t *testing.T) {
	runFaults(t,
		faultCase{name: "429", spec: "24=429", want: both(overcome, tokens(3))},
		faultCase{name: "500", spec: "24=500", want: both(overcome, tokens(3))},
		faultCase{name: "500 for ever", spec: "24=500,times=0", checkOnly: true, tune: limits(10*time.Second, 30*time.Second), bound: 40 * time.Second, off: without(graph.DefenceHold),
			want: both(ends(exitUndetermined, "the sign-in service answered 500", "busy or down"), tokens(6))},
		faultCase{name: "slow", spec: "24=slow,value=30s,times=0", tune: limits(500*time.Millisecond, 700*time.Millisecond), bound: 6 * time.Second, off: without(graph.DefenceTime), outside: outside{timeout: 3 * time.Second},
			want: both(ends(exitUndetermined, "waiting for a token of the sign-in service"), within(5*time.Second))},
		faultCase{name: "another tenant's token", spec: "24=wrong-tenant", off: without(graph.DefenceTenant),
			want: both(ends(exitUndetermined, "refused: this is tenant 7e57ab1e-0000-4000-8000-00000000beef"), nothingSent)},
		faultCase{name: "another service's token", spec: "24=wrong-audience", off: without(graph.DefenceAudience),
			want: both(ends(exitNotSignedIn, "it is for https://vault.azure.net, not for https://localhost:"), nothingSent)},
		faultCase{name: "secret rotated", spec: "24=secret-rotated", off: without(graph.DefenceHold),
			want: both(ends(exitNotSignedIn, "the client secret is wrong (AADSTS7000215)"), tokens(1), nothingSent)},
	)
}

// nothingSent: no request left with that token.
func nothingSent(_, got *faulted) error {
	if len(got.sent) > 0 {
		return fmt.Errorf("%d requests were sent, the first %s", len(got.sent), got.sent[0].path)
	}
	return nil
}

func TestFault24CertificateExpired(t *testing.T) {
	t.Parallel()
	f := openTenant(t, "contoso-hardened", hardened...)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	end := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: end.AddDate(-1, 0, 0), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	file := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	must(t, os.WriteFile(f.path("reader.pem"), file, 0o600))
	for how, run := range f.ways(t) {
		before := f.site.Requests()["token"]
		code, _, said := run("login", "--tenant", f.id, "--client-id", f.app, "--certificate", f.path("reader.pem"), "--cloud", f.site.URL, "--ca", f.ca)
		if code != int(exitFailed) || !strings.Contains(said, "it ended on 2025-03-01") || !strings.Contains(said, "hint: Make a new certificate") || f.site.Requests()["token"] != before {
			t.Errorf("%s: got %d, %d requests for tokens, %s", how, code, f.site.Requests()["token"]-before, said)
		}
	}
}

func TestFault25CloudsMixed(t *testing.T) {
	var cases []faultCase
	for cloud, host := range map[string]string{"usgov": "https://graph.microsoft.us", "china": "https://microsoftgraph.chinacloudapi.cn"} {
		cases = append(cases, faultCase{name: "token of " + cloud, spec: "25=" + cloud, off: without(graph.DefenceAudience),
			want: both(ends(exitNotSignedIn, "it is for "+host+", not for https://localhost:", "Check the cloud"), nothingSent)})
	}
	runFaults(t, cases...)
}

func TestFault25CloudsMixedByConfiguration(t *testing.T) {
	t.Parallel()
	f := openTenant(t, "contoso-hardened", hardened...)
	for name, tt := range map[string]struct {
		args []string
		code exitCode
		want string
	}{
		"a national cloud's address as a sandbox": {[]string{"--cloud", "https://graph.microsoft.us", "--ca", f.ca}, exitFailed, `it belongs to the cloud "usgov"`},
		"a sandbox's authority for a real cloud":  {[]string{"--cloud", "usgov", "--ca", f.ca}, exitMisused, "--ca is for a sandbox"},
		"a cloud that there is not":               {[]string{"--cloud", "germany"}, exitFailed, "germany"},
	} {
		args := append([]string{"login", "--method", "secret", "--tenant", f.id, "--client-id", f.app, "--secret-file", f.path("secret"), "--profile", "mixed"}, tt.args...)
		for how, run := range f.ways(t) {
			if code, _, said := run(args...); code != int(tt.code) || !strings.Contains(said, tt.want) || !strings.Contains(said, "hint:") {
				t.Errorf("%s, %s: got %d, %s", name, how, code, said)
			}
		}
	}
}

func TestFault26ConsentWithdrawn(t *testing.T) {
	runFaults(t,
		faultCase{name: "no token", spec: "26=token", want: both(ends(exitNotSignedIn, "consent was withdrawn", "AADSTS7000229"), nothingSent, tokens(1)), off: without(graph.DefenceHold)},
		faultCase{name: "application disabled", spec: "26=disabled", want: both(ends(exitNotSignedIn, "the application is disabled"), nothingSent)},
		faultCase{name: "every request refused", spec: "26=graph", want: ends(exitUndetermined, "none of", "403 Authorization_RequestDenied", "halligan permissions"), off: without(graph.DefenceUnknown)},
	)
}

// provider is somebody who looks after three tenants.
type provider struct {
	t       *testing.T
	tenants []*faultTenant
	outside bool // the program is run as a process of its own, which has all its defences
}

var swept = []string{"contoso-hardened", "contoso-p2", "contoso-password-only"}

func openProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	for i, accounts := range [][]string{hardened, {"kestrel.ash", "larkin.reed"}, {"breakglass1", "breakglass2"}} {
		p.tenants = append(p.tenants, openTenant(t, swept[i], accounts...))
	}
	return p
}

// sweep checks the tenants, of which the first has a fault. swapped: the address
// of the second leads to the first.
func (p *provider) sweep(fault string, swapped bool, off ...graph.Defence) (map[string]app.SweepLine, int) {
	p.t.Helper()
	first, entries := p.tenants[0], ""
	if fault != "" {
		must(p.t, first.site.SetFaults(fault))
	}
	for i, f := range p.tenants {
		at := f
		if swapped && i == 1 {
			at = first
		}
		entries += fmt.Sprintf("- id: %s\n  name: %s\n  cloud: %s\n  ca: %s\n  client: %s\n  secretFile: %s\n  register: %s\n", f.id, swept[i], at.site.URL, at.ca, f.app, f.path("secret"), f.register)
	}
	file := first.path("tenants.yaml")
	must(p.t, os.WriteFile(file, []byte(entries), 0o600))
	tune := func(c *graph.Config) {
		c.Sleep = hasty
		c.Without = map[graph.Defence]bool{}
		for _, d := range off {
			c.Without[d] = true
		}
	}
	args := []string{"check", "--tenants", file, "--format", "json", "-o", first.path("reports")}
	var code int
	var out, said string
	if p.outside {
		code, out, said = first.runProgram(p.t.Context(), p.t, args...)
	} else {
		code, out, said = first.run(p.t.Context(), tune, args...)
	}
	var got struct{ Tenants []app.SweepLine }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		p.t.Fatalf("%v: %d %s", err, code, said)
	}
	lines := map[string]app.SweepLine{}
	for _, l := range got.Tenants {
		lines[l.Name] = l
	}
	return lines, code
}

func TestFault26ConsentWithdrawnDuringASweep(t *testing.T) {
	t.Parallel()
	p := openProvider(t)
	for fault, why := range map[string]string{"26=token": "consent was withdrawn", "26=graph": "403 Authorization_RequestDenied"} {
		judge := func(off ...graph.Defence) error {
			lines, code := p.sweep(fault, false, off...)
			gone, p2, only := lines[swept[0]], lines[swept[1]], lines[swept[2]]
			switch {
			case !strings.Contains(gone.Error, why) || gone.Verdict != "" || gone.Report != "":
				return fmt.Errorf("the tenant without consent is judged: %+v", gone)
			case p2.Error != "" || p2.Verdict != "UNDETERMINED" || only.Error != "" || only.Verdict != "LOCKOUT":
				return fmt.Errorf("the others are not judged as without the fault: %+v, %+v", p2, only)
			case code != int(exitTrouble): // the worst: a lockout in the third
				return fmt.Errorf("ended with %d", code)
			}
			return nil
		}
		for _, p.outside = range []bool{true, false} {
			if err := judge(); err != nil {
				t.Errorf("%s, by a process of its own %t: %v", fault, p.outside, err)
			}
		}
		if fault == "26=graph" && judge(graph.DefenceUnknown) == nil {
			t.Error("the test does not notice that what was refused counts as read")
		}
	}
}

// A tenant whose address leads to another one is refused, and the others go on.
func TestFault14TenantsSwappedInASweep(t *testing.T) {
	t.Parallel()
	p := openProvider(t)
	for _, p.outside = range []bool{true, false} {
		lines, code := p.sweep("", true)
		if l := lines[swept[1]]; l.Error == "" || l.Verdict != "" || l.Report != "" {
			t.Errorf("one tenant's answers were taken for another's: %+v", l)
		}
		if l := lines[swept[0]]; l.Verdict != "PROVED" || code != int(exitTrouble) {
			t.Errorf("the others: %+v, ended with %d", l, code)
		}
	}
}
