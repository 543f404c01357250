package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"halligan/entra"
)

// short holds the escapes of two characters; all others are a \u and four hexadecimal digits.
var short = [utf8.RuneSelf]byte{'"': '"', '\\': '\\', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

const hexDigits = "0123456789abcdef"

// quote appends text as a JSON string of printable ASCII. No control, invisible
// or right-to-left character ever stands raw in the log, so that a terminal, an
// editor and a mail show the same.
func quote(b []byte, text string) []byte {
	b = append(b, '"')
	for i := 0; i < len(text); {
		c := text[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(text[i:]) // U+FFFD for what is no UTF-8
			i += size
			if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
				b = escape(escape(b, high), low)
			} else {
				b = escape(b, r)
			}
			continue
		}
		i++
		switch {
		case short[c] != 0:
			b = append(b, '\\', short[c])
		case c < 0x20 || c == 0x7F:
			b = escape(b, rune(c))
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func escape(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// asciiJSON returns a JSON object in the form of entra.Canonical, with its
// strings written as quote does. A key that stands twice is refused.
func asciiJSON(data []byte) ([]byte, error) {
	if len(data) > MaxLine {
		return nil, fmt.Errorf("%d bytes, more than %d", len(data), MaxLine)
	}
	if !jsontext.Value(data).IsValid() {
		return nil, errors.New("not JSON, or a key stands twice")
	}
	canonical, err := entra.Canonical(data)
	if err != nil {
		return nil, err
	}
	if len(canonical) == 0 || canonical[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	out := make([]byte, 0, len(canonical)+16)
	for rest := []byte(canonical); len(rest) > 0; {
		start := bytes.IndexByte(rest, '"')
		if start < 0 {
			return append(out, rest...), nil
		}
		end := start + 1
		for rest[end] != '"' { // the text is valid: every string ends
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		text, err := jsontext.AppendUnquote(nil, rest[start:end+1])
		if err != nil {
			return nil, err
		}
		out = quote(append(out, rest[:start]...), string(text))
		rest = rest[end+1:]
	}
	return out, nil
}
