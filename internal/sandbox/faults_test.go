package sandbox

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// throttledOnce sees one 429 with a Retry-After of this form, and then the answer.
func throttledOnce(form func(string) bool) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		first, second := f.get("/v1.0/users"), f.get("/v1.0/users")
		if _, has := first.header["Retry-After"]; first.status != 429 || !has || !form(first.header.Get("Retry-After")) || first.code() != "TooManyRequests" {
			t.Errorf("got %d %q %s", first.status, first.header["Retry-After"], first.raw)
		}
		if second.status != 200 || len(second.value()) != 2 {
			t.Errorf("then got %d %s", second.status, second.raw)
		}
	}
}

func is(want string) func(string) bool { return func(got string) bool { return got == want } }

// refusedOnce sees one error on a path, and then the answer.
func refusedOnce(path string, status int, contentType string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		first, second := f.get(path), f.get(path)
		if first.status != status || !strings.HasPrefix(first.header.Get("Content-Type"), contentType) || second.status != 200 {
			t.Errorf("got %d %s, then %d", first.status, first.header.Get("Content-Type"), second.status)
		}
	}
}

func redirected(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		got := f.get("/v1.0/users")
		if got.status < 300 || got.status > 399 || !strings.Contains(got.header.Get("Location"), want) {
			t.Errorf("got %d to %q", got.status, got.header.Get("Location"))
		}
	}
}

func linksTo(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		got := f.get("/v1.0/groups")
		_, port, _ := strings.Cut(f.site.config.Host, ":")
		if link := propText(got.body, nextLink); link != strings.ReplaceAll(want, "PORT", port) || len(got.value()) != 5 {
			t.Errorf("got a link to %q", link)
		}
	}
}

// pages follows n next links.
func (f *faulty) pages(path string, n int) (ids []string) {
	f.t.Helper()
	for range n {
		got := f.get(path)
		ids = append(ids, got.ids())
		if path = propText(got.body, nextLink); path == "" {
			return append(ids, "end")
		}
	}
	return ids
}

func policyHas(t *testing.T, f *faulty, seen func(Object) bool) {
	t.Helper()
	whole, single := f.get(policies), f.get(policies+"/"+testPolicy)
	if len(whole.value()) != 1 || !seen(whole.value()[0]) || !seen(single.body) {
		t.Errorf("got %s and %s", whole.raw, single.raw)
	}
	parts := propList(f.batch("/identity/conditionalAccess/policies").body, "responses")
	if len(parts) != 1 || !seen(propList(propObject(parts[0], "body"), "value")[0]) {
		t.Errorf("in a batch: got %v", parts)
	}
	if err := f.site.SetFaults(); err != nil {
		t.Fatal(err)
	}
	if after := f.get(policies); seen(after.value()[0]) {
		t.Errorf("the tenant itself was changed: %s", after.raw)
	}
}

func conditionsOf(p Object) Object { return propObject(p, "conditions") }

func lost(status int) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		first := f.call(http.MethodPost, policies, Object{"displayName": "New"})
		if status == 0 && first.err == nil || first.status != status {
			t.Errorf("got %d %v", first.status, first.err)
		}
		if now := f.get(policies); len(now.value()) != 2 {
			t.Errorf("the write was not done: %s", now.raw)
		}
		if again := f.call(http.MethodPatch, policies+"/"+testPolicy, Object{"displayName": "Newer"}); again.status != 204 {
			t.Errorf("the next write: got %d", again.status)
		}
	}
}

func claimsOf(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func tokenRefused(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		if body, _ := f.signIn(); errorCode(body) != want {
			t.Errorf("got %v, want %s", body, want)
		}
	}
}

func audience(want string) func(*testing.T, *faulty) {
	return func(t *testing.T, f *faulty) {
		f.signIn()
		if got := claimsOf(t, f.token)["aud"]; got != want {
			t.Errorf("got %v", got)
		}
		if got := f.get("/v1.0/users"); (got.status == 200) != (want == "https://graph.microsoft.com") {
			t.Errorf("Graph answers %d", got.status)
		}
	}
}

