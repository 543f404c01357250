package entra

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// node is one JSON value with its place in the text. encoding/json would lose
// what a prover needs: the position, a key given twice, the spelling of a
// number.
type node struct {
	kind  jsontext.Kind // 'n' 't' 'f' '"' '0' '[' '{'
	off   int           // byte offset of the first byte in the document's text
	text  string        // of a string or number
	items []node        // of an array
	pairs []pair        // of an object, in the order of the text, repeated keys kept
}

// pair is one member of an object.
type pair struct {
	key string
	off int
	val node
}

// document is one text of JSON values and what was noticed about it.
type document struct {
	file   string
	text   []byte // UTF-8
	lines  []int  // offsets of line starts, made when first asked for
	values []node
	arena  []byte // holds the canonical JSON of the objects that were read
}

// errDepth is the error of a value nested deeper than the limit.
var errDepth = errors.New("nested too deeply")

// SyntaxError says where a text stops being JSON.
type SyntaxError struct {
	File         string
	Line, Column int // 1-based, the column in bytes of UTF-8
	Err          error
}

func (e *SyntaxError) Error() string {
	where := fmt.Sprintf("line %d, column %d: not valid JSON: %v", e.Line, e.Column, e.Err)
	if e.File != "" {
		where = e.File + ": " + where
	}
	return where
}

// Unwrap returns the reason without the place.
func (e *SyntaxError) Unwrap() error { return e.Err }

// parse reads all JSON values of the text, one after another. On an error it
// keeps the values that were complete.
func parse(file string, text []byte, maxDepth int) (*document, *SyntaxError) {
	d := &document{file: file, text: text}
	p := parser{
		dec: jsontext.NewDecoder(bytes.NewBuffer(text),
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		text: string(text), max: maxDepth, names: map[string]string{},
	}
	for {
		off := p.next()
		tok, err := p.dec.ReadToken()
		if err == io.EOF {
			return d, nil
		}
		var n node
		if err == nil {
			n, err = p.value(tok, off)
		}
		if err != nil {
			return d, d.syntaxError(err, p.dec.InputOffset())
		}
		d.values = append(d.values, n)
	}
}

func (d *document) syntaxError(err error, off int64) *SyntaxError {
	reason := err
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		off, reason = at.ByteOffset, at.Err
	}
	if reason == errDepth {
		off-- // the bracket has been read
	}
	if reason == io.ErrUnexpectedEOF || reason == io.EOF {
		reason = errors.New("the text ends too early")
	}
	if rest := bytes.TrimLeft(d.text[min(int(off), len(d.text)):], ", \t\r\n"); int(off) < len(d.text) && d.text[off] == ',' &&
		len(rest) > 0 && (rest[0] == ']' || rest[0] == '}') {
		reason = fmt.Errorf("a comma before %q", rest[0])
	}
	line, column := d.position(int(off))
	return &SyntaxError{File: d.file, Line: line, Column: column, Err: reason}
}

// position turns an offset into a line and a column, both from 1.
func (d *document) position(off int) (line, column int) {
	if d.lines == nil {
		d.lines = make([]int, 1, 1+bytes.Count(d.text, []byte{'\n'}))
		for i, c := range d.text {
			if c == '\n' {
				d.lines = append(d.lines, i+1)
			}
		}
	}
	off = min(max(off, 0), len(d.text))
	line = sort.SearchInts(d.lines, off+1)
	return line, off - d.lines[line-1] + 1
}

func (d *document) line(off int) int {
	line, _ := d.position(off)
	return line
}

// canonical returns the canonical JSON of a value of the document.
func (d *document) canonical(v *node) json.RawMessage {
	if d.arena == nil {
		d.arena = make([]byte, 0, len(d.text))
	}
	start := len(d.arena)
	d.arena = v.canonical(d.arena)
	return slices.Clip(d.arena[start:])
}

type parser struct {
	dec   *jsontext.Decoder
	text  string // strings of the values are parts of it, not copies
	max   int
	names map[string]string // keys repeat; one copy of each is enough
	pairs []pair            // stacks for what is being built
	items []node
}

// next returns the offset of the next token, past white space and separators.
func (p *parser) next() int {
	i := int(p.dec.InputOffset())
	for i < len(p.text) {
		switch p.text[i] {
		case ' ', '\t', '\r', '\n', ',', ':':
			i++
		default:
			return i
		}
	}
	return i
}

func (p *parser) value(tok jsontext.Token, off int) (node, error) {
	n := node{kind: tok.Kind(), off: off}
	switch n.kind {
	case '"':
		n.text = p.unquote(tok, off)
	case '0':
		n.text = p.text[off:p.dec.InputOffset()]
	case '[':
		if p.dec.StackDepth() > p.max {
			return n, errDepth
		}
		return p.array(n)
	case '{':
		if p.dec.StackDepth() > p.max {
			return n, errDepth
		}
		return p.object(n)
	}
	return n, nil
}

