package seal

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Words for typing are proquints (D. Wilkerson, arXiv 0901.4016): five letters for
// sixteen bits, a consonant and a vowel in turn. A row is up to three of them and a
// fourth that is the CRC-16 (polynomial 0x1021, begun with 0xFFFF) of the number of
// the row, from 1, and its bytes. Where the last byte of all is there only to fill
// a word, the number of its row is taken with 128 added.

const (
	consonants = "bdfghjklmnprstvz"
	vowels     = "aiou"
	rowBytes   = 6
	rowsMost   = 127
	filled     = 0x80
)

// Words writes bytes as rows of words. It takes at most 762 bytes.
func Words(data []byte) ([]string, error) {
	if len(data) == 0 || len(data) > rowsMost*rowBytes {
		return nil, fmt.Errorf("write %d bytes as words: 1 to %d can be written", len(data), rowsMost*rowBytes)
	}
	var rows []string
	for number := byte(1); len(data) > 0; number++ {
		row := append(make([]byte, 0, rowBytes+1), data[:min(rowBytes, len(data))]...)
		data = data[len(row):]
		mark := number
		if len(row)%2 == 1 {
			row, mark = append(row, 0), mark|filled
		}
		sum := crc16(mark, row)
		var words []string
		for i := 0; i < len(row); i += 2 {
			words = append(words, proquint(binary.BigEndian.Uint16(row[i:])))
		}
		rows = append(rows, strings.Join(append(words, proquint(sum)), " "))
		clear(row)
	}
	return rows, nil
}

func crc16(mark byte, row []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, b := range append([]byte{mark}, row...) {
		sum ^= uint16(b) << 8
		for range 8 {
			sum = sum<<1 ^ 0x1021&-(sum>>15)
		}
	}
	return sum
}

func proquint(v uint16) string {
	return string([]byte{consonants[v>>12], vowels[v>>10&3], consonants[v>>6&15], vowels[v>>4&3], consonants[v&15]})
}

// lettersAt are the letters that may stand at a place of a word.
func lettersAt(place int) string {
	if place%2 == 1 {
		return vowels
	}
	return consonants
}

func unproquint(word string) (v uint16, bad int) {
	for i := range 5 {
		at := strings.IndexByte(lettersAt(i), word[i])
		if at < 0 {
			return 0, i + 1
		}
		v = v<<(4-2*(i%2)) | uint16(at)
	}
	return v, 0
}

// A TypedError names the row in which something is mistyped, and as far as it can be
// known the word and the letter. All are counted from 1; 0 is not known.
type TypedError struct {
	Row, Word, Letter int
	What              string
	// Instead is the letter that makes the row right, where there is exactly one way.
	Instead string
}

func (e *TypedError) Error() string {
	where := fmt.Sprintf("row %d", e.Row)
	if e.Word > 0 {
		where += fmt.Sprintf(", word %d", e.Word)
	}
	if e.Letter > 0 {
		where += fmt.Sprintf(", letter %d", e.Letter)
	}
	if e.Instead != "" {
		return fmt.Sprintf("%s: %s; %s fits", where, e.What, e.Instead)
	}
	return where + ": " + e.What
}

// Is reports whether the target is ReasonTyped.
func (e *TypedError) Is(target error) bool { return target == ReasonTyped }

// Hint says what to do next.
func (e *TypedError) Hint() string { return hints[ReasonTyped] }

// ParseWords reads rows of words back. A row is a line; without line breaks four
// words are one. Capitals and the number of a row before it make no difference.
func ParseWords(text string) ([]byte, error) {
	rows, err := wordRows(text)
	if err != nil {
		return nil, err
	}
	var out []byte
	for i, row := range rows {
		data, err := parseRow(byte(i+1), row, i == len(rows)-1)
		if err != nil {
			clear(out)
			return nil, err
		}
		out = append(out, data...)
	}
	return out, nil
}

// textMost bounds what is typed as words.
const textMost = 8 << 10

