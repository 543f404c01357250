package app

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"halligan/custody"
	"halligan/register"
)

// custodyDiff is what two custody parts of a register have otherwise.
type custodyDiff struct {
	parts    []partDiff
	places   []placeDiff
	accounts []accountDiff
	first    bool // nothing was recorded before
}

// partDiff and placeDiff are one that came (was is nil), went (is is nil) or changed.
type partDiff struct {
	name    string
	was, is *register.Part
}

type placeDiff struct {
	name    string
	was, is *register.Place
}

// custodyBetween compares two texts as register.Custody wrote them; before is nil
// where nothing was recorded.
func custodyBetween(before, after []byte) (*custodyDiff, error) {
	old, d := &register.Register{}, &custodyDiff{first: before == nil}
	if before != nil {
		var err error
		if old, err = register.FromCustody(before); err != nil {
			return nil, err
		}
	}
	now, err := register.FromCustody(after)
	if err != nil {
		return nil, err
	}
	find := func(r *register.Register, name string) *register.Part {
		if i := slices.IndexFunc(r.Parts, func(p register.Part) bool { return p.Name == name }); i >= 0 {
			return &r.Parts[i]
		}
		return nil
	}
	for i := range now.Places {
		p := &now.Places[i]
		if was := old.Place(p.Name); was == nil || !reflect.DeepEqual(was, p) {
			d.places = append(d.places, placeDiff{p.Name, was, p})
		}
	}
	for i := range now.Parts {
		p := &now.Parts[i]
		if was := find(old, p.Name); was == nil || *was != *p {
			d.parts = append(d.parts, partDiff{p.Name, was, p})
		}
	}
	for i := range old.Parts {
		if p := &old.Parts[i]; find(now, p.Name) == nil {
			d.parts = append(d.parts, partDiff{p.Name, p, nil})
		}
	}
	for i := range old.Places {
		if p := &old.Places[i]; now.Place(p.Name) == nil {
			d.places = append(d.places, placeDiff{p.Name, p, nil})
		}
	}
	d.accounts = accountsBetween(old, now)
	return d, nil
}

// columns are what is told of a part or a place, in this order.
type column struct{ name, value string }

func partColumns(p *register.Part) []column {
	return []column{{"kind", string(p.Kind)}, {"key", p.Key}, {"account", string(p.Account)}, {"opens", p.Opens}, {"needed", number(p.Needed)}, {"set", p.Set}, {"holder", p.Holder}, {"place", p.Place}, {"seal", p.Seal}, {"since", string(p.Since)}}
}

