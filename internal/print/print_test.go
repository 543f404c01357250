package print_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"halligan/internal/print"
	"halligan/procedure"
)

func TestTheSameDocumentGivesTheSameBytes(t *testing.T) {
	for name, d := range documents() {
		for _, form := range print.Forms {
			for _, paper := range print.Papers {
				o := print.Options{Paper: paper}
				first := printed(t, d, form.Name, o)
				for range 2 {
					if again := printed(t, documents()[name], form.Name, o); !bytes.Equal(first, again) {
						t.Errorf("%s as %s on %s differs from time to time", name, form.Name, paper)
					}
				}
				// Two prints within a second would not show a date of the clock.
				if dates := regexp.MustCompile(`D:\d{8}`).FindAllString(string(first), -1); form.Name == "pdf" && (len(dates) != 2 || dates[0] != "D:20270201" || dates[1] != "D:20270201") {
					t.Errorf("%s has the dates %v", name, dates)
				}
				d := *d
				d.Date = day.AddDate(0, 0, 1)
				if bytes.Equal(first, printed(t, &d, form.Name, o)) {
					t.Errorf("%s as %s does not say its day", name, form.Name)
				}
			}
		}
	}
}

// pagesOf counts the pages of a PDF; its page objects are not compressed.
func pagesOf(pdf []byte) int { return len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1)) }

func TestTheCardIsOnePage(t *testing.T) {
	for name, d := range documents() {
		for _, paper := range print.Papers {
			if n := pagesOf(printed(t, d, "pdf", print.Options{Paper: paper})); strings.HasPrefix(name, "card") && n != 1 {
				t.Errorf("%s on %s has %d pages", name, paper, n)
			} else if name == "envelope" && n != 2 {
				t.Errorf("the envelope on %s has %d pages: the outside and the inside are wanted", paper, n)
			}
		}
	}
}

// Runbooks send people to other pages by name.
func TestRunbooksReferToWhatIsInTheBinder(t *testing.T) {
	titles := map[string]bool{}
	for _, b := range binderOf(many()).Document().Blocks {
		if h, is := b.(print.Heading); is {
			_, name, numbered := strings.Cut(h.Text, ": ")
			if titles[h.Text] = true; numbered {
				titles[name] = true
			}
		}
	}
	quoted := regexp.MustCompile(`“([A-Z][^”]*)”`)
	// What the screens of Microsoft say is quoted, too.
	screens := map[string]bool{"You cannot access this right now": true}
	referred := 0
	for _, book := range append(procedure.Runbooks(), procedure.Runbook{ID: "opening", Steps: procedure.StockOpening()}) {
		texts := []string{book.When}
		for _, s := range book.Steps {
			texts = append(texts, s.Do, s.Where, s.Expect, s.Otherwise)
		}
		for _, m := range quoted.FindAllStringSubmatch(strings.Join(texts, "\n"), -1) {
			if !titles[m[1]] && !screens[m[1]] {
				t.Errorf("runbook %s refers to “%s”, and nothing in the binder is called so", book.ID, m[1])
			}
			referred++
		}
	}
	if referred < 10 {
		t.Errorf("only %d references were found", referred)
	}
}

func TestThePaperIsTheOneThatWasAskedFor(t *testing.T) {
	for paper, want := range map[print.Paper][2]string{"": {"595.28 841.89", "size: A4;"}, print.A4: {"595.28 841.89", "size: A4;"}, print.Letter: {"612.00 792.00", "size: letter;"}} {
		o := print.Options{Paper: paper}
		if pdf := printed(t, plain("x"), "pdf", o); !bytes.Contains(pdf, []byte("/MediaBox [0 0 "+want[0]+"]")) {
			t.Errorf("the PDF on %q is not %s points", paper, want[0])
		}
		if page := printed(t, plain("x"), "html", o); !bytes.Contains(page, []byte(want[1])) {
			t.Errorf("the page on %q does not say %s", paper, want[1])
		}
	}
}

func TestPaperThatNobodyHasIsRefused(t *testing.T) {
	for _, form := range print.Forms {
		if _, err := form.Write(plain("x"), new(bytes.Buffer), print.Options{Paper: "a0"}); err == nil {
			t.Errorf("%s is printed on a0", form.Name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("paper jam") }

func TestAPrinterThatFailsIsReported(t *testing.T) {
	for _, form := range print.Forms {
		if _, err := form.Write(plain("x"), full{}, print.Options{}); err == nil {
			t.Errorf("%s: a failed write is not told", form.Name)
		}
	}
}

// A secret goes to the writer, and nothing of it to a disk on the way.
func TestNoFileIsWrittenOnTheWay(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, name := range []string{"TMPDIR", "TMP", "TEMP", "HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, folder)
	}
	for _, form := range print.Forms {
		printed(t, envelope().Document(), form.Name, print.Options{})
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// Names come from a register that somebody else may have written.
func TestHTMLShowsMarkupAsText(t *testing.T) {
	evil := `</style></title><script>alert(1)</script><img src=x onerror=alert(1)>"; } body { display: none`
	r := many()
	r.Tenant.Name, r.People[0].Name, r.People[0].Reach, r.Places[0].Site, r.Channels = evil, evil, []string{evil}, evil, nil
	b := binderOf(r)
	b.Survival[0].Left, b.Ways[0].Takes = evil, []string{evil}
	e := envelope()
	e.Account, e.Rule, e.Holder = evil, evil, evil
	for _, d := range []*print.Document{b.Document(), b.Card(), e.Document()} {
		page := string(printed(t, d, "html", print.Options{}))
		for _, bad := range []string{"<script", "<img", `"; } body`, "</style></title>"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %s", d.Title[:14], bad)
			}
		}
		if strings.Count(page, "</style>") != 1 || !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
			t.Errorf("%s: the page may load or run something", d.Title[:14])
		}
	}
}

// The page needs nothing else: what it says of addresses is text.
func TestHTMLLoadsNothing(t *testing.T) {
	page := string(printed(t, binderOf(many()).Document(), "html", print.Options{}))
	if found := regexp.MustCompile(`(?i)(src|href)\s*=\s*"[^#"]|url\(|@import|<link`).FindString(page); found != "" {
		t.Errorf("the page has %s", found)
	}
}

func TestATableWithoutColumnsIsAMistake(t *testing.T) {
	d := plain("x")
	d.Blocks = append(d.Blocks, print.Table{})
	if _, err := d.WritePDF(new(bytes.Buffer), print.Options{}); err == nil {
		t.Error("it is printed")
	}
}

// More than a code holds is an error, which does not tell the secret.
func TestACodeThatIsTooLongIsRefused(t *testing.T) {
	e := envelope()
	long := strings.Repeat("secret ", 1000)
	e.QR = secret(long)
	for _, form := range print.Forms {
		_, err := form.Write(e.Document(), new(bytes.Buffer), print.Options{})
		if err == nil || strings.Contains(err.Error(), "secret secret") {
			t.Errorf("%s: %v", form.Name, err)
		}
	}
}
