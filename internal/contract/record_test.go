package contract_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"halligan/internal/contract"
)

// tenant is a Graph of one user, right or wrong as the path of the user says.
func tenant(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("request-id", "1")
	w.Header().Set("client-request-id", "2")
	w.Header().Set("Content-Type", "application/json")
	id := req.PathValue("id")
	switch id {
	case "wrong":
		fmt.Fprint(w, `{"@odata.context":"https://x/v1.0/$metadata#users/$entity","id":"a","shoeSize":43}`)
	case "faulty":
		w.Header().Set(contract.FaultHeader, "garbled")
		fmt.Fprint(w, `{"id`)
	case "zipped":
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, `{"@odata.context":"https://x/v1.0/$metadata#users/$entity","id":"a","shoeSize":44}`)
		z.Close()
	case "nobody":
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"Request_ResourceNotFound","message":"x","innerError":{"date":"2026-11-21T15:00:00","request-id":"1","client-request-id":"2"}}}`)
	default:
		fmt.Fprint(w, `{"@odata.context":"https://x/v1.0/$metadata#users/$entity","id":"a"}`)
	}
}

func served(t *testing.T, r *contract.Recorder) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/v1.0/users/{id}", tenant)
	mux.HandleFunc("/{tenant}/oauth2/v2.0/token", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"access_token":"secret-of-the-test"}`)
	})
	server := httptest.NewTLSServer(r.Handler(mux))
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret-of-the-test")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestRecorderJudgesWhatAServerAnswers(t *testing.T) {
	c := load(t)
	r := c.NewRecorder()
	var log bytes.Buffer
	r.LogTo(&log)
	server := served(t, r)
	get(t, server.Client(), server.URL+"/contoso/oauth2/v2.0/token")
	for _, path := range []string{"right", "right?$select=id", "nobody", "faulty", "wrong", "zipped", "right?$select=shoeSize"} {
		get(t, server.Client(), server.URL+"/v1.0/users/"+path)
	}
	report := r.Report()
	if report.Exchanges != 7 || report.Operations["GET v1.0 /users/{user-id}"] != 7 || report.Faults["garbled"] != 1 {
		t.Errorf("got %d exchanges, %v, faults %v; want 7, all of the user, one garbled", report.Exchanges, report.Operations, report.Faults)
	}
	got := strings.Join(report.Lines(), "\n")
	if n := len(report.Lines()); n != 2 || strings.Count(got, "shoeSize") < 2 || !strings.Contains(got, "(2 times)") {
		t.Errorf("got %d differences, want two (an answer, seen twice, and a $select):\n%s", n, got)
	}
	if strings.Contains(log.String(), "secret-of-the-test") {
		t.Error("the log holds a token")
	}

	// The same exchanges, read from the log of a process, are judged the same.
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "1.jsonl"), log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := c.ValidateLog(folder)
	if err != nil {
		t.Fatal(err)
	}
	if replayed := strings.Join(again.Lines(), "\n"); replayed != got || again.Exchanges != 7 {
		t.Errorf("the log has %d exchanges and says:\n%s\nwant:\n%s", again.Exchanges, replayed, got)
	}
	if _, err := c.ValidateLog(t.TempDir()); err == nil {
		t.Error("a log without exchanges is accepted")
	}
}

func TestTransportJudgesWhatAClientSends(t *testing.T) {
	c := load(t)
	r := c.NewRecorder()
	server := served(t, c.NewRecorder())
	client := &http.Client{Transport: r.Transport(server.Client().Transport)}
	if body := get(t, client, server.URL+"/v1.0/users/right"); !strings.Contains(body, `"id":"a"`) {
		t.Errorf("got %q, want the answer unchanged", body)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { get(t, client, server.URL+"/v1.0/users/wrong") })
	}
	all.Wait()
	get(t, client, server.URL+"/contoso/oauth2/v2.0/token")
	resp, err := client.Post(server.URL+"/v1.0/users/right", "application/json", strings.NewReader(`{"displayName":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	report := r.Report()
	got := strings.Join(report.Lines(), "\n")
	if report.Exchanges != 10 || len(report.Lines()) != 2 || !strings.Contains(got, "(8 times)") || !strings.Contains(got, "POST is not described for /users/right") {
		t.Errorf("got %d exchanges and:\n%s", report.Exchanges, got)
	}
	if len(report.Unused()) != len(contract.Exceptions)+len(contract.PropertyExceptions) {
		t.Errorf("got unused %v, want all", report.Unused())
	}
}

// A server's own tests ask wrongly on purpose; what is refused is no finding.
func TestRefusedRequestsMayBeWrong(t *testing.T) {
	c := load(t)
	r := c.NewRecorder()
	r.AllowRefused()
	server := served(t, r)
	get(t, server.Client(), server.URL+"/v1.0/users/nobody?$select=shoeSize")
	if lines := r.Report().Lines(); len(lines) != 0 {
		t.Errorf("refused, and found: %v", lines)
	}
	get(t, server.Client(), server.URL+"/v1.0/users/right?$select=shoeSize")
	if lines := r.Report().Lines(); len(lines) != 1 {
		t.Errorf("accepted, and found: %v", lines)
	}
}
