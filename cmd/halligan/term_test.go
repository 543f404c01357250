package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestEscape(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"plain":                             {"CA012 Require compliant device", "CA012 Require compliant device"},
		"a domain account":                  {`CORP\ana`, `CORP\ana`},
		"scripts of the world":              {"Æon Ünïcode 策略 سياسة политика", "Æon Ünïcode 策略 سياسة политика"},
		"spaces of the world":               {"a\u00a0b\u3000c", "a\u00a0b\u3000c"},
		"an emoji of several people":        {"👩\u200d🚒", "👩\u200d🚒"},
		"the Persian joiner":                {"علی\u200cرضا", "علی\u200cرضا"},
		"a joiner that makes names differ":  {"ad\u200dmin", `ad\u{200d}min`},
		"a second joiner":                   {"👩\u200d\u200d🚒", "👩\u200d\\u{200d}🚒"},
		"a joiner after a broken byte":      {"\xa9\u200d0", `\x{a9}\u{200d}0`},
		"a zero-width space":                {"ad\u200bmin", `ad\u{200b}min`},
		"clear the screen":                  {"\x1b[2J", `\u{001b}[2J`},
		"write the clipboard":               {"\x1b]52;c;cm0=\x07", `\u{001b}]52;c;cm0=\u{0007}`},
		"a C1 control sequence":             {"\u009b31m", `\u{009b}31m`},
		"a second finding":                  {"x\nPROVED", `x\u{000a}PROVED`},
		"the overwritten line":              {"LOCKOUT\rPROVED ", `LOCKOUT\u{000d}PROVED `},
		"backspaces":                        {"a\bb\x7f", `a\u{0008}b\u{007f}`},
		"a tab":                             {"a\tb", `a\u{0009}b`},
		"turned reading direction":          {"\u202enimda", `\u{202e}nimda`},
		"an isolate":                        {"\u2066a\u2069", `\u{2066}a\u{2069}`},
		"direction marks":                   {"a\u200e\u200f\u061cb", `a\u{200e}\u{200f}\u{061c}b`},
		"line and paragraph separators":     {"a\u2028b\u2029", `a\u{2028}b\u{2029}`},
		"invisible tags":                    {"a\U000e0041", `a\u{e0041}`},
		"a byte order mark":                 {"\ufeffa", `\u{feff}a`},
		"private letters":                   {"\ue000", `\u{e000}`},
		"broken UTF-8":                      {"a\xffb\xc3", `a\x{ff}b\x{c3}`},
		"a replacement character as such":   {"a\ufffdb", "a\ufffdb"},
		"a control hidden in broken UTF-8":  {"\xc2\x1b[2J", `\x{c2}\u{001b}[2J`},
		"a long encoding of a control byte": {"\xc0\x9b", `\x{c0}\x{9b}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := escape(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"", "CA012", "\x1b[2J", "a\u202eb", "a\xffb", "ad\u200dmin", "👩\u200d🚒", "\xc2\x1b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := escape(text)
		if !utf8.ValidString(got) {
			t.Fatalf("escape(%q): got %q, which is not UTF-8", text, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
				t.Fatalf("escape(%q): got %q, which holds %U", text, got, r)
			}
		}
		if again := escape(got); again != got {
			t.Fatalf("escape(%q): got %q, and escaped again %q", text, got, again)
		}
	})
}

func TestWrap(t *testing.T) {
	for name, tt := range map[string]struct {
		text    string
		columns int
		indent  string
		want    string
	}{
		"fits":                     {"a b c", 5, "", "a b c"},
		"breaks at a space":        {"aa bb cc", 5, "", "aa bb\ncc"},
		"indents further lines":    {"aa bb cc", 5, "  ", "aa bb\n  cc"},
		"the indent counts":        {"aaaa b cc", 4, "  ", "aaaa\n  b\n  cc"},
		"a word that is too long":  {"a bbbbbbbb c", 4, "", "a\nbbbbbbbb\nc"},
		"counts letters not bytes": {"ää öö üü", 5, "", "ää öö\nüü"},
		"nothing":                  {"", 5, "  ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrap(tt.text, tt.columns, tt.indent); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWidthWithoutTerminal(t *testing.T) {
	for columns, want := range map[string]int{"": 80, "120": 120, "3": minWidth, "-1": 80, "wide": 80} {
		getenv := func(name string) string {
			if name == "COLUMNS" {
				return columns
			}
			return ""
		}
		if got := width(new(bytes.Buffer), getenv); got != want {
			t.Errorf("COLUMNS=%s: got %d, want %d", columns, got, want)
		}
	}
}

func TestNoColourWithoutTerminal(t *testing.T) {
	c := testConsole()
	for _, s := range []style{bold, red, green, yellow} {
		if got := c.paintOn(c.stdout).in(s, "text"); got != "text" {
			t.Errorf("style %d: got %q, want no escape sequence in a file or pipe", s, got)
		}
		if got := paint(true).in(s, "text"); !strings.HasPrefix(got, "\x1b[") || !strings.HasSuffix(got, "text\x1b[0m") {
			t.Errorf("style %d: got %q, want the text in one style", s, got)
		}
	}
}
