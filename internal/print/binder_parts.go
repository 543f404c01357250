package print

import (
	"cmp"
	"strings"

	"halligan/register"
)

func (b *Binder) accounts(r *register.Register) []Block {
	var rows [][]string
	for _, a := range r.Accounts {
		var keys []string
		for _, k := range a.Keys {
			line := cmp.Or(k.Label, k.ID)
			if k.Serial != "" {
				line += ", serial " + k.Serial
			}
			keys = append(keys, line)
		}
		rows = append(rows, []string{cmp.Or(a.Name, unrecorded), string(a.ID), cmp.Or(patterns[a.Pattern], string(a.Pattern)), strings.Join(keys, "\n")})
	}
	out := []Block{PageBreak{}, Heading{1, headAccounts}, Table{Columns: []Column{{"User name", 2.6, false}, {"Object id", 4.1, true}, {"Signs in with", 1.8, false}, {"Keys", 2.2, false}}, Rows: rows,
		Empty: "The register has no account."}}
	var groups [][]string
	for _, g := range r.Groups {
		use := string(g.Use)
		if g.Use == register.GroupExclusion {
			use = "excluded by policies"
		}
		groups = append(groups, []string{g.Name, string(g.ID), use})
	}
	if len(groups) > 0 {
		out = append(out, Heading{2, "Their groups"}, Table{Columns: []Column{{"Group", 2.6, false}, {"Object id", 4.1, true}, {"For", 4, false}}, Rows: groups})
	}
	return out
}

// kindsOfParts are the parts of credentials in words.
var kindsOfParts = map[register.PartKind]string{
	register.PartKey: "security key", register.PartPIN: "PIN", register.PartPassword: "password", register.PartPasswordHalf: "half of the password",
	register.PartShare: "share", register.PartToken: "token", register.PartCertificate: "smart card or certificate", register.PartTAP: "Temporary Access Pass", register.PartCombination: "combination", register.PartBinder: "binder",
}

func partText(p register.Part) string {
	text := cmp.Or(kindsOfParts[p.Kind], string(p.Kind))
	if p.Key != "" {
		text += " " + p.Key
	}
	if p.Opens != "" {
		text += " of " + p.Opens
	}
	if p.Set != "" {
		text += "\nset " + p.Set
	}
	if p.Name != "" {
		text += "\n" + p.Name
	}
	return text
}

// placeOf returns the place with a name, or an empty one.
func placeOf(r *register.Register, name string) register.Place {
	for _, p := range r.Places {
		if p.Name == name {
			return p
		}
	}
	return register.Place{}
}

func (b *Binder) parts(r *register.Register) []Block {
	out := append([]Block{Heading{1, headParts}}, b.doubt()...)
	out = append(out, Text{Soft, "Only places and seals. If a seal has another number, take another account, and report it."})
	columns := []Column{{"Part", 3, false}, {"Holder", 2.6, false}, {"Place", 3, false}, {"Seal", 1.6, false}, {"Since", 1.6, false}}
	rowsOf := func(is func(register.Part) bool) (rows [][]string) {
		for i, p := range r.Parts {
			if is(p) {
				part := partText(p)
				if opens := b.opensSet(p.Set); opens != "" && p.Kind == register.PartPassword {
					part += "\nopened by " + opens
				}
				part += b.mark(i)
				place := cmp.Or(p.Place, unrecorded)
				if at := placeOf(r, p.Place); at.Site != "" {
					place += "\n" + at.Site
				}
				rows = append(rows, []string{part, cmp.Or(p.Holder, unrecorded), place, cmp.Or(p.Seal, "none"), cmp.Or(string(p.Since), unrecorded)})
			}
		}
		return rows
	}
	for _, a := range r.Accounts {
		out = append(out, Heading{3, cmp.Or(a.Name, string(a.ID))},
			Table{Columns: columns, Rows: rowsOf(func(p register.Part) bool { return p.Kind.Owned() && p.Account.Equal(a.ID) }), Empty: "No part of this account is recorded: nobody knows where it is."})
	}
	other := rowsOf(func(p register.Part) bool { return !p.Kind.Owned() || r.Account(p.Account) == nil })
	return append(out, Heading{3, "Binders, and what belongs to no account"}, Table{Columns: columns, Rows: other, Empty: "No copy of this binder is recorded."})
}

