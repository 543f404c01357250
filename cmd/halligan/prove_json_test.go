package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"
)

// JSON that a person sees must not turn the reading direction or move the
// cursor, and a machine must read the same value.
func TestJSONShowsWhatCannotBeSeen(t *testing.T) {
	for name, text := range map[string]string{
		"a control of the terminal": "a\u009b31mb",
		"a turned direction":        "\u202eevil\u202c \u2066x\u2069",
		"zero-width characters":     "pass\u200bword\ufeff\u200d",
		"tags beyond 16 bits":       "flag\U000e0041\U000e007f",
		"delete":                    "a\x7fb",
		"a replacement character":   "a\ufffdb",
		"letters of every script":   "é ж 漢 عربى 🛟",
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := indented(&b, map[string]string{"v": text}); err != nil {
				t.Fatal(err)
			}
			for _, r := range b.String() {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("got %U raw in %q", r, b.String())
				}
			}
			var back map[string]string
			if err := json.Unmarshal(b.Bytes(), &back); err != nil || back["v"] != text {
				t.Errorf("got %q back (%v), want %q", back["v"], err, text)
			}
		})
	}
}
