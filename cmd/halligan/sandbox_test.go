package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
)

// The sandbox says in one line how to reach it, is reached by that alone, and
// leaves nothing behind.
func TestSandboxIsReachedByWhatItPrints(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	done := make(chan int, 1)
	var talk strings.Builder
	go func() {
		code := run(ctx, []string{"sandbox", "--listen", "127.0.0.1:0", "--format", "json", "--fault", "22=zero"}, strings.NewReader(""), in, &talk, func(string) string { return "" })
		_ = in.Close() // never fails
		done <- code
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("%v; it said %s", err, talk.String())
	}
	var start sandboxStart
	if err := json.Unmarshal(line, &start); err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(start.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the CA file holds no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get(start.URL + "/" + start.Tenant + "/v2.0/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK || len(start.Accounts) == 0 || start.AdminKey == "" {
		t.Errorf("got %d, %+v", res.StatusCode, start)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("Ctrl-C ends with %d: %s", code, talk.String())
	}
	if _, err := os.Stat(start.CA); !os.IsNotExist(err) {
		t.Errorf("the CA file is still there: %v", err)
	}
}

func TestLoginLinesAreQuotedForTheirShell(t *testing.T) {
	start := &sandboxStart{URL: "https://localhost:8443", Tenant: "id", CA: `/home/o'brien/a b.pem`}
	if got := loginLines(start, posixQuoted)[0]; got != `halligan login --cloud https://localhost:8443 --ca '/home/o'\''brien/a b.pem' --tenant id` {
		t.Error(got)
	}
	if got := loginLines(start, powershellQuoted)[0]; !slices.Contains(strings.Split(got, " "), "'/home/o''brien/a") {
		t.Error(got)
	}
}
