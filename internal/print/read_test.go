package print_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"halligan/internal/print"
	"halligan/internal/testenv"
)

// tool runs a program on a file, or ends the test where the program is missing.
func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		testenv.Missing(t, "there is no "+name+" (poppler-utils, zbar-tools)")
	}
	var out, talk bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, talk.String())
	}
	return out.String()
}

// file keeps what was printed where the tools find it.
func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// pageTexts are the texts of the pages of a PDF as another program reads them.
func pageTexts(t testing.TB, pdf []byte) []string {
	t.Helper()
	text := tool(t, "pdftotext", "-layout", file(t, "print.pdf", pdf), "-")
	return strings.Split(strings.TrimSuffix(text, "\f"), "\f")
}

// scan reads the codes of one page of a PDF as a camera would.
func scan(t testing.TB, pdf []byte, page int) []string {
	t.Helper()
	path, number := file(t, "print.pdf", pdf), strconv.Itoa(page)
	tool(t, "pdftoppm", "-r", "150", "-gray", "-png", "-f", number, "-l", number, path, filepath.Join(filepath.Dir(path), "page"))
	pages, err := filepath.Glob(filepath.Join(filepath.Dir(path), "page*.png"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	tool(t, "zbarimg", "--version") // or the test ends here
	var out []string
	for _, page := range pages {
		found, err := exec.CommandContext(t.Context(), "zbarimg", "--raw", "-q", page).Output()
		if err == nil { // it fails on a page without a code
			out = append(out, strings.Split(strings.TrimRight(string(found), "\n"), "\n")...)
		}
	}
	return out
}

func TestCodesOnPaperAreReadBack(t *testing.T) {
	b := binderOf(nil)
	b.Runbooks, b.Opening = nil, nil
	for _, paper := range print.Papers {
		for name, c := range map[string]struct {
			d        *print.Document
			on, want string
		}{"envelope": {envelope().Document(), "To be typed", codeText}, "binder": {b.Document(), "to be scanned", logKey}} {
			pdf := printed(t, c.d, "pdf", print.Options{Paper: paper})
			page := 1 + slices.IndexFunc(pageTexts(t, pdf), func(text string) bool { return strings.Contains(text, c.on) })
			got := scan(t, pdf, page)
			if len(got) != 1 || got[0] != c.want {
				t.Errorf("%s on %s: got %q, want %q", name, paper, got, c.want)
			}
		}
	}
}

// drawnCode draws the code of an HTML page, four dots for a module.
func drawnCode(t testing.TB, page string) []byte {
	t.Helper()
	box := regexp.MustCompile(`<svg viewBox="0 0 (\d+) `).FindStringSubmatch(page)
	path := regexp.MustCompile(`<path d="([^"]+)"`).FindStringSubmatch(page)
	if box == nil || path == nil {
		t.Fatal("the page has no code")
	}
	edge, _ := strconv.Atoi(box[1])
	const dots = 4
	img := image.NewGray(image.Rect(0, 0, edge*dots, edge*dots))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for _, bar := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(path[1], -1) {
		x, _ := strconv.Atoi(bar[1])
		y, _ := strconv.Atoi(bar[2])
		length, _ := strconv.Atoi(bar[3])
		for dx := range length * dots {
			for dy := range dots {
				img.Set(x*dots+dx, y*dots+dy, color.Black)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCodesOnTheScreenAreReadBack(t *testing.T) {
	page := string(printed(t, envelope().Document(), "html", print.Options{}))
	got := tool(t, "zbarimg", "--raw", "-q", file(t, "code.png", drawnCode(t, page)))
	if strings.TrimSpace(got) != codeText {
		t.Errorf("got %q, want %q", got, codeText)
	}
}

func TestRowsAreReadAsTheyWerePrinted(t *testing.T) {
	pages := pageTexts(t, printed(t, envelope().Document(), "pdf", print.Options{}))
	for i, row := range strings.Split(wordText, "\n") {
		want := regexp.MustCompile(fmt.Sprintf(`(?m)^\s*%d\s+%s\s*$`, i+1, row))
		if !want.MatchString(pages[1]) {
			t.Errorf("row %d, %q, is not on the inner page", i+1, row)
		}
	}
	for _, part := range []string{codeText, "lusab"} {
		if strings.Contains(pages[0], part) {
			t.Error("the outside shows the secret")
		}
	}
	for _, want := range []string{"H-104", "north", "share 2 of 3", "Ana Ribeiro", "age 1.1.1 or later", "a1b2c3d4e5f60718", "Chiara Neri together"} {
		if !strings.Contains(pages[0], want) {
			t.Errorf("the outside does not say %s", want)
		}
	}
}

func TestEveryPageSaysWhichVersionItIs(t *testing.T) {
	for name, d := range documents() {
		pages := pageTexts(t, printed(t, d, "pdf", print.Options{}))
		for i, page := range pages {
			foot := strings.Join(strings.Fields(page), " ")
			for _, want := range []string{d.Version, d.Digest, "2027-02-01", fmt.Sprintf("page %d of %d", i+1, len(pages))} {
				if !strings.Contains(foot, want) {
					t.Errorf("%s: page %d does not say %s", name, i+1, want)
				}
			}
		}
		html := string(printed(t, d, "html", print.Options{}))
		if !strings.Contains(html, "counter(page)") || strings.Count(html, d.Version) == 0 || !strings.Contains(html, d.Digest) {
			t.Errorf("%s: the page of HTML does not say it", name)
		}
		// Not every browser prints the margins: each section says it, too.
		for i, section := range strings.Split(html, `<div class="page">`) {
			_, section, _ = strings.Cut(section, "<main>") // not the title and the style of the first
			if i > 0 {
				section = strings.Split(html, `<div class="page">`)[i]
			}
			if !strings.Contains(section, d.Version) || !strings.Contains(section, d.Digest) {
				t.Errorf("%s: section %d of HTML does not say it", name, i+1)
			}
		}
	}
}

// The table of contents is what somebody looks at first.
func TestContentsSendToTheRightPage(t *testing.T) {
	for name, b := range map[string]*print.Binder{"many": binderOf(many()), "none": binderOf(nil)} {
		pages := pageTexts(t, printed(t, b.Document(), "pdf", print.Options{}))
		looked := 0
		for _, block := range b.Document().Blocks {
			contents, is := block.(print.Contents)
			if !is {
				continue
			}
			for _, title := range contents {
				line := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(title) + `\s+(\d+)$`).FindStringSubmatch(pages[0])
				if line == nil {
					t.Errorf("%s: the contents lack %s", name, title)
					continue
				}
				n, _ := strconv.Atoi(line[1])
				if n < 2 || n > len(pages) || !strings.Contains(strings.Join(strings.Fields(pages[n-1]), " "), title) {
					t.Errorf("%s: %s is not on page %d", name, title, n)
				}
				looked++
			}
		}
		if looked < 15 {
			t.Errorf("%s: %d titles in the contents", name, looked)
		}
	}
}

// Every person, place and seal is there, on as many pages as it takes, and the head
// of a table on each.
func TestNothingIsLostBetweenPages(t *testing.T) {
	r := many()
	pages := pageTexts(t, printed(t, binderOf(r).Document(), "pdf", print.Options{Paper: print.Letter}))
	all := strings.Join(pages, "\n")
	for _, p := range r.Parts {
		if strings.Count(all, p.Seal) != 2 { // parts, places
			t.Errorf("seal %s is there %d times", p.Seal, strings.Count(all, p.Seal))
		}
	}
	_, review, _ := strings.Cut(all, "Write down the number that you read on the seal there") // where no number may be copied
	if !strings.Contains(review, "Q4: number") || strings.Contains(review, "S-00") {
		t.Errorf("the pages for reviews say\n%s", review)
	}
	for i := range r.People {
		if way := fmt.Sprintf("1234 %04d", i); i%4 > 0 && !strings.Contains(all, way) {
			t.Errorf("nobody can call %s", way)
		}
	}
	for i, page := range pages {
		if strings.Contains(page, "1234 00") && !strings.Contains(page, "First way") {
			t.Errorf("page %d has a table without its head", i+1)
		}
	}
}

// The picture is drawn on paper, too.
func TestSurvivalIsOnPaper(t *testing.T) {
	d := binderOf(many()).Document()
	if page := string(printed(t, d, "html", print.Options{})); !strings.Contains(page, `<figure><svg `) {
		t.Error("the page has no picture")
	}
	all := strings.Join(strings.Fields(strings.Join(pageTexts(t, printed(t, d, "pdf", print.Options{})), " ")), " ")
	for _, want := range []string{"site Harbour house yes North 2, South 2", "method FIDO2 no none", "Eva Lund or Farid Haddad", "held by Holder Only-in-Picture", "✓ by picture"} {
		if !strings.Contains(all, want) {
			t.Errorf("it does not say %s", want)
		}
	}
}

// A row taller than a page goes on, with the head above it.
func TestARowTallerThanAPageGoesOn(t *testing.T) {
	var words []string
	for i := range 3000 {
		words = append(words, fmt.Sprintf("word%d", i))
	}
	d := plain("x")
	d.Blocks = []print.Block{print.Table{Columns: []print.Column{{Title: "Head", Share: 1}, {Title: "Other", Share: 1}}, Rows: [][]string{{strings.Join(words, " "), "short"}}},
		print.Text{Text: strings.Join(words, " ")}}
	pages := pageTexts(t, printed(t, d, "pdf", print.Options{}))
	all := strings.Join(strings.Fields(strings.Join(pages, " ")), " ") + " "
	for _, w := range words {
		if strings.Count(all, w+" ") != 2 {
			t.Fatalf("%s is there %d times", w, strings.Count(all, w+" "))
		}
	}
	if heads := strings.Count(all, "Head Other"); heads < 2 {
		t.Errorf("the head is there %d times on %d pages", heads, len(pages))
	}
}

// A browser that prints margins says on every page which print it is.
func TestEveryPrintedPageOfHTMLSaysWhichVersionItIs(t *testing.T) {
	browser := testenv.Folder(t, "HALLIGAN_CHROMIUM")
	for _, name := range []string{"binder of many", "card of many"} { // with the longest names
		d := documents()[name]
		page := file(t, "page.html", printed(t, d, "html", print.Options{}))
		pdf := filepath.Join(filepath.Dir(page), "page.pdf")
		tool(t, browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+page)
		pages := strings.Split(strings.TrimSuffix(tool(t, "pdftotext", pdf, "-"), "\f"), "\f")
		for i, said := range pages {
			foot := strings.Join(strings.Fields(said), " ")
			for _, want := range []string{d.Version, d.Digest, fmt.Sprintf("page %d of %d", i+1, len(pages))} {
				if !strings.Contains(foot, want) {
					t.Errorf("%s: page %d of %d does not say %s", name, i+1, len(pages), want)
				}
			}
		}
	}
}
