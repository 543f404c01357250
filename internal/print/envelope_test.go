package print_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/internal/print"
)

func TestEnvelopesOfASetAreOneDocument(t *testing.T) {
	second := envelope()
	second.Holder, second.QR = "Dora Ek", secret("SECOND")
	pdf := printed(t, print.Envelopes([]*print.Envelope{envelope(), second}), "pdf", print.Options{})
	pages := pageTexts(t, pdf)
	if len(pages) != 4 || !strings.Contains(pages[2], "Dora Ek") || strings.Contains(pages[2], "Ana Ribeiro  ") {
		t.Fatalf("%d pages: %q", len(pages), pages)
	}
	if got := slices.Concat(scan(t, pdf, 2), scan(t, pdf, 4)); !slices.Equal(got, []string{codeText, "SECOND"}) {
		t.Errorf("got the codes %q", got)
	}
	for _, page := range []int{1, 3} {
		if got := scan(t, pdf, page); len(got) > 0 {
			t.Errorf("outside, page %d shows %q", page, got)
		}
	}
}
