package graph_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halligan/internal/graph"
	"halligan/internal/testenv"
)

// documented is one example of Microsoft's documentation.
type documented struct {
	Method       string
	URL          string
	Status       int
	ResponseBody json.RawMessage
}

// Every list in Microsoft's documentation is read, and the link to its next page
// is followed: neither the reader of pages nor the check of links may be stricter
// than Graph.
func TestDocumentedListsAreRead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(testenv.Folder(t, "HALLIGAN_CONTRACT"), "examples", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	public, err := graph.CloudNamed("public")
	if err != nil {
		t.Fatal(err)
	}
	lists, links := 0, 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var e documented
		if err := json.Unmarshal(data, &e); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var body map[string]json.RawMessage
		if json.Unmarshal(e.ResponseBody, &body) != nil || !strings.HasPrefix(string(body["value"]), "[") || e.Method != "GET" {
			continue
		}
		u, err := url.Parse(strings.ReplaceAll(e.URL, " ", "%20"))
		if err != nil {
			continue // a placeholder, no address
		}
		version, path, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		lists++
		w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return reply(200, string(e.ResponseBody)), nil
			}
			links++
			return reply(200, empty), nil
		}}
		c := inMemory(t, w, func(c *graph.Config) {
			c.Cloud, c.Tenant, c.Credential = public, tenant, &credential{give: opaque}
		})
		if _, err := c.List(t.Context(), graph.Request{Version: graph.Version(version), Path: "/" + path}); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
	if lists < 50 || links == 0 {
		t.Errorf("only %d lists with %d links: the examples were not understood", lists, links)
	}
}
