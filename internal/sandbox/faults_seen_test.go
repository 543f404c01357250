package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func forever(retryAfter string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		for range 20 {
			if got := f.get("/v1.0/users"); got.status != 429 || got.header.Get("Retry-After") != retryAfter {
				t.Fatalf("got %d %v", got.status, got.header)
			}
		}
	}
}

func truncated(long func(int) bool) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 200 || json.Valid(got.raw) || !long(len(got.raw)) || got.err != nil {
			t.Errorf("got %d, %v, %q", got.status, got.err, got.raw)
		}
	}
}

func hollow(want func(Object) bool) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 200 || got.body == nil || !want(got.body) {
			t.Errorf("got %d %s", got.status, got.raw)
		}
		if got := f.get("/v1.0/users/" + testAda); got.body["id"] != testAda {
			t.Errorf("one object is no list: got %s", got.raw)
		}
	}
}

func pagesAre(want ...string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if got := f.pages("/v1.0/groups", 5); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func batchIDs(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if got := f.batch("/users", "/groups", "/organization"); got.ids() != want || got.status != 200 {
			t.Errorf("got %d %q, want %q", got.status, got.ids(), want)
		}
	}
}

func batchStatus(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		var got []string
		for _, part := range propList(f.batch("/users", "/groups", "/organization").body, "responses") {
			got = append(got, fmt.Sprint(part["status"]))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func batchBody(want func(any) bool) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if parts := propList(f.batch("/users").body, "responses"); len(parts) != 1 || !want(parts[0]["body"]) {
			t.Errorf("got %v", parts)
		}
	}
}

func wholeBatch(status int) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if first, second := f.batch("/users"), f.batch("/users"); first.status != status || second.status != 200 {
			t.Errorf("got %d, then %d", first.status, second.status)
		}
		if got := f.get("/v1.0/users"); got.status != 200 {
			t.Errorf("outside a batch: got %d", got.status)
		}
	}
}

func replies(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if before := f.get(policies + "/" + testPolicy); before.body["displayName"] != "Require MFA" {
			t.Fatalf("got %s", before.raw)
		}
		if got := f.call(http.MethodPatch, policies+"/"+testPolicy, Object{"displayName": "Changed"}); got.status != 204 {
			t.Fatalf("got %d", got.status)
		}
		var names []string
		for range 5 {
			names = append(names, propText(f.get(policies+"/"+testPolicy).body, "displayName"))
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func restlessly(want func(first, second wireAnswer) bool) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		first, second, third := f.get(policies), f.get(policies), f.get(policies)
		if len(first.value()) != 1 || first.value()[0]["displayName"] != "Require MFA" || !want(first, second) || !bytes.Equal(second.raw, third.raw) {
			t.Errorf("got %s, then %s, then %s", first.raw, second.raw, third.raw)
		}
	}
}

func clockWrong(by time.Duration) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		f.signIn()
		got := f.get("/v1.0/users")
		at, err := http.ParseTime(got.header.Get("Date"))
		if err != nil || at.Sub(f.clock.now().Add(by)).Abs() > 2*time.Second || got.status != 200 {
			t.Errorf("got %d at %v %v", got.status, at, err)
		}
		if iat := time.Unix(int64(claimsOf(t, f.token)["iat"].(float64)), 0); iat.Sub(at).Abs() > 2*time.Second {
			t.Errorf("the token is of %v", iat)
		}
	}
}

func TestEveryFaultIsSeenOnTheWire(t *testing.T) {
	missing := map[string]bool{}
	for _, k := range faultKinds {
		for _, v := range k.variants {
			missing[fmt.Sprintf("%d=%s", k.n, v.name)] = true
		}
	}
	for spec, see := range faultTests {
		if !missing[spec] {
			t.Errorf("there is no fault %s", spec)
			continue
		}
		delete(missing, spec)
		t.Run(spec, func(t *testing.T) { see(t, openFaulty(t, Config{}, spec)) })
	}
	for spec := range missing {
		t.Errorf("fault %s has no test", spec)
	}
	for n := 1; n <= 26; n++ {
		if !slices.ContainsFunc(faultKinds, func(k faultKind) bool { return k.n == n }) {
			t.Errorf("fault %d of the catalogue is missing", n)
		}
	}
}

func TestFaultsStrikeAsSet(t *testing.T) {
	f := openFaulty(t, Config{}, "1,times=2,after=1,path=/users,value=7")
	var got []string
	for _, path := range []string{"/v1.0/users", "/v1.0/groups", "/v1.0/users", "/v1.0/users", "/v1.0/users"} {
		a := f.get(path)
		got = append(got, fmt.Sprint(a.status, a.header.Get("Retry-After")))
	}
	if strings.Join(got, ",") != "200,200,4297,4297,200" {
		t.Errorf("got %q", got)
	}
	for _, spec := range []string{"0", "27", "x", "1=x", "1,times=-1", "1,times=x", "1,moon=1", "", "11=evil-suffix,times"} {
		var e *unknownFault
		if err := CheckFaults([]string{spec}, nil); !errors.As(err, &e) || e.Hint() == "" {
			t.Errorf("%q: got %v", spec, err)
		}
	}
	if err := CheckFaults([]string{"1", "throttle"}, nil); err == nil {
		t.Error("one fault twice was taken")
	}
	if err := CheckFaults(nil, []string{"mfa", "signin", "federation"}); err != nil {
		t.Error(err)
	}
}

// Parts of a batch are throttled one by one, and never done when they are.
func TestQuotasAreKept(t *testing.T) {
	f := openFaulty(t, Config{Limits: Limits{ConditionalAccess: true, Reports: true, Directory: true}})
	statuses := func(n int, path string) (out []int) {
		for range n {
			out = append(out, f.get(path).status)
		}
		return out
	}
	if got := statuses(2, policies); fmt.Sprint(got) != "[200 429]" {
		t.Errorf("Conditional Access: got %v", got)
	}
	refused := f.get("/v1.0/identityProtection/riskyUsers")
	if _, has := refused.header["Retry-After"]; refused.status != 429 || has {
		t.Errorf("Identity Protection shares the lane: got %d %v", refused.status, refused.header)
	}
	f.clock.add(time.Second)
	parts := propList(f.batch("/identity/conditionalAccess/policies", "/users", "/identity/conditionalAccess/policies").body, "responses")
	got := map[string]string{}
	for _, part := range parts {
		got[propText(part, "id")] = fmt.Sprint(part["status"])
	}
	if got["1"] != "200" || got["2"] != "200" || got["3"] != "429" || len(got) != 3 {
		t.Errorf("in a batch: got %v", got)
	}
	if got := statuses(6, "/v1.0/auditLogs/signIns"); fmt.Sprint(got) != "[200 200 200 200 200 429]" {
		t.Errorf("reports: got %v", got)
	}
	f.clock.add(10 * time.Second)
	if got := statuses(1, "/v1.0/auditLogs/signIns"); got[0] != 200 {
		t.Errorf("reports later: got %v", got)
	}
	last := wireAnswer{}
	n := 0
	for ; last.status != 429 && n < 2000; n++ {
		last = f.get("/v1.0/users")
	}
	if n != 3500/2+1 || last.header.Get("x-ms-throttle-information") != "ResourceUnitLimitExceeded" || last.header.Get("Retry-After") != "10" ||
		last.header.Get("x-ms-throttle-scope") != "Tenant_Application/ReadWrite/"+testApp+"/"+testTenant {
		t.Errorf("directory: %d requests, %v", n, last.header)
	}
}
