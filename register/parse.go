package register

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a halligan.yaml. The tenant with the most accounts, people and
// statements stays far below them; beyond them stands somebody who wants the
// program to stop.
const (
	bytesMost = 1 << 20
	depthMost = 16
	// keysMost bounds the keys of one mapping: the parser compares each with all
	// the others.
	keysMost = 100
)

// Parse decodes a halligan.yaml; file is its name in errors. The error is Errors
// and has everything that is wrong, by line. What YAML allows and a register
// does not need is refused: anchors, aliases, merge keys, tags, directives, a
// second document.
func Parse(file string, text []byte) (*Register, error) {
	r, _, errs := parse(file, text)
	if len(errs) > 0 {
		return nil, errs
	}
	return r, nil
}

func parse(file string, text []byte) (*Register, *decoder, Errors) {
	d := &decoder{file: file, shapes: shapes(), at: map[string]spot{}}
	r := &Register{}
	if source, ok := d.clean(text); ok {
		d.document(source, r)
	}
	return r, d, d.errs.sorted()
}

// spot is a place in the text.
type spot struct{ line, column int }

func spotOf(t *token.Token) spot {
	if t == nil || t.Position == nil {
		return spot{1, 1}
	}
	return spot{max(1, t.Position.Line), max(1, t.Position.Column)}
}

func (d *decoder) report(s spot, path, hint, format string, args ...any) {
	d.errs = append(d.errs, &Error{File: d.file, Line: s.line, Column: s.column, Path: path, What: fmt.Sprintf(format, args...), hint: hint})
}

const byteOrderMark = "\uFEFF"

// clean returns the text with Unix line ends and without a byte order mark, or
// reports why it is no text.
func (d *decoder) clean(text []byte) (string, bool) {
	if len(text) > bytesMost {
		d.report(spot{1, 1}, "", "a register of a tenant has some kilobytes: is this the right file?", "the file has %d bytes; at most %d are read", len(text), bytesMost)
		return "", false
	}
	source := strings.TrimPrefix(string(text), byteOrderMark)
	source = strings.ReplaceAll(source, "\r\n", "\n")
	at, inIndent := spot{1, 0}, true
	for i, r := range source {
		at.column++
		switch {
		case r == '\n':
			at, inIndent = spot{at.line + 1, 0}, true
			continue
		case r == utf8.RuneError && strings.HasPrefix(source[i:], "\uFFFD"):
			// really in the text
		case r == utf8.RuneError:
			d.report(at, "", "save the file as UTF-8", "this is no UTF-8")
			return "", false
		case r == '\t' && inIndent:
			d.report(at, "", "indent with spaces", "a tab in the indentation")
			return "", false
		case r < ' ' && r != '\t', r == 0x7F, r >= 0x80 && r < 0xA0, r == '\u2028', r == '\u2029', r == 0xFEFF:
			d.report(at, "", `remove it; inside double quotes it may be written "\u0007"`, "the control character U+%04X", r)
			return "", false
		}
		inIndent = inIndent && r == ' '
	}
	return source, true
}

func (d *decoder) document(source string, r *Register) {
	tokens := lexer.Tokenize(source)
	if !d.admit(tokens) {
		return
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntax(err)
		return
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		d.report(spot{1, 1}, "", "begin with version: 1; halligan init writes a whole one", "the file is empty")
		return
	}
	d.root(file.Docs[0].Body, r)
}

// refusedTokens are what YAML allows and a register does without.
var refusedTokens = map[token.Type]struct{ what, hint string }{
	token.AnchorType:      {"an anchor", "write the value out at each place"},
	token.AliasType:       {"an alias", "write the value out; put it in quotes if it begins with an asterisk"},
	token.MergeKeyType:    {"a merge key", "write the keys out"},
	token.TagType:         {"a tag", "remove it; put the value in quotes if it begins with an exclamation mark"},
	token.DirectiveType:   {"a directive", "remove the line; put the value in quotes if it begins with a percent sign"},
	token.DocumentEndType: {"an end of the document", "remove the line"},
	token.MappingKeyType:  {"a question mark before a key", "write key: value"},
}

