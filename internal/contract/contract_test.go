package contract_test

import (
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"halligan/internal/contract"
	"halligan/internal/testenv"
)

func load(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// live makes an exchange of the wire out of a documented one: with the headers
// and the context that the documentation leaves out.
func live(x contract.Exchange) contract.Exchange {
	x.RequestHeader = x.RequestHeader.Clone()
	if x.RequestHeader == nil {
		x.RequestHeader = http.Header{}
	}
	x.ResponseHeader = http.Header{"Request-Id": {"1"}, "Client-Request-Id": {"2"}}
	if len(x.RequestBody) > 0 {
		x.RequestHeader.Set("Content-Type", "application/json")
	}
	if len(x.ResponseBody) == 0 {
		return x
	}
	x.ResponseHeader.Set("Content-Type", "application/json")
	if body := string(x.ResponseBody); !strings.Contains(body, `"@odata.context"`) && strings.HasPrefix(body, "{") {
		version := contract.V1
		if strings.Contains(x.URL, "/beta/") {
			version = contract.Beta
		}
		x.ResponseBody = []byte(`{"@odata.context":"https://graph.microsoft.com/` + version + `/$metadata#x",` + strings.TrimPrefix(body, "{"))
	}
	return x
}

func exceptionExchange(x contract.Exception) contract.Exchange {
	host, query := "https://graph.microsoft.com/"+x.Version, ""
	if x.Version == contract.ARM {
		host, query = "https://management.azure.com", "?api-version=2017-04-01"
	}
	path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(x.Path, "5a8d0000-0000-4000-8000-000000000001")
	return live(contract.Exchange{Method: x.Method, URL: host + path + query, Status: 200, ResponseBody: []byte(x.Example)})
}

const batchExample = `{"requests":[{"id":"1","method":"GET","url":"/users?$select=id,displayName"},{"id":"2","method":"PATCH","url":"/users/x","headers":{"Content-Type":"application/json"},"body":{"displayName":"y"}}]}`

const batchAnswer = `{"responses":[{"id":"1","status":200,"headers":{"Content-Type":"application/json"},"body":{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users(id,displayName)","value":[{"id":"x","displayName":"y"}]}},{"id":"2","status":204,"headers":{}}]}`

func countExchange() contract.Exchange {
	return contract.Exchange{
		Method: "GET", URL: "https://graph.microsoft.com/v1.0/users/$count", Status: 200,
		RequestHeader:  http.Header{"Consistencylevel": {"eventual"}},
		ResponseHeader: http.Header{"Content-Type": {"text/plain"}, "Request-Id": {"1"}, "Client-Request-Id": {"2"}}, ResponseBody: []byte("893"),
	}
}

func batchExchange() contract.Exchange {
	return contract.Exchange{
		Method: "POST", URL: "https://graph.microsoft.com/v1.0/$batch", Status: 200,
		RequestHeader: http.Header{"Content-Type": {"application/json"}}, RequestBody: []byte(batchExample),
		ResponseHeader: http.Header{"Content-Type": {"application/json"}, "Request-Id": {"1"}, "Client-Request-Id": {"2"}}, ResponseBody: []byte(batchAnswer),
	}
}

func TestDocumentedExamplesDifferOnlyWhereListed(t *testing.T) {
	c := load(t)
	if n := len(c.Examples()); n != 482 {
		t.Errorf("got %d examples, want 482", n)
	}
	want := map[string]string{}
	for _, q := range quirks {
		for file := range strings.FieldsSeq(q.files) {
			if _, twice := want[file]; twice {
				t.Errorf("%s is listed twice", file)
			}
			want[file] = q.rules
		}
	}
	schema := map[string]bool{}
	for _, e := range c.Examples() {
		rules := map[string]bool{}
		var lines []string
		for _, v := range c.Check(e.Exchange) {
			rules[v.Rule] = true
			schema[e.File] = schema[e.File] || v.Rule == "schema"
			lines = append(lines, v.String())
		}
		if got := strings.Join(slices.Sorted(maps.Keys(rules)), " "); got != want[e.File] {
			t.Errorf("%s: got %q, want %q\n\t%s", e.File, got, want[e.File], strings.Join(lines, "\n\t"))
		}
		delete(want, e.File)
	}
	for file := range want {
		t.Errorf("%s is listed and is no example", file)
	}
	// Another library, asked when the description was made, found 21.
	report, err := os.ReadFile(filepath.Join(testenv.Folder(t, "HALLIGAN_CONTRACT"), "examples-report.txt"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:REQ|RESP) (\S+\.json)`).FindAllStringSubmatch(string(report), -1) {
		known[m[1]] = true
		if !schema[m[1]] {
			t.Errorf("the report lists %s, and its schema is not found to differ", m[1])
		}
	}
	for file, differs := range schema {
		if differs && !known[file] && !strings.Contains(file, "fido2authenticationmethodconfiguration-update") {
			t.Errorf("%s differs from its schema, and the report does not list it", file)
		}
	}
}

func TestWrongExchangesAreRefused(t *testing.T) {
	c := load(t)
	seeds := []contract.Exchange{batchExchange(), countExchange()}
	for _, e := range c.Examples() {
		seeds = append(seeds, live(e.Exchange))
	}
	for _, x := range contract.Exceptions {
		seeds = append(seeds, exceptionExchange(x))
	}
	right := 0
	for _, x := range seeds {
		if len(c.Check(x)) == 0 {
			right++
		}
	}
	if right < 350 {
		t.Fatalf("only %d of %d exchanges are right to begin with", right, len(seeds))
	}
	mutations := c.Mutations(seeds, 40)
	if len(mutations) < 2000 {
		t.Errorf("got %d wrong exchanges, want at least 2000", len(mutations))
	}
	made := map[string]int{}
	for _, m := range mutations {
		made[m.Way]++
		refused := slices.ContainsFunc(c.Check(m.Exchange), func(v contract.Violation) bool { return slices.Contains(m.Rules, v.Rule) })
		if !refused {
			t.Errorf("accepted, or refused for another reason than %v: %s\n\t%s\n\t%s", m.Rules, m.Name, m.Exchange.RequestBody, m.Exchange.ResponseBody)
		}
	}
	for _, way := range contract.Ways() {
		if made[way] == 0 {
			t.Errorf("no exchange was made wrong by %s", way)
		}
	}
	t.Logf("%d wrong exchanges in %d ways from %d right ones", len(mutations), len(contract.Ways()), right)
}
