package graph_test

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"halligan/internal/graph"
)

func rootsOf(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

func TestOneReadOverTLS(t *testing.T) {
	var got *http.Request
	c, _ := overTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(t.Context())
		w.Write([]byte(`{"id":"a"}`))
	}))
	r := users
	r.Path = graph.PathOf("users", "ann#ext#@contoso.com")
	answer, err := c.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if string(answer.Body) != `{"id":"a"}` || answer.Status != 200 {
		t.Errorf("got %d %s", answer.Status, answer.Body)
	}
	if want := "/v1.0/users/ann%23ext%23@contoso.com?$select=id%2CdisplayName"; got.RequestURI != want {
		t.Errorf("asked for %s, want %s", got.RequestURI, want)
	}
	if !strings.HasPrefix(got.Header.Get("Authorization"), "Bearer ey") {
		t.Errorf("no token was sent")
	}
	if got.Header.Get("User-Agent") != "halligan" || got.Header.Get("Client-Request-Id") == "" {
		t.Errorf("headers: %v", got.Header)
	}
}

func TestErrorOfGraphIsCleanBeforeItIsShown(t *testing.T) {
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) {
		return reply(403, `{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges\u001b[31m\u202e\r\nfor Bearer eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln `+strings.Repeat("x ", 400)+`",
			"innerError":{"request-id":"4d7b3f36-0000-0000-0000-000000000000"}}}`), nil
	}}
	_, err := inMemory(t, w).Do(t.Context(), policies)
	e := wantKind(t, err, graph.KindDenied)
	if e.Code != "Authorization_RequestDenied" || e.Status != 403 || e.RequestID != "4d7b3f36-0000-0000-0000-000000000000" || w.count() != 1 {
		t.Errorf("%d requests: %+v", w.count(), e)
	}
	if text := err.Error(); strings.Contains(text, "eyJ") || strings.ContainsAny(text, "\x1b\n\r\u202e") || len([]rune(e.Message)) > 300 {
		t.Errorf("not clean: %q", text)
	}
	if !strings.Contains(e.Hint(), "Policy.Read.All") {
		t.Errorf("the hint does not name the permission: %s", e.Hint())
	}
}

func TestMissingLicenceIsToldFromAMissingPermission(t *testing.T) {
	for message, want := range map[string]graph.Kind{
		`"code":"Authentication_RequestFromNonPremiumTenantOrB2CTenant","message":"Neither tenant is B2C or tenant doesn't have premium license"`: graph.KindNotLicensed,
		`"code":"AccessDenied","message":"You cannot perform the requested operation, required scopes are missing in the token."`:                 graph.KindDenied,
		`"code":"AadPremiumLicenseRequired","message":"The tenant needs to have Microsoft Entra ID P2 or Governance license."`:                    graph.KindNotLicensed,
	} {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(403, `{"error":{`+message+`}}`), nil }}
		_, err := inMemory(t, w).Do(t.Context(), policies)
		wantKind(t, err, want)
	}
}

func TestReadWithoutAnAnswerIsNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, ""), nil }}
		if answer, err := inMemory(t, w).Do(t.Context(), users); !errors.Is(err, graph.ErrTruncated) {
			t.Errorf("got %+v, %v", answer, err)
		}
	})
}