// mark is a line of its own that says what is wrong with a part; "" nothing.
func (b *Binder) mark(i int) string {
	if i >= len(b.Marks) || b.Marks[i] == "" {
		return ""
	}
	return "\n" + b.Marks[i]
}

// opensSet says who opens a set, "" it is not known.
func (b *Binder) opensSet(id string) string {
	for _, s := range b.Sealed {
		if id != "" && strings.EqualFold(strings.TrimSpace(id), s.Set) {
			return s.Opens
		}
	}
	return ""
}

// grouped is a digest in groups of eight, four to a line, as people compare it.
func grouped(digest string) string {
	digest = strings.TrimPrefix(digest, "sha256:")
	var out strings.Builder
	for i, r := range digest {
		switch {
		case i > 0 && i%32 == 0:
			out.WriteString("\n")
		case i > 0 && i%8 == 0:
			out.WriteString(" ")
		}
		out.WriteRune(r)
	}
	return out.String()
}

// sealedFiles are the live sets, and lines for those that are sealed after this print.
func (b *Binder) sealedFiles() []Block {
	var rows [][]string
	for _, s := range b.Sealed {
		var digests []string
		for _, f := range s.Files {
			digests = append(digests, grouped(f))
		}
		rows = append(rows, []string{s.Of + "\nset " + s.Set + "\nof " + s.Day, strings.Join(digests, "\n"), cmp.Or(s.Opens, unrecorded), cmp.Or(strings.Join(s.Lies, "\n"), unrecorded)})
	}
	out := []Block{Heading{2, "Sealed files"}, Text{Plain, "A sealed file does not say who made it. Compare its SHA-256 (sha256sum FILE) before you open one."}}
	if len(rows) > 0 {
		out = append(out, Table{Columns: []Column{{"What, set, day", 3, false}, {"SHA-256", 4.2, true}, {"Opened by", 2.4, false}, {"A copy lies", 2, false}}, Rows: rows})
	}
	return append(out, Text{Plain, "Write in what is sealed after this print: halligan seal shows the SHA-256."},
		Table{Columns: []Column{{"File, set, and where its copies are", 3, false}, {"SHA-256", 6, false}}, Write: 4})
}

func (b *Binder) places(r *register.Register) []Block {
	var rows [][]string
	for _, p := range r.Places {
		var is []string
		if p.Fireproof {
			is = append(is, "fireproof")
		}
		if p.OffSite {
			is = append(is, "off site")
		}
		var lies []string
		for i, part := range r.Parts {
			if part.Place == p.Name {
				line := partText(part) + b.mark(i)
				if part.Seal != "" {
					line = part.Seal + ": " + line
				}
				lies = append(lies, line)
			}
		}
		what := strings.Join(append([]string{p.Kind}, is...), ", ")
		changed := cmp.Or(string(p.CombinationChanged), unrecorded)
		rows = append(rows, []string{p.Name + "\n" + cmp.Or(p.Site, "site not recorded"), strings.TrimPrefix(what, ", "), cmp.Or(strings.Join(p.Access, "\n"), unrecorded), changed, strings.Join(lies, "\n")})
	}
	return append(append([]Block{Heading{1, headPlaces}}, b.doubt()...), Table{Columns: []Column{{"Place, site", 3, false}, {"Kind", 2, false}, {"Who opens it", 2.4, false}, {"Combination changed", 1.9, false}, {"Seals that lie there", 3, false}}, Rows: rows,
		Empty: "The register has no place."})
}
