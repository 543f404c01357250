package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
)

// A record holds what was said, and nothing that opens anything.
func TestRecordWithholdsSecrets(t *testing.T) {
	b := newBench(t, "contoso-p2")
	var record bytes.Buffer
	b.heard = &record
	b.must(204, "PATCH", "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass",
		`{"@odata.type":"#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}]}`)
	b.must(201, "POST", "/v1.0/users", newUser, "Authorization", "Bearer a-token")
	pass := text(b.must(201, "POST", "/v1.0/users/"+b.id("bo.lind@contoso.example")+"/authentication/temporaryAccessPassMethods", `{"lifetimeInMinutes":60}`).body, "temporaryAccessPass")
	b.must(200, "POST", "/v1.0/$batch", `{"requests":[{"id":"1","method":"POST","url":"/users","headers":{"Content-Type":"application/json"},"body":`+strings.NewReplacer("new", "next", "Str0ng", "Str0nger").Replace(newUser)+`}]}`)
	b.do("POST", "/v1.0/users", "password=Str0ngest", "Authorization", "Bearer a-token")
	if pass == "" {
		t.Fatal("there is no pass to look for")
	}
	for _, secret := range []string{"Str0ng", "a-token", pass} {
		if strings.Contains(record.String(), secret) {
			t.Errorf("the record holds %q", secret)
		}
	}
	lines := 0
	for line := range bytes.Lines(record.Bytes()) {
		lines++
		var x recordLine
		if err := json.Unmarshal(line, &x); err != nil || x.Method == "" || x.Status == 0 || !strings.HasPrefix(x.URL, "https://"+testHost) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if lines != 5 || !strings.Contains(record.String(), withheld) {
		t.Errorf("got %d lines, want 5, with secrets withheld", lines)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestRecordThatIsNotWholeIsAnError(t *testing.T) {
	site := openSite(t, Config{Record: fullDisk{}}, nil)
	if res, err := site.web(t).Get(site.URL + "/v1.0/organization"); err != nil {
		t.Fatal(err)
	} else {
		_ = res.Body.Close()
	}
	if err := site.record.failure(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
	site.record.err = nil // told; the end of the test would tell it again
}

// What a fault made wrong is marked, and nothing else is.
func TestFaultyAnswersAreMarked(t *testing.T) {
	f := openFaulty(t, Config{}, "9=null,times=1")
	for i, want := range []string{"9=null", ""} {
		if got := f.get("/v1.0/groups"); got.status != http.StatusOK || got.header.Get(faultHeader) != want {
			t.Errorf("answer %d is marked %q, want %q", i+1, got.header.Get(faultHeader), want)
		}
	}
}
