package print_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"halligan/internal/print"
)

func holdings() *print.Holdings {
	return &print.Holdings{Title: "Who holds what where",
		Accounts: []print.HoldingsAccount{
			{Name: "amber@quarrylane.example", Mark: "✓ takes two people", Ways: []print.HoldingsWay{
				{Name: "Amber key", Mark: "✓", Parts: []print.HoldingsPart{{Name: "key Amber", Holder: "Greg", Place: 0}, {Name: "the PIN", Holder: "Hana", Place: -1}, {Name: "or the PIN", Place: 1}}}}},
			{Name: "basalt@quarrylane.example", Mark: "? not known", Ways: []print.HoldingsWay{{Name: "Basalt key", Mark: "?", Parts: []print.HoldingsPart{{Name: "the PIN", Missing: true, Place: -1}}}, {Name: "without parts"}}}},
		Places: []print.HoldingsPlace{{Name: "Cabinet", Site: "Main office", People: []string{"Greg", "Sara"}}, {Name: "Vault", Site: "Depot", OffSite: true}, {Name: "Desk", Site: "main office", People: []string{"Ana"}}}}
}

// texts reads the picture as XML and returns what stands in it.
func texts(t *testing.T, svg string) (all []string, elements map[string]int) {
	t.Helper()
	elements = map[string]int{}
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all, elements
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			elements[x.Name.Local]++
		case xml.CharData:
			all = append(all, string(x))
		}
	}
}

// Everything that was given stands in the picture, and nothing hides behind a colour.
func TestPictureHoldsEverything(t *testing.T) {
	svg := holdings().SVG()
	all, elements := texts(t, svg)
	whole := strings.Join(all, "\n")
	for _, want := range []string{"amber", "@quarrylane.example", "✓ takes two people", "✓ Amber key", "key Amber", "held by Greg", "? no holder recorded", "? not recorded",
		"Cabinet", "Greg, Sara", "site Main office", "site Depot (off-site)", "? nobody recorded"} {
		if !strings.Contains(whole, want) {
			t.Errorf("%q is not in the picture", want)
		}
	}
	if strings.Count(whole, "site Main office") != 1 {
		t.Error("a site stands twice")
	}
	// One line for each way, each part and each place of a part.
	if got, want := elements["path"], 1+3+4+2; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	for _, colour := range []string{"#", "rgb", "red", "green"} {
		if strings.Contains(svg, colour) {
			t.Errorf("the picture has a colour: %s", colour)
		}
	}
	if !strings.Contains(svg, `stroke-dasharray="7 4"`) {
		t.Error("the lines of the second account look like those of the first")
	}
	if svg != holdings().SVG() {
		t.Error("two drawings of one picture differ")
	}
}

// Nothing reaches out of the frame, however much there is.
func TestPictureStaysInItsFrame(t *testing.T) {
	p := holdings()
	for i := range 30 {
		p.Places = append(p.Places, print.HoldingsPlace{Name: "Place " + strconv.Itoa(i), Site: "Site " + strconv.Itoa(i/3), People: []string{strings.Repeat("long name ", 30)}})
	}
	svg := p.SVG()
	frame := regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`).FindStringSubmatch(svg)
	wide, _ := strconv.Atoi(frame[1])
	high, _ := strconv.Atoi(frame[2])
	for _, m := range regexp.MustCompile(`<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"`).FindAllStringSubmatch(svg, -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[i+1])
		}
		if n[0]+n[2] > wide || n[1]+n[3] > high {
			t.Errorf("a box ends at %d, %d, outside of %d, %d", n[0]+n[2], n[1]+n[3], wide, high)
		}
	}
}

// Names come from a file that anybody may have written.
func FuzzPictureEscapes(f *testing.F) {
	for _, s := range []string{`"><script>alert(1)</script>`, "a&b", "\x00\x1b[31m\u202e", "]]>", "<title>", strings.Repeat("W", 3000), "\xff\xfe", "' onload='x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := holdings()
		_, want := texts(t, p.SVG())
		p.Title, p.Accounts[0].Name, p.Accounts[0].Mark, p.Accounts[0].Ways[0].Name = s, s, s, s
		p.Accounts[0].Ways[0].Parts[0].Name, p.Accounts[0].Ways[0].Parts[0].Holder = s, s
		p.Places[0].Name, p.Places[0].Site, p.Places[0].People = s, s, []string{s, s}
		svg := p.SVG()
		_, got := texts(t, svg)
		for name, n := range got {
			if want[name] == 0 && n > 0 {
				t.Errorf("an element %s came in", name)
			}
		}
		if strings.Contains(svg, "<script") || strings.ContainsRune(svg, '\u202e') {
			t.Error("the picture holds what was given as it was given")
		}
	})
}
