package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"halligan/internal/contract"
	"halligan/internal/testenv"
)

// documentedCase is one example of the documentation, turned to a tenant that
// has other objects.
type documentedCase struct {
	b       *bench
	version string
	path    string // with the version
	query   string
	body    string
}

// serves reports whether the emulator has the operation.
func (d *documentedCase) serves(method string) bool {
	_, _, err := d.b.g.routes.find(method, d.version, strings.Split(strings.TrimPrefix(d.path, "/"+d.version+"/"), "/"))
	return err == nil
}

// settle puts ids of this tenant where the example has ids of another: that of
// the first element of the list that the address goes through.
func (d *documentedCase) settle(template string) {
	have, want := strings.Split(strings.Trim(d.path, "/"), "/"), strings.Split(strings.Trim(template, "/"), "/")
	for i, w := range want {
		if i+1 >= len(have) || !strings.HasPrefix(w, "{") || strings.EqualFold(have[i+1], "me") {
			continue
		}
		list := d.b.do("GET", "/"+strings.Join(have[:i+1], "/"), "", "ConsistencyLevel", "eventual")
		items, _ := list.body["value"].([]any)
		for _, item := range items {
			o, _ := item.(Object)
			if text(o, "id") == passwordMethod { // everybody's, of which little can be asked
				continue
			}
			if id := text(o, "id"); id != "" {
				have[i+1] = id
				break
			}
		}
	}
	d.path = "/" + strings.Join(have, "/")
}

// inhabit puts ids of this tenant into a body.
func (d *documentedCase) inhabit(raw []byte) {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		d.body = string(raw)
		return
	}
	first := func(path string) string {
		items, _ := d.b.do("GET", path, "").body["value"].([]any)
		if len(items) == 0 {
			return ""
		}
		return text(items[0].(Object), "id")
	}
	user, role, group := d.b.id("kestrel.ash@contoso.onmicrosoft.com"), first("/v1.0/roleManagement/directory/roleDefinitions"), first("/v1.0/groups")
	known := map[string]string{"principalid": user, "roledefinitionid": role, "groupid": group, "userid": user}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if s, is := e.(string); is {
					if id := known[strings.ToLower(k)]; id != "" {
						v[k] = id
					}
					if k == "@odata.id" {
						v[k] = "https://" + testHost + "/v1.0/directoryObjects/" + user
					}
					if k == "userPrincipalName" && strings.Contains(s, "@") {
						v[k] = s[:strings.Index(s, "@")] + "@contoso.onmicrosoft.com"
					}
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	text, err := json.Marshal(v)
	if err != nil {
		d.b.t.Fatal(err)
	}
	d.body = string(text)
}

// Every example of an operation that the sandbox serves is answered with the
// status that the documentation shows, and the answer is as Microsoft describes
// it. otherwise lists those that are not, and why.
func TestDocumentedExamplesAreAnswered(t *testing.T) {
	c, err := contract.Load(testenv.Folder(t, "HALLIGAN_CONTRACT"))
	if err != nil {
		t.Fatal(err)
	}
	served, unlisted := 0, 0
	unneeded := map[string]bool{}
	for file := range otherwise {
		unneeded[file] = true
	}
	for _, e := range c.Examples() {
		x := e.Exchange
		o := c.Judge(x).Operation
		u, err := url.Parse(strings.ReplaceAll(x.URL, " ", "%20"))
		if o == nil || err != nil || strings.HasSuffix(o.Path, "/$batch") {
			continue
		}
		d := &documentedCase{b: newBench(t, "contoso-p2"), version: o.Version, path: u.Path, query: u.RawQuery}
		if !d.serves(x.Method) {
			continue
		}
		served++
		d.settle(o.Path)
		if len(x.RequestBody) > 0 {
			d.inhabit(x.RequestBody)
		}
		address := d.path
		if d.query != "" {
			address += "?" + d.query
		}
		r := d.b.do(x.Method, address, d.body, "ConsistencyLevel", "eventual")
		want := x.Status
		if r.status == want {
			continue
		}
		if otherwise[e.File] == "" {
			unlisted++
			t.Errorf("%s: %s %s: got %d %s, want %d\n\t%.300s", e.File, x.Method, address, r.status, r.code(), want, d.body)
		}
		delete(unneeded, e.File)
	}
	for file := range unneeded {
		t.Errorf("%s is listed and is answered as documented", file)
	}
	if served < 150 {
		t.Errorf("only %d examples are of operations that the sandbox serves: they were not understood", served)
	}
	t.Logf("%d examples, %d otherwise", served, len(otherwise))
	_ = http.MethodGet
}

// otherwise lists the examples that the sandbox answers with another status, and
// why.
var otherwise = map[string]string{}
