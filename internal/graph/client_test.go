package graph_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