// CheckRow reports what is wrong with one row that was typed, counted from 1; of a
// share, or another text of full rows.
func CheckRow(number int, line string) error {
	rows, err := wordRows(line)
	if err != nil {
		return err
	}
	if len(rows) != 1 || number < 1 || number > rowsMost {
		return &TypedError{Row: number, What: "this is more than one row"}
	}
	_, err = parseRow(byte(number), rows[0], false)
	return err
}

// ShareRows is how many rows of words a share has.
const ShareRows = shareSize / rowBytes

func wordRows(text string) ([][]string, error) {
	if len(text) > textMost {
		return nil, refuse(ReasonNoShare, "%d letters are too many", len(text))
	}
	var rows [][]string
	for line := range strings.Lines(text) {
		words := strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return strings.ContainsRune(" \t\r\n-_,;", r) })
		if len(words) > 0 && strings.Trim(words[0], "0123456789.:)") == "" {
			words = words[1:]
		}
		if len(words) > 0 {
			rows = append(rows, words)
		}
	}
	if len(rows) == 1 {
		all := rows[0]
		rows = nil
		for len(all) > 0 {
			n := min(4, len(all))
			rows, all = append(rows, all[:n]), all[n:]
		}
	}
	if len(rows) == 0 || len(rows) > rowsMost {
		return nil, refuse(ReasonNoShare, "%d rows", len(rows))
	}
	return rows, nil
}

func parseRow(number byte, words []string, last bool) ([]byte, error) {
	row := int(number)
	if len(words) > 4 || len(words) < 2 || len(words) < 4 && !last {
		return nil, &TypedError{Row: row, What: fmt.Sprintf("%d words; a row has 4, and the last at least 2", len(words))}
	}
	for w, word := range words {
		if len(word) != 5 {
			return nil, &TypedError{Row: row, Word: w + 1, What: fmt.Sprintf("%d letters; a word has 5", len([]rune(word)))}
		}
	}
	for w, word := range words {
		if _, bad := unproquint(word); bad > 0 {
			e := &TypedError{Row: row, Word: w + 1, Letter: bad, What: fmt.Sprintf("no %q stands there; one of %s does", word[bad-1:bad], lettersAt(bad-1))}
			if fits := corrections(number, words, last); len(fits) == 1 && fits[0].Word == w+1 && fits[0].Letter == bad {
				e.Instead = fits[0].Instead
			}
			return nil, e
		}
	}
	if data, ok := rowData(number, words, last); ok {
		return data, nil
	}
	for other := byte(1); other <= rowsMost; other++ {
		if _, ok := rowData(other, words, true); ok && other != number {
			return nil, &TypedError{Row: row, What: fmt.Sprintf("this is row %d of the page", other)}
		}
	}
	e := &TypedError{Row: row, What: "something in it is mistyped"}
	if fits := corrections(number, words, last); len(fits) == 1 {
		fits[0].What = fmt.Sprintf("%q is mistyped", words[fits[0].Word-1][fits[0].Letter-1:][:1])
		return nil, &fits[0]
	}
	return nil, e
}

// rowData decodes a row whose check word is right.
func rowData(number byte, words []string, last bool) ([]byte, bool) {
	var data []byte
	for _, word := range words {
		v, bad := unproquint(word)
		if bad > 0 {
			return nil, false
		}
		data = binary.BigEndian.AppendUint16(data, v)
	}
	body := data[:len(data)-2]
	sum := binary.BigEndian.Uint16(data[len(body):])
	switch {
	case crc16(number, body) == sum:
		return body, true
	case last && body[len(body)-1] == 0 && crc16(number|filled, body) == sum:
		return body[:len(body)-1], true
	}
	return nil, false
}

// corrections are all changes of one letter that make a row right.
func corrections(number byte, words []string, last bool) (out []TypedError) {
	words = append([]string{}, words...)
	for w, word := range words {
		for i := range len(word) {
			for _, letter := range lettersAt(i) {
				words[w] = word[:i] + string(letter) + word[i+1:]
				if words[w] == word {
					continue
				}
				if _, ok := rowData(number, words, last); ok {
					out = append(out, TypedError{Row: int(number), Word: w + 1, Letter: i + 1, Instead: string(letter)})
				}
			}
		}
		words[w] = word
	}
	return out
}
