package graph_test

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"halligan/internal/graph"
)

// Fault 7, of answers and of refusals, which azcore reads by itself.
func TestEndlessAnswerIsCut(t *testing.T) {
	for _, status := range []int{200, 403, 404, 429, 503} {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) {
			resp := reply(status, "")
			resp.Body = io.NopCloser(endless{})
			return resp, nil
		}}
		_, err := inMemory(t, w, func(c *graph.Config) { c.Limits.Body = 1 << 20 }).List(t.Context(), users)
		if wantKind(t, err, graph.KindCut); !errors.Is(err, graph.ErrTooLarge) || w.count() != 1 {
			t.Errorf("%d: %d attempts: %v", status, w.count(), err)
		}
	}
}

func TestGzipBombIsCut(t *testing.T) {
	c, _ := overTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("gzip is not asked for, so this test shows nothing")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		block := make([]byte, 1<<20)
		for range 64 {
			if _, err := z.Write(block); err != nil {
				return
			}
		}
		z.Close()
	}), func(c *graph.Config) { c.Limits.Body = 4 << 20 })
	_, err := c.List(t.Context(), users)
	if !errors.Is(err, graph.ErrTooLarge) {
		t.Errorf("got %v", err)
	}
}