func placeColumns(p *register.Place) []column {
	yes := map[bool]string{true: "yes"}
	return []column{{"kind", p.Kind}, {"site", p.Site}, {"fireproof", yes[p.Fireproof]}, {"off-site", yes[p.OffSite]}, {"opened by", listed(p.Access)}, {"combination changed", string(p.CombinationChanged)},
		{"put", quoted(p.Put)}, {"get", quoted(p.Get)}}
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// listed are names; one that could be read as two is in quotes.
func listed(names []string) string {
	var out []string
	for _, n := range names {
		if strings.ContainsAny(n, `,"`) {
			n = strconv.Quote(n)
		}
		out = append(out, n)
	}
	return strings.Join(out, ", ")
}

// quoted is a command, each of its words in quotes: what is run is to be seen.
func quoted(words []string) string {
	var out []string
	for _, w := range words {
		out = append(out, strconv.Quote(w))
	}
	return strings.Join(out, " ")
}

// lines tell the whole change: what changed, came, went.
func (d *custodyDiff) lines() []string {
	out := []string{}
	for _, p := range d.parts {
		out = append(out, diffLine("part "+p.name, p.was, p.is, partColumns))
	}
	for _, p := range d.places {
		out = append(out, diffLine("place "+p.name, p.was, p.is, placeColumns))
	}
	for _, a := range d.accounts {
		out = append(out, a.line())
	}
	return out
}

func diffLine[T any](name string, was, is *T, columns func(*T) []column) string {
	one, sign := is, "+ "
	if is == nil {
		one, sign = was, "- "
	}
	var words []string
	for i, c := range columns(one) {
		switch {
		case was == nil || is == nil:
			if c.value != "" {
				words = append(words, c.name+" "+c.value)
			}
		case columns(was)[i].value != c.value:
			words = append(words, fmt.Sprintf("%s %s -> %s", c.name, orNone(columns(was)[i].value), orNone(c.value)))
		}
	}
	if was != nil && is != nil {
		sign = ""
	}
	return sign + name + ": " + strings.Join(words, ", ")
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// handing names who is given something: what another held, or what was not written
// down before. Who is given what is as good as what they had before is not asked.
func (d *custodyDiff) handing() custody.Handing {
	var h custody.Handing
	add := func(to *[]string, name string) {
		if name != "" && !slices.Contains(*to, name) {
			*to = append(*to, name)
		}
	}
	for _, p := range d.parts {
		switch {
		case p.is == nil:
		case p.was == nil && d.renamed(p.is):
			add(&h.Receivers, p.is.Holder)
		case p.was == nil:
			add(&h.Holders, p.is.Holder)
		case p.was.Holder != p.is.Holder:
			add(&h.Receivers, p.is.Holder)
		}
	}
	for _, p := range d.places { // who may open a place is given what lies there
		if p.was == nil || p.is == nil {
			continue
		}
		for _, name := range p.is.Access {
			if !slices.ContainsFunc(p.was.Access, func(n string) bool { return register.SamePerson(n, name) }) {
				add(&h.Receivers, name)
			}
		}
	}
	return h
}

// renamed reports whether a part that came stands in the place of one that went and
// that somebody else held: under another name it is the same thing.
func (d *custodyDiff) renamed(is *register.Part) bool {
	return slices.ContainsFunc(d.parts, func(p partDiff) bool {
		return p.is == nil && p.was.Kind == is.Kind && p.was.Account.Equal(is.Account) && !register.SamePerson(p.was.Holder, is.Holder)
	})
}

// fits says what about a change is not of the kind that a verb stands for; "" all is.
func (d *custodyDiff) fits(verb custody.Verb) string {
	if len(d.parts)+len(d.places)+len(d.accounts) == 0 {
		return "nothing would change"
	}
	if verb == custody.VerbCustody {
		return ""
	}
	if len(d.accounts) > 0 || len(d.places) > 0 || len(d.parts) != 1 || d.parts[0].was == nil || d.parts[0].is == nil {
		return fmt.Sprintf("a %s is of one part that is written down, and nothing else", verb)
	}
	was, is := *d.parts[0].was, *d.parts[0].is
	if verb == custody.VerbHandOver && was.Holder == is.Holder {
		return "the part would stay with who has it"
	}
	if verb == custody.VerbHandOver && is.Holder == "" {
		return "a hand-over needs somebody who receives"
	}
	was.Place, was.Seal, was.Since = is.Place, is.Seal, is.Since
	if verb == custody.VerbHandOver {
		was.Holder = is.Holder
	}
	if was != is {
		return fmt.Sprintf("a %s changes nothing else about a part", verb)
	}
	return ""
}

// apply makes the change in the text of a register. What the texts of two digests
// have otherwise, and none of the edits can make, is an error.
func (d *custodyDiff) apply(text []byte) (_ []byte, err error) {
	if err := d.accountsStand(text); err != nil {
		return nil, err
	}
	for _, p := range d.places {
		switch {
		case p.was == nil:
			text, err = register.AddPlace(text, *p.is)
		case p.is == nil:
			err = errByHand("place " + p.name)
		default:
			same := *p.was
			if same.CombinationChanged = p.is.CombinationChanged; !reflect.DeepEqual(same, *p.is) {
				return nil, errByHand("place " + p.name)
			}
			text, err = register.SetCombinationChanged(text, p.name, p.is.CombinationChanged)
		}
		if err != nil {
			return nil, err
		}
	}
	for _, p := range d.parts {
		switch {
		case p.was == nil:
			text, err = register.AddPart(text, *p.is)
		case p.is == nil:
			err = errByHand("part " + p.name)
		default:
			text, err = register.SetPart(text, p.name, *p.is)
		}
		if err != nil {
			return nil, err
		}
	}
	return text, nil
}

func errByHand(what string) error {
	return &hinted{fmt.Errorf("change %s in the register: halligan does not do that", what), "change it with an editor, then: halligan request custody"}
}
