package posture

import (
	"strings"
	"unicode"
)

// workflowRule reads the filter by which lifecycle workflows pick users, such as
//
//	(department eq 'Sales' or startsWith(jobTitle, 'Agent')) and not (country eq null)
//
// What it does not understand, and what of the user was not read, is maybe.
type workflowRule struct {
	tokens []string
	at     int
	bad    bool
	c      *Case
}

// ruleDepth bounds the nesting of a rule.
const ruleDepth = 50

// matchesRule reports whether the account is one of those that a rule picks.
func (c *Case) matchesRule(text string) answer {
	r := &workflowRule{tokens: ruleTokens(text), c: c}
	out := r.or(0)
	if r.bad || r.at != len(r.tokens) || len(r.tokens) == 0 {
		return maybe
	}
	return out
}

// ruleTokens splits a rule; a text keeps its first quote.
func ruleTokens(text string) []string {
	var out []string
	for i := 0; i < len(text); {
		switch ch := text[i]; {
		case unicode.IsSpace(rune(ch)):
			i++
		case strings.ContainsRune("(),", rune(ch)):
			out = append(out, text[i:i+1])
			i++
		case ch == '\'':
			j := i + 1
			var b strings.Builder
			for ; j < len(text); j++ {
				if text[j] == '\'' {
					if j+1 < len(text) && text[j+1] == '\'' {
						j++ // a doubled quote is one
					} else {
						break
					}
				}
				b.WriteByte(text[j])
			}
			out = append(out, "'"+b.String())
			i = j + 1
		default:
			j := i
			for j < len(text) && !unicode.IsSpace(rune(text[j])) && !strings.ContainsRune("(),'", rune(text[j])) {
				j++
			}
			out = append(out, text[i:j])
			i = j
		}
	}
	return out
}

func (r *workflowRule) peek() string {
	if r.at < len(r.tokens) {
		return r.tokens[r.at]
	}
	return ""
}

func (r *workflowRule) next() string {
	t := r.peek()
	r.at++
	return t
}

// took reads a word when it is the next one.
func (r *workflowRule) took(word string) bool {
	if !strings.EqualFold(r.peek(), word) {
		return false
	}
	r.at++
	return true
}

func (r *workflowRule) or(depth int) answer {
	out := r.and(depth)
	for r.took("or") {
		out = either(out, r.and(depth))
	}
	return out
}

func (r *workflowRule) and(depth int) answer {
	out := r.not(depth)
	for r.took("and") {
		out = both(out, r.not(depth))
	}
	return out
}

func (r *workflowRule) not(depth int) answer {
	if depth > ruleDepth {
		r.bad = true
		return maybe
	}
	if r.took("not") {
		switch r.not(depth + 1) {
		case yes:
			return no
		case no:
			return yes
		}
		return maybe
	}
	if r.took("(") {
		out := r.or(depth + 1)
		r.bad = r.bad || !r.took(")")
		return out
	}
	return r.comparison()
}

// comparison reads property eq 'value', or function(property, 'value').
func (r *workflowRule) comparison() answer {
	property := r.next()
	if r.took("(") {
		function := strings.ToLower(property)
		property = r.next()
		r.bad = r.bad || !r.took(",")
		value, ok := strings.CutPrefix(r.next(), "'")
		r.bad = r.bad || !ok || !r.took(")")
		has, known := r.c.UserFields().Text(strings.ReplaceAll(property, "/", "."))
		test := map[string]func(string, string) bool{"startswith": strings.HasPrefix, "endswith": strings.HasSuffix, "contains": strings.Contains}[function]
		if !known || test == nil {
			return maybe
		}
		return cased(test(has, value), test(strings.ToLower(has), strings.ToLower(value)))
	}
	operator, value := strings.ToLower(r.next()), r.next()
	if value == "" || operator != "eq" && operator != "ne" {
		r.bad = true
		return maybe
	}
	same := r.equals(strings.ReplaceAll(property, "/", "."), value)
	if operator == "ne" && same != maybe {
		return truth(same == no)
	}
	return same
}

func (r *workflowRule) equals(property, value string) answer {
	f := r.c.UserFields()
	if text, isText := strings.CutPrefix(value, "'"); isText {
		has, known := f.Text(property)
		if !known {
			return maybe
		}
		// A property that is null equals no text, not even an empty one.
		return cased(!f.Null(property) && has == text, !f.Null(property) && strings.EqualFold(has, text))
	}
	switch strings.ToLower(value) {
	case "null":
		if !f.Known(property) {
			return maybe
		}
		return truth(f.Null(property))
	case "true", "false":
		is, known := f.Flag(property)
		if !known {
			return maybe
		}
		return truth(is == strings.EqualFold(value, "true"))
	}
	r.bad = true
	return maybe
}

// cased is the answer of a comparison of texts. Microsoft's page has the rule be
// case-sensitive (entra-docs lifecycle-workflow-execution-conditions); Graph's own
// filters are not, so what differs by case only is not known.
func cased(exact, folded bool) answer {
	if folded && !exact {
		return maybe
	}
	return truth(exact)
}

func truth(b bool) answer {
	if b {
		return yes
	}
	return no
}