func (p *parser) array(n node) (node, error) {
	base := len(p.items)
	for {
		off := p.next()
		tok, err := p.dec.ReadToken()
		if err != nil {
			return n, err
		}
		if tok.Kind() == ']' {
			n.items = slices.Clone(p.items[base:])
			p.items = p.items[:base]
			return n, nil
		}
		v, err := p.value(tok, off)
		if err != nil {
			return n, err
		}
		p.items = append(p.items, v)
	}
}

func (p *parser) object(n node) (node, error) {
	base := len(p.pairs)
	for {
		at := p.next()
		tok, err := p.dec.ReadToken()
		if err != nil {
			return n, err
		}
		if tok.Kind() == '}' {
			n.pairs = slices.Clone(p.pairs[base:])
			p.pairs = p.pairs[:base]
			return n, nil
		}
		key := p.name(tok, at)
		off := p.next()
		if tok, err = p.dec.ReadToken(); err != nil {
			return n, err
		}
		v, err := p.value(tok, off)
		if err != nil {
			return n, err
		}
		p.pairs = append(p.pairs, pair{key, at, v})
	}
}

func (p *parser) name(tok jsontext.Token, off int) string {
	raw := p.text[off:p.dec.InputOffset()]
	if name, ok := p.names[raw]; ok {
		return name
	}
	name := tok.String()
	p.names[raw] = name
	return name
}

// unquote returns the text of a string; nearly all of them need no unquoting.
func (p *parser) unquote(tok jsontext.Token, off int) string {
	raw := p.text[off+1 : p.dec.InputOffset()-1]
	for i := range len(raw) {
		if c := raw[i]; c == '\\' || c >= utf8.RuneSelf {
			return tok.String()
		}
	}
	return raw
}

// annotation reports whether a key is written by OData or by a portal about
// another key. It says nothing about the policy. A binding (x@odata.bind) does
// and is not one.
func annotation(key string) bool {
	if key == "" {
		return false
	}
	if key[0] == '#' {
		return true
	}
	at := strings.IndexByte(key, '@')
	return at >= 0 && !strings.HasSuffix(strings.ToLower(key), "@odata.bind")
}

// unset reports whether a value says nothing: null, empty, or made of nothing
// but such values. PowerShell writes an absent object as one whose members are
// all null.
func (n *node) unset() bool {
	switch n.kind {
	case 'n':
		return true
	case '"':
		return n.text == ""
	case '[':
		for i := range n.items {
			if !n.items[i].unset() {
				return false
			}
		}
		return true
	case '{':
		for i := range n.pairs {
			if !annotation(n.pairs[i].key) && !n.pairs[i].val.unset() {
				return false
			}
		}
		return true
	}
	return false
}

// get returns the value of the key without regard to case, or nil. Of a key
// given twice it returns the last, as JSON readers do.
func (n *node) get(key string) *node {
	if n == nil || n.kind != '{' {
		return nil
	}
	for i := len(n.pairs) - 1; i >= 0; i-- {
		if k := n.pairs[i].key; len(k) == len(key) && strings.EqualFold(k, key) {
			return &n.pairs[i].val
		}
	}
	return nil
}

// str returns the text of a string member, or "".
func (n *node) str(key string) string {
	if v := n.get(key); v != nil && v.kind == '"' {
		return v.text
	}
	return ""
}

// canonical appends the value in its one canonical form: UTF-8, no white space,
// keys in bytewise order (a key given twice stays twice, in its order), numbers
// as spelled, strings with the fewest escapes.
func (n *node) canonical(b []byte) []byte {
	switch n.kind {
	case 'n':
		return append(b, "null"...)
	case 't':
		return append(b, "true"...)
	case 'f':
		return append(b, "false"...)
	case '0', kindRaw:
		return append(b, n.text...)
	case '"':
		return quote(b, n.text)
	case '[':
		b = append(b, '[')
		for i := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = n.items[i].canonical(b)
		}
		return append(b, ']')
	}
	order := n.pairs
	if !slices.IsSortedFunc(order, comparePairs) {
		order = slices.Clone(order)
		slices.SortStableFunc(order, comparePairs)
	}
	b = append(b, '{')
	for i := range order {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(quote(b, order[i].key), ':')
		b = order[i].val.canonical(b)
	}
	return append(b, '}')
}

func comparePairs(a, b pair) int { return strings.Compare(a.key, b.key) }

// quote appends the string as JSON. Bytes that are no UTF-8 become U+FFFD.
func quote(b []byte, s string) []byte {
	simple := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			simple = false
			break
		}
	}
	if simple {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, err := jsontext.AppendQuote(b, s)
	if err != nil { // only for invalid UTF-8
		quoted, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return quoted
}

// number returns an integer, also one that was written as a string.
func (n *node) number() (int, bool) {
	if n.kind != '0' && n.kind != '"' {
		return 0, false
	}
	v, err := strconv.Atoi(strings.TrimSpace(n.text))
	return v, err == nil
}