// Every variant of every fault, as a client sees it.
var faultTests = map[string]func(*testing.T, *faulty){
	"1=seconds":    throttledOnce(is("1")),
	"2=date":       throttledOnce(func(v string) bool { at, err := http.ParseTime(v); return err == nil && time.Until(at) > -time.Second }),
	"2=past-date":  throttledOnce(func(v string) bool { at, err := http.ParseTime(v); return err == nil && time.Until(at) < 0 }),
	"2=negative":   throttledOnce(is("-5")),
	"2=zero":       throttledOnce(is("0")),
	"2=fractional": throttledOnce(is("2.128")),
	"2=huge":       throttledOnce(is("1000000000")),
	"2=garbage":    throttledOnce(is("soon")),
	"2=empty":      throttledOnce(is("")),
	"3=conditional-access": func(t *testing.T, f *faulty) {
		if other := f.get("/v1.0/users"); other.status != 200 {
			t.Errorf("another lane: got %d", other.status)
		}
		if got := f.get(policies); got.status != 429 || got.header["Retry-After"] != nil {
			t.Errorf("got %d %v", got.status, got.header)
		}
		if got := f.get(policies); got.status != 200 {
			t.Errorf("then got %d", got.status)
		}
	},
	"3=identity-protection": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/identityProtection/riskyUsers"); got.status != 429 || got.header["Retry-After"] != nil {
			t.Errorf("got %d %v", got.status, got.header)
		}
	},
	"4=with-retry-after":    forever("1"),
	"4=without-retry-after": forever(""),
	"5=502":                 refusedOnce("/v1.0/users", 502, "text/html"),
	"5=503":                 refusedOnce("/v1.0/users", 503, "text/html"),
	"5=504":                 refusedOnce("/v1.0/users", 504, "text/html"),
	"5=500":                 refusedOnce("/v1.0/users", 500, "application/json"),
	"5=503-retry-after":     refusedOnce("/v1.0/users", 503, "application/json"),
	"6=504":                 lost(504),
	"6=reset":               lost(0),
	"6=429":                 lost(429),
	"7=reset": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 200 || got.err == nil || len(got.raw) == 0 {
			t.Errorf("got %d %v after %d bytes", got.status, got.err, len(got.raw))
		}
	},
	"7=drip": func(t *testing.T, f *faulty) {
		if err := f.site.SetFaults("7=drip,value=1ms"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		got := f.get("/v1.0/organization")
		if took := time.Since(begun); len(got.value()) != 1 || took < time.Duration(len(got.raw))*time.Millisecond {
			t.Errorf("%d bytes took %v", len(got.raw), took)
		}
	},
	"7=endless": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); len(got.raw) != 8<<20 || got.err != nil {
			t.Errorf("got %d bytes, %v", len(got.raw), got.err)
		}
	},
	"7=gzip-bomb": func(t *testing.T, f *faulty) {
		if err := f.site.SetFaults("7=gzip-bomb,value=33554432"); err != nil {
			t.Fatal(err)
		}
		f.http.Transport.(*http.Transport).DisableCompression = true
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.site.URL+"/v1.0/users", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+f.token)
		res, err := f.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		small, err := io.ReadAll(res.Body)
		if err != nil || res.Header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("got %v %v", res.Header, err)
		}
		z, err := gzip.NewReader(bytes.NewReader(small))
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, z); err != nil || n < 1<<25 || len(small) > 1<<20 {
			t.Errorf("%d bytes swell to %d, %v", len(small), n, err)
		}
	},
	"8=half":      truncated(func(n int) bool { return n > 10 }),
	"8=last-byte": truncated(func(n int) bool { return n > 100 }),
	"8=nothing":   truncated(func(n int) bool { return n == 0 }),
	"9=error-200": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 200 || got.code() != "UnknownError" {
			t.Errorf("got %d %s", got.status, got.raw)
		}
	},
	"9=empty": hollow(func(o Object) bool { l, is := o["value"].([]any); return is && len(l) == 0 }),
	"9=null":  hollow(func(o Object) bool { v, has := o["value"]; return has && v == nil }),
	"9=missing": hollow(func(o Object) bool {
		_, has := o["value"]
		return !has
	}),
	"10=empty-last": pagesAre("0 1 2 3 4", "", "end"),
	"10=same": func(t *testing.T, f *faulty) {
		first := f.get("/v1.0/groups")
		second := f.get(propText(first.body, nextLink))
		if a, b := propText(first.body, nextLink), propText(second.body, nextLink); a == "" || a != b {
			t.Errorf("got %q, then %q", a, b)
		}
	},
	"10=cycle": func(t *testing.T, f *faulty) {
		var links []string
		path := "/v1.0/groups"
		for range 5 {
			path = propText(f.get(path).body, nextLink)
			links = append(links, path)
		}
		if links[0] != links[3] || links[1] != links[4] || links[0] == links[1] || links[1] == links[2] {
			t.Errorf("got %q", links)
		}
	},
	"10=endless": func(t *testing.T, f *faulty) {
		pages := f.pages("/v1.0/groups", 30)
		if len(pages) != 30 || pages[29] == "" || len(slices.Compact(slices.Sorted(slices.Values(pages)))) != 30 {
			t.Errorf("got %q", pages)
		}
	},
	"11=other-host":  linksTo("https://graph.example.net/v1.0/groups?$skiptoken=x"),
	"11=evil-suffix": linksTo("https://localhost.evil.example:PORT/v1.0/groups?$skiptoken=x"),
	"11=userinfo":    linksTo("https://localhost:PORT@evil.example/v1.0/groups?$skiptoken=x"),
	"11=http":        linksTo("http://localhost:PORT/v1.0/groups?$skiptoken=x"),
	"11=port": func(t *testing.T, f *faulty) {
		u, err := url.Parse(propText(f.get("/v1.0/groups").body, nextLink))
		if err != nil || u.Hostname() != "localhost" || u.Host == f.site.config.Host {
			t.Errorf("got %v %v", u, err)
		}
	},
	"11=version":    linksTo("https://localhost:PORT/beta/groups?$skiptoken=x"),
	"11=tenant":     linksTo("https://localhost:PORT/" + strangeTenant + "/v1.0/groups?$skiptoken=x"),
	"11=ipv6":       linksTo("https://[::1]:PORT/v1.0/groups?$skiptoken=x"),
	"11=homograph":  linksTo("https://l\u043ecalhost:PORT/v1.0/groups?$skiptoken=x"),
	"11=relative":   linksTo("//evil.example/v1.0/groups?$skiptoken=x"),
	"12=other-host": redirected("https://graph.example.net/"),
	"12=metadata":   redirected("http://169.254.169.254/"),
	"12=plain-http": redirected("http://localhost:"),
	"12=suffix":     redirected("localhost.evil.example:8443/v1.0/users"),
	"13=repeat":     pagesAre("0 1 2", "2 3 4", "end"),
	"13=missing":    pagesAre("0 1 2", "4", "end"),
	"14=tenant": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/organization"); got.ids() != strangeTenant {
			t.Errorf("got %s", got.raw)
		}
	},
	"14=id": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users/" + testAda); propText(got.body, "id") != strangeTenant || propText(got.body, "displayName") != "Ada" {
			t.Errorf("got %s", got.raw)
		}
	},
	"15=enum": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool { return slices.Contains(propTexts(conditionsOf(p), "clientAppTypes"), "hologram") })
	},
	"15=state": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool { return p["state"] == "enabledOnTuesdays" })
	},
	"15=condition": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool { return conditionsOf(p)["moonPhases"] != nil })
	},
	"15=grant": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool {
			return slices.Equal(propTexts(propObject(p, "grantControls"), "builtInControls"), []string{"mfa", "retinaDance"})
		})
	},
	"15=field": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool { return p["lunarSetting"] != nil })
	},
	"15=type": func(t *testing.T, f *faulty) {
		policyHas(t, f, func(p Object) bool { return propObject(propObject(conditionsOf(p), "users"), "includeUsers") != nil })
	},
	"16=order":    batchIDs("3 1 2"),
	"16=missing":  batchIDs("2 3"),
	"16=twice":    batchIDs("1 2 3 1"),
	"16=stranger": batchIDs("1 2 3 nobody-asked"),
	"16=424":      batchStatus("424 200 200"),
	"16=mixed":    batchStatus("200 429 503"),
	"16=base64":   batchBody(func(b any) bool { s, is := b.(string); return is && strings.HasPrefix(s, "ey") }),
	"16=string":   batchBody(func(b any) bool { s, is := b.(string); return is && strings.HasPrefix(s, "{") }),
	"16=status-text": func(t *testing.T, f *faulty) {
		if got := propList(f.batch("/users").body, "responses"); got[0]["status"] != "200" {
			t.Errorf("got %v", got)
		}
	},
	"16=413":      wholeBatch(413),
	"16=too-many": wholeBatch(400),
	"17=one-kind": func(t *testing.T, f *faulty) {
		if got, other := f.get(policies), f.get("/v1.0/users"); got.status != 403 || got.code() != "Authorization_RequestDenied" || other.status != 200 {
			t.Errorf("got %d %s, other kinds %d", got.status, got.raw, other.status)
		}
		if parts := propList(f.batch("/users", "/identity/conditionalAccess/policies").body, "responses"); fmt.Sprint(parts[1]["status"]) != "403" || fmt.Sprint(parts[0]["status"]) != "200" {
			t.Errorf("in a batch: got %v", parts)
		}
	},
	"17=all": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 401 || got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("got %d %s", got.status, got.raw)
		}
	},
	"17=licence": func(t *testing.T, f *faulty) {
		if got, other := f.get("/v1.0/auditLogs/signIns"), f.get("/v1.0/users"); got.status != 403 || got.code() != "Authentication_RequestFromNonPremiumTenantOrB2CTenant" || other.status != 200 {
			t.Errorf("got %d %s, other kinds %d", got.status, got.raw, other.status)
		}
	},
	"18=deleted": func(t *testing.T, f *faulty) {
		if listed, got := f.get("/v1.0/users"), f.get("/v1.0/users/"+testAda); len(listed.value()) != 2 || got.status != 404 || got.code() != "Request_ResourceNotFound" {
			t.Errorf("listed %d, got %d %s", len(listed.value()), got.status, got.raw)
		}
	},
	"18=late": func(t *testing.T, f *faulty) {
		id := propText(f.call(http.MethodPost, "/v1.0/groups", Object{"displayName": "New"}).body, "id")
		if got := f.get("/v1.0/groups/" + id); id == "" || got.status != 404 {
			t.Errorf("at once: got %d", got.status)
		}
		f.clock.add(10 * time.Second)
		if got := f.get("/v1.0/groups/" + id); got.status != 200 {
			t.Errorf("later: got %d", got.status)
		}
	},
	"19=old":  replies("Require MFA Require MFA Require MFA Changed Changed"),
	"19=flip": replies("Require MFA Changed Require MFA Changed Require MFA"),
	"20=edit": restlessly(func(a, b wireAnswer) bool {
		return len(b.value()) == 1 && b.value()[0]["displayName"] == "Require MFA (edited)" && b.value()[0]["modifiedDateTime"] != nil
	}),
	"20=add":    restlessly(func(a, b wireAnswer) bool { return len(b.value()) == 2 }),
	"20=remove": restlessly(func(a, b wireAnswer) bool { return len(b.value()) == 0 }),
	"21=groups": func(t *testing.T, f *faulty) {
		total, seen := 0, map[string]bool{}
		for path := "/v1.0/groups"; path != ""; {
			got := f.get(path)
			total += len(got.value())
			for _, o := range got.value() {
				seen[propText(o, "id")] = true
			}
			if fmt.Sprint(got.body["@odata.count"]) != "100000" {
				t.Fatalf("count is %v", got.body["@odata.count"])
			}
			path = propText(got.body, nextLink)
		}
		if total != 100_000 || len(seen) != total {
			t.Errorf("got %d groups, %d different", total, len(seen))
		}
	},
	"21=policies": func(t *testing.T, f *faulty) {
		if got := f.get(policies); len(got.value()) != 10_000 || got.body[nextLink] != nil {
			t.Errorf("got %d policies", len(got.value()))
		}
	},
	"21=users": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users?$top=999"); len(got.value()) != 999 || propText(got.body, nextLink) == "" {
			t.Errorf("got %d users", len(got.value()))
		}
	},
	"22=expired": func(t *testing.T, f *faulty) {
		if err := f.site.SetFaults("22=expired,after=2"); err != nil {
			t.Fatal(err)
		}
		var got []int
		for range 4 {
			got = append(got, f.get("/v1.0/users").status)
		}
		f.clock.add(time.Second) // another token
		f.signIn()
		got = append(got, f.get("/v1.0/users").status, f.get("/v1.0/users").status)
		if fmt.Sprint(got) != "[200 200 401 401 200 200]" {
			t.Errorf("got %v", got)
		}
	},
	"22=zero": func(t *testing.T, f *faulty) {
		if body, _ := f.signIn(); fmt.Sprint(body["expires_in"]) != "0" {
			t.Errorf("got %v", body["expires_in"])
		}
	},
	"22=ahead":  clockWrong(10 * time.Minute),
	"22=behind": clockWrong(-10 * time.Minute),
	"23=once": func(t *testing.T, f *faulty) {
		first := f.get("/v1.0/users")
		if !strings.Contains(first.header.Get("WWW-Authenticate"), `error="insufficient_claims", claims="`) || first.status != 401 {
			t.Errorf("got %d %v", first.status, first.header)
		}
		body, _ := f.site.atToken(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "client_secret": {testSecret}, "scope": {graphScope[0]},
			"claims": {`{"access_token":{"nbf":{"essential":true,"value":"1"},"xms_cc":{"values":["cp1"]}}}`}})
		f.token = body["access_token"].(string)
		if again := f.get("/v1.0/users"); again.status != 200 {
			t.Errorf("with claims: got %d", again.status)
		}
	},
	"23=endless": func(t *testing.T, f *faulty) {
		for range 3 {
			body, _ := f.site.atToken(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "client_secret": {testSecret}, "scope": {graphScope[0]},
				"claims": {`{"access_token":{"nbf":{"essential":true,"value":"1"}}}`}})
			f.token = body["access_token"].(string)
			if got := f.get("/v1.0/users"); got.status != 401 || !strings.Contains(got.header.Get("WWW-Authenticate"), "insufficient_claims") {
				t.Errorf("got %d", got.status)
			}
		}
	},
	"24=429": func(t *testing.T, f *faulty) {
		first, status := f.signIn()
		if second, then := f.signIn(); status != 429 || errorCode(first) != "90055" || then != 200 {
			t.Errorf("got %d %v, then %d %v", status, first, then, second)
		}
	},
	"24=500": func(t *testing.T, f *faulty) {
		if _, status := f.signIn(); status != 500 {
			t.Errorf("got %d", status)
		}
	},
	"24=slow": func(t *testing.T, f *faulty) {
		if err := f.site.SetFaults("24=slow,value=50ms"); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, status := f.signIn(); status != 200 || time.Since(begun) < 50*time.Millisecond {
			t.Errorf("got %d after %v", status, time.Since(begun))
		}
	},
	"24=wrong-tenant": func(t *testing.T, f *faulty) {
		f.signIn()
		if got := claimsOf(t, f.token); got["tid"] != strangeTenant || f.get("/v1.0/users").status != 401 {
			t.Errorf("got %v", got)
		}
	},
	"24=wrong-audience": audience("https://vault.azure.net"),
	"24=certificate-expired": func(t *testing.T, f *faulty) {
		body, _ := f.site.atToken(t, url.Values{"grant_type": {"client_credentials"}, "client_id": {testApp}, "scope": {graphScope[0]},
			"client_assertion_type": {clientAssertionType}, "client_assertion": {"anything"}})
		if errorCode(body) != "700027" {
			t.Errorf("got %v", body)
		}
	},
	"24=secret-rotated": tokenRefused("7000215"),
	"25=usgov":          audience("https://graph.microsoft.us"),
	"25=china":          audience("https://microsoftgraph.chinacloudapi.cn"),
	"25=public":         audience("https://graph.microsoft.com"),
	"26=token":          tokenRefused("7000229"),
	"26=disabled":       tokenRefused("7000112"),
	"26=graph": func(t *testing.T, f *faulty) {
		if got := f.get("/v1.0/users"); got.status != 403 {
			t.Errorf("got %d", got.status)
		}
	},
}
