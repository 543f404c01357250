package print_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/go-fonts/dejavu/dejavusans"
	"github.com/go-fonts/dejavu/dejavusanscondensed"

	"halligan/internal/print"
)

func TestWhatIsNotSeenIsWrittenOut(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"a name":                          {"Elin Åström", "Elin Åström"},
		"an accent by itself joins":       {"A\u030a", "Å"},
		"a mark that turns the order":     {"abc\u202egnp.exe", "abc[U+202E]gnp.exe"},
		"an isolate":                      {"a\u2066b\u2069", "a[U+2066]b[U+2069]"},
		"a control":                       {"a\x07b\x1b[31m", "a[U+0007]b[U+001B][31m"},
		"a carriage return":               {"a\rb", "a[U+000D]b"},
		"a blank of no width":             {"a\u200bb\ufeff", "a[U+200B]b[U+FEFF]"},
		"joiners go":                      {"می\u200cخواهم", "میخواهم"},
		"a soft hyphen goes":              {"Donau\u00addampf", "Donaudampf"},
		"other blanks are blanks":         {"a\u00a0b\u2003c\td", "a b c d"},
		"a line break stays":              {"a\nb", "a\nb"},
		"what is no UTF-8":                {"a\xffb", "a\uFFFDb"},
		"a character that is nobody's":    {"a\U000e0041", "a[U+E0041]"},
		"a private character":             {"\ue000", "[U+E000]"},
		"the colour of an emoji is left":  {"\u2764\ufe0f", "\u2764"},
		"Chinese":                         {"李明华", "李明华"},
		"a letter of ten code points ago": {"Nguyễn", "Nguyễn"},
	} {
		if got := print.Visible(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The lines are those of UAX 9, in the order of drawing from left to right: a Hebrew
// word appears with its last letter first.
func TestLinesFromRightToLeft(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"Latin":                             {"Ana 1 (a)", "Ana 1 (a)"},
		"Hebrew":                            {"אבג", "גבא"},
		"two words":                         {"אבג דה", "הד גבא"},
		"within Latin":                      {"Safe אבג, Haifa", "Safe גבא, Haifa"},
		"Latin within it":                   {"אב Safe דה", "הד Safe בא"},
		"brackets":                          {"אב (גד)", "(דג) בא"},
		"a number after it, in its own":     {"אבג 12", "12 גבא"},
		"a number after it, within Latin":   {"Site אבג 12", "Site 12 גבא"},
		"a number and Latin after it":       {"Site אבג 12 east", "Site 12 גבא east"},
		"a telephone number after it":       {"Call אבג 030-1234", "Call 030-1234 גבא"},
		"a number between":                  {"a אב 12 גד b", "a דג 12 בא b"},
		"a number before it, within Latin":  {"No 12 אב", "No 12 בא"},
		"a point at the end, within Latin":  {"see אב.", "see בא."},
		"a point at the end, in its own":    {"אב.", ".בא"},
		"marks stay with their letters":     {"בְּא", "אבְּ"},
		"Arabic digits run left to right":   {"مم ٣٤", "٣٤ مم"},
		"nothing":                           {"", ""},
		"Latin first makes the line Latin":  {"a אב גד", "a דג בא"},
		"Hebrew first makes the line so":    {"אב a", "a בא"},
		"a bracket around Latin, in Hebrew": {"אב (x)", "(x) בא"},
	} {
		if got := print.Arrange(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The forms are those of the Unicode chart of Arabic Presentation Forms-B.
func TestArabicLettersJoin(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"Muhammad: initial, medial, medial, final": {"محمد", "\ufee3\ufea4\ufee4\ufeaa"},
		"a letter alone":              {"ب", "\ufe8f"},
		"alef joins nothing after it": {"اب", "\ufe8d\ufe8f"},
		"lam and alef are one":        {"لا", "\ufefb"},
		"lam and alef after a letter": {"بلا", "\ufe91\ufefc"},
		"a mark between letters":      {"بَب", "\ufe91\u064e\ufe90"},
		"words do not join":           {"ب ب", "\ufe8f \ufe8f"},
		"Persian peh":                 {"پپ", "\ufb58\ufb57"},
		"Latin is left":               {"abc", "abc"},
		"hamza joins nothing":         {"بءب", "\ufe8f\ufe80\ufe8f"},
	} {
		if got := print.Shape(c.in); got != c.want {
			t.Errorf("%s: got %+q, want %+q", name, got, c.want)
		}
	}
}

func TestLettersWithoutAPictureAreRefused(t *testing.T) {
	d := plain("ask 李明华 or 李四")
	_, err := d.WritePDF(new(bytes.Buffer), print.Options{})
	missing, is := errors.AsType[*print.GlyphError](err)
	if !is || missing.Letters != "李明华四" || !strings.Contains(missing.Hint(), "--font") {
		t.Errorf("got %v", err)
	}
	if _, err := d.WriteHTML(new(bytes.Buffer), print.Options{}); err != nil {
		t.Errorf("the browser has letters of its own: %v", err)
	}
	// The PDF has no place for letters beyond the first 65536, whatever the font.
	_, err = plain("𠀋").WritePDF(new(bytes.Buffer), print.Options{})
	if missing, is = errors.AsType[*print.GlyphError](err); !is || strings.Contains(missing.Hint(), "--font") {
		t.Errorf("got %v", err)
	}
	// The font has letters of N'Ko, which join; set one by one they are no words.
	_, err = plain("ߒߞߏ").WritePDF(new(bytes.Buffer), print.Options{Fonts: [][]byte{dejavusans.TTF}})
	if missing, is = errors.AsType[*print.GlyphError](err); !is || strings.Contains(missing.Hint(), "--font") {
		t.Errorf("got %v", err)
	}
	if _, err = plain("一二三四五六七八九十").WritePDF(new(bytes.Buffer), print.Options{}); err == nil || !strings.Contains(err.Error(), "nor 5 other") {
		t.Errorf("a long list is not cut short: %v", err)
	}
}

func TestSymbolsWithoutAPictureAreSpelled(t *testing.T) {
	spelled, err := plain("key 🔑 and 🔒, 🔑").WritePDF(new(bytes.Buffer), print.Options{})
	if err != nil || spelled != "🔑🔒" {
		t.Errorf("got %q, %v", spelled, err)
	}
}

// chinese is a font whose first Chinese letters look like hexagrams: those of DejaVu,
// moved from U+4DC0 to U+4E00.
func chinese(t testing.TB) []byte {
	t.Helper()
	const from, to, n = 0x4DC0, 0x4E00, 0x40
	font := bytes.Clone(dejavusans.TTF)
	moved := 0
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		row := font[12+16*i:]
		if string(row[:4]) != "cmap" {
			continue
		}
		cmap := font[binary.BigEndian.Uint32(row[8:]):]
		for j := range int(binary.BigEndian.Uint16(cmap[2:])) {
			table := cmap[binary.BigEndian.Uint32(cmap[4+8*j+4:]):]
			switch binary.BigEndian.Uint16(table) {
			case 4: // end codes, a gap of two bytes, start codes, deltas
				segments := int(binary.BigEndian.Uint16(table[6:])) / 2
				for s := range segments {
					end, start, delta := table[14+2*s:], table[16+2*(segments+s):], table[16+2*(2*segments+s):]
					if binary.BigEndian.Uint16(start) == from && binary.BigEndian.Uint16(end) == from+n-1 {
						binary.BigEndian.PutUint16(start, to)
						binary.BigEndian.PutUint16(end, to+n-1)
						binary.BigEndian.PutUint16(delta, binary.BigEndian.Uint16(delta)-(to-from))
						moved |= 1
					}
				}
			case 12: // groups of start, end and first glyph
				for g := range int(binary.BigEndian.Uint32(table[12:])) {
					if group := table[16+12*g:]; binary.BigEndian.Uint32(group) == from {
						binary.BigEndian.PutUint32(group, to)
						binary.BigEndian.PutUint32(group[4:], to+n-1)
						moved |= 2
					}
				}
			}
		}
	}
	if moved == 0 {
		t.Fatal("the font has no such table")
	}
	return font
}

// collection is a font within a .ttc of one.
func collection(font []byte) []byte {
	const head = 16
	out := append([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10"), font...)
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		at := head + 12 + 16*i + 8
		binary.BigEndian.PutUint32(out[at:], binary.BigEndian.Uint32(out[at:])+head)
	}
	return out
}

func TestAFontThatIsGivenHelps(t *testing.T) {
	d := plain("一丁 asks") // U+4E00, U+4E01
	if _, err := d.WritePDF(new(bytes.Buffer), print.Options{}); err == nil {
		t.Error("the built-in fonts have the letters")
	}
	for name, font := range map[string][]byte{"font": chinese(t), "collection": collection(chinese(t))} {
		spelled, err := d.WritePDF(new(bytes.Buffer), print.Options{Fonts: [][]byte{dejavusanscondensed.TTF, font}})
		if err != nil || spelled != "" {
			t.Errorf("%s: %q, %v", name, spelled, err)
		}
	}
}

func TestWhatIsNoFontIsRefused(t *testing.T) {
	cut := bytes.Clone(dejavusans.TTF[:4000])
	otto := append([]byte("OTTO"), dejavusans.TTF[4:]...)
	far := collection(dejavusans.TTF)
	binary.BigEndian.PutUint32(far[12:], 1<<31)
	for name, font := range map[string][]byte{"nothing": {}, "text": []byte("this is no font at all, but text"), "cut short": cut, "PostScript outlines": otto,
		"a collection of nothing": []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x00"), "a collection whose font is elsewhere": far, "web font": []byte("wOF2aaaaaaaaaaaaaaaaaaaaaaaaaaaa")} {
		_, err := plain("x").WritePDF(new(bytes.Buffer), print.Options{Fonts: [][]byte{font}})
		if bad, is := errors.AsType[*print.FontError](err); !is || bad.Hint() == "" {
			t.Errorf("%s: got %v", name, err)
		}
		_, _ = print.Single(font) // does not rely on being caught
	}
}

// A font comes from anywhere: what is taken out of a collection lies within it.
func FuzzCollection(f *testing.F) {
	small := bytes.Clone(dejavusans.TTF[:2000])
	f.Add(small)
	f.Add(collection(small))
	f.Add(collection(dejavusans.TTF)[:4000])
	f.Fuzz(func(t *testing.T, font []byte) {
		one, err := print.Single(font)
		if err == nil && !bytes.HasPrefix(font, []byte("ttcf")) && !bytes.Equal(one, font) {
			t.Error("a font by itself is changed")
		}
		if len(one) > 3*len(font)+1024 {
			t.Errorf("%d bytes are made of %d", len(one), len(font))
		}
	})
}