// admit looks at the tokens before they become a tree, so that nothing in them
// can cost more than its length.
func (d *decoder) admit(tokens token.Tokens) bool {
	var nest nesting
	begun := false
	for _, t := range tokens {
		at := spotOf(t)
		if refusal, is := refusedTokens[t.Type]; is {
			d.report(at, "", refusal.hint, "%s is not allowed here", refusal.what)
		}
		switch t.Type {
		case token.InvalidType:
			d.syntaxAt(t, t.Error)
			return false
		case token.DocumentHeaderType:
			if begun {
				d.report(at, "", "one register to a file: remove everything from this line on", "a second document")
				return false
			}
		case token.CommentType:
			d.secretText(t, at)
			continue
		case token.StringType, token.SingleQuoteType, token.DoubleQuoteType:
			d.secretText(t, at)
		}
		begun = true
		switch nest.take(t) {
		case tooDeep:
			d.report(at, "", "the keys of a register are at most five levels deep; docs/config.md has them all", "more than %d levels", depthMost)
			return false
		case tooMany:
			d.report(spotOf(t.Prev), "", "are list elements written as keys? Begin each with a dash", "more than %d keys in one place", keysMost)
			return false
		}
		if len(d.errs) >= errorsMost {
			break
		}
	}
	return len(d.errs) == 0
}

func (d *decoder) secretText(t *token.Token, at spot) {
	if what := secretIn(t.Value); what != "" {
		// A block of text stands at the line of its end.
		if t.Prev != nil && (t.Prev.Type == token.LiteralType || t.Prev.Type == token.FoldedType) {
			at = spotOf(t.Prev)
		}
		d.report(at, "", noSecrets, "this looks like %s", what)
	}
}

// nesting follows how deep the tokens lead and how many keys one mapping has.
type nesting struct {
	flow   int
	blocks []block
}

type block struct{ column, keys int }

type verdict int

const (
	fine verdict = iota
	tooDeep
	tooMany
)

func (n *nesting) take(t *token.Token) verdict {
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.flow++
		n.blocks = append(n.blocks, block{column: 1 << 30})
	case token.SequenceEndType, token.MappingEndType:
		if n.flow > 0 {
			n.flow--
			n.blocks = n.blocks[:len(n.blocks)-1]
		}
	case token.MappingValueType, token.SequenceEntryType:
		column := t.Position.Column
		if t.Type == token.MappingValueType && t.Prev != nil && t.Prev.Position.Line == t.Position.Line {
			column = t.Prev.Position.Column // of the key
		}
		if n.flow == 0 {
			for len(n.blocks) > 0 && n.blocks[len(n.blocks)-1].column > column {
				n.blocks = n.blocks[:len(n.blocks)-1]
			}
			if len(n.blocks) == 0 || n.blocks[len(n.blocks)-1].column < column {
				n.blocks = append(n.blocks, block{column: column})
			}
		}
		if top := &n.blocks[len(n.blocks)-1]; t.Type == token.MappingValueType {
			if top.keys++; top.keys > keysMost {
				return tooMany
			}
		}
	}
	if len(n.blocks) > depthMost {
		return tooDeep
	}
	return fine
}

// syntax reports what the parser could not read.
func (d *decoder) syntax(err error) {
	if problem, is := errors.AsType[yaml.Error](err); is {
		d.syntaxAt(problem.GetToken(), problem.GetMessage())
		return
	}
	d.syntaxAt(nil, err.Error())
}

// syntaxHints turn what the parser says into what to do. The parser has no
// types for these; a text that is not here gets the last hint.
var syntaxHints = []struct{ part, hint string }{
	{"end character of", "close the quotes"},
	{"reserved character", "put the value in quotes"},
	{"end token ']'", "close the bracket"},
	{"end token '}'", "close the brace"},
	{"flow map", "close the brace; write {key: value}"},
	{"mapping value is not allowed", "one key to a line; put a value with a colon in quotes"},
	{"value is not allowed in this context", "indent the keys of one element equally, and put a value that begins with a quote wholly in quotes"},
	{"unexpected key name", "every line needs key: value"},
	{"header option", "after | or > stands at most + or - and a digit"},
}

func (d *decoder) syntaxAt(t *token.Token, message string) {
	hint := "the lines before it may be to blame: indent with two spaces, and put values with : or # in quotes"
	for _, h := range syntaxHints {
		if strings.Contains(message, h.part) {
			hint = h.hint
			break
		}
	}
	// Some messages end with what was written, which may be anything.
	message, _, _ = strings.Cut(message, `: "`)
	d.report(spotOf(t), "", hint, "this is no YAML: %s", strings.Trim(strconv.Quote(message), `"`))
}
