package print

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/procedure"
	"halligan/register"
)

// Binder is what the binder and the card are made of. It has no secret: it says
// where each part is and how it is sealed, never what it is.
type Binder struct {
	Register *register.Register
	// Digest is that of the whole register, Version what number of print this is.
	Digest, Version string
	Date            time.Time
	Runbooks        []procedure.Runbook
	// Opening is how a sealed file is opened without Halligan.
	Opening []procedure.Step
	// First are the steps of the first ten minutes.
	First []procedure.Step
	// Ways are the ways in, Survival says which of them are left after which loss, and
	// Picture shows who holds what where; nil: none.
	Ways     []Way
	Survival []Loss
	Picture  *Holdings
	// Looks are what the last looks at the parts found missing or broken, or that it is not
	// known.
	Looks []string
	// Unapproved are sentences that tell what of the register is not what was approved.
	// Every page says that there is something; nil: nothing.
	Unapproved []string
	// Uncompared says why the register was not compared with what was approved; "" it
	// was.
	Uncompared string
	// Sealed are the live sets that the evidence has, and Marks say of parts, in the order
	// of the register, what was found wrong with them or that their set is void; ""
	// nothing.
	Sealed []SealedFile
	Marks  []string
	// LogKey is the public key by which the evidence is proved; "" none is known.
	LogKey string
}

// Way is one way in.
type Way struct {
	Name, Account string
	// Takes says for each part where it is and who can fetch it.
	Takes []string
}

// SealedFile is a live set of which the evidence knows.
type SealedFile struct {
	Set, Day string
	// Files are the SHA-256 of what was sealed for it.
	Files []string
	// Of is what it holds, Opens who opens it: "2 of Ana Weiss, Ben Ode"; Holders are
	// their names.
	Of, Opens string
	Holders   []string
	// Lies is where the register has a copy.
	Lies []string
}

// Loss is one line of the table of survival.
type Loss struct {
	Lost string
	// Holds says whether an account can still be opened, Left by which ways.
	Holds, Left string
}

// The headings of the binder, to which runbooks refer.
const (
	headDecides  = "Who decides"
	headCall     = "Whom to call"
	headAccounts = "The accounts"
	headParts    = "Where the parts are"
	headPlaces   = "Places"
	headSurvival = "What is lost, and who still gets in"
	headOpening  = "To open a sealed file without Halligan"
	headProof    = "What proves this binder"
	headReview   = "Reviews"
)

// unrecorded is said where the register says nothing.
const unrecorded = "not recorded"

// Document returns the binder.
func (b *Binder) Document() *Document {
	r := b.Register.Or()
	d := b.document("Emergency binder")
	titles := []string{headDecides, headCall, headAccounts, headParts, headPlaces, headSurvival}
	for i := range b.Runbooks {
		titles = append(titles, b.runbookTitle(i))
	}
	titles = append(titles, headOpening, headProof, headReview)
	d.Blocks = slices.Concat(
		b.cover(r, titles), b.decides(r), b.call(r), b.accounts(r), b.parts(r), b.places(r), b.survival())
	for i, book := range b.Runbooks {
		d.Blocks = append(d.Blocks, PageBreak{}, Heading{1, b.runbookTitle(i)}, Text{Plain, "When: " + book.When})
		d.Blocks = append(d.Blocks, steps(book.Steps)...)
	}
	d.Blocks = slices.Concat(d.Blocks, b.opening(), b.proof(), b.reviews(r))
	return d
}

// document is an empty one with what every page says.
func (b *Binder) document(title string) *Document {
	if name := b.Register.Or().Tenant.Name; name != "" {
		title += ", " + name
	}
	version := "version " + b.Version
	if len(b.Unapproved) > 0 {
		version = notApproved + " · " + version
	}
	return &Document{Title: title, Version: version, Digest: b.Digest, Date: b.Date}
}

// notApproved is what a print says whose register somebody may have changed alone.
const notApproved = "NOT APPROVED as it stands"

// doubts say on the first page what of the register is not what was approved, or that
// it was not compared.
func (b *Binder) doubts() []Block {
	var out []Block
	for _, what := range b.Unapproved {
		out = append(out, Text{Boxed, notApproved + ": " + what + "."})
	}
	if b.Uncompared != "" {
		out = append(out, Text{Boxed, "NOT COMPARED with what was approved: " + b.Uncompared + " when this was printed. Check names and numbers elsewhere before you rely on them."})
	}
	return out
}

// doubt marks a section on which people rely.
func (b *Binder) doubt() []Block {
	if len(b.Unapproved) == 0 {
		return nil
	}
	return []Block{Text{Boxed, notApproved + ": somebody may have changed names, numbers and places alone. Check them elsewhere before you rely on them."}}
}

// runbookTitle numbers the runbooks.
func (b *Binder) runbookTitle(i int) string {
	return fmt.Sprintf("Runbook %d: %s", i+1, b.Runbooks[i].Title)
}

func (b *Binder) cover(r *register.Register, titles []string) []Block {
	tenant := cmp.Or(r.Tenant.Name, "a tenant without a name")
	id := cmp.Or(string(r.Tenant.ID), "id "+unrecorded)
	return slices.Concat([]Block{Heading{1, "Emergency access: " + tenant}}, b.doubts(), []Block{
		Text{Plain, fmt.Sprintf("Tenant %s. Printed on %s, version %s, digest of the register %s.", id, b.Date.UTC().Format(time.DateOnly), b.Version, b.Digest)},
		Text{Boxed, "This binder says where the keys of the company lie. Keep it sealed. Open it only in an emergency or for a review, in the presence of a second person. It holds no password, no PIN and no key."},
		Text{Plain, "In an emergency: call first (“" + headCall + "”), then take the runbook that fits. One person does, one reads aloud and ticks."},
		Heading{2, "Contents"},
		Contents(titles),
	})
}

func (b *Binder) decides(r *register.Register) []Block {
	out := append([]Block{PageBreak{}, Heading{1, headDecides}}, b.doubt()...)
	out = append(out, Text{Plain, quorumText(r)})
	var rows [][]string
	holders := r.Holders()
	for _, p := range r.People {
		same := func(h register.Person) bool { return register.SamePerson(h.Name, p.Name) }
		if !slices.ContainsFunc(holders, same) && !b.holdsAnything(r, p.Name) {
			continue // there as somebody's manager alone
		}
		rows = append(rows, []string{named(p), roleText(p), cmp.Or(p.Manager, unrecorded), trainedText(p)})
	}
	if !slices.ContainsFunc(r.People, func(p register.Person) bool { return p.Has(register.RoleApprover) }) {
		out = append(out, Text{Boxed, "The register gives nobody the right to approve. Agree now who decides, write it here by hand, and give the people roles before the next print."})
	}
	return append(out, Table{Columns: []Column{{"Name", 3.4, false}, {"May", 3.2, false}, {"Manager", 2.8, false}, {"Trained, aware", 1.7, false}}, Rows: rows,
		Empty: "The register names nobody. Until it does, nobody knows who may decide: write people: into it, and print again."})
}

func quorumText(r *register.Register) string {
	q := r.Quorum
	if q.People == 1 {
		text := "One person decides alone here. Whatever is done so is marked in the evidence."
		if q.Outside != "" {
			text += " The sealed second part is kept by " + q.Outside + "."
		}
		return text
	}
	text := fmt.Sprintf("Whoever asks for an opening needs the consent of %s.", ifOne(q.Needed(), "one other person who may approve", fmt.Sprintf("%d other people who may approve", q.Needed())))
	if q.Lines == register.LinesDistinct {
		return text + " No two of them may be of one line of managers."
	}
	return text + " Nobody opens anything alone."
}

func ifOne(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

func named(p register.Person) string {
	if p.Title == "" {
		return p.Name
	}
	return p.Name + "\n" + p.Title
}

// roleText is what a person may do, as package custody says it.
func roleText(p register.Person) string {
	if len(p.Roles) == 0 {
		return "holds parts or opens places; decides nothing"
	}
	var out []string
	for _, role := range p.Roles {
		out = append(out, string(role))
	}
	return strings.Join(out, ", ")
}

func trainedText(p register.Person) string {
	if p.Trained == "" && p.Aware == "" {
		return unrecorded
	}
	return cmp.Or(string(p.Trained), unrecorded) + "\n" + cmp.Or(string(p.Aware), unrecorded)
}

// order is who is called first of those who can be reached: who may approve and holds
// something, then who may approve, may act, holds something.
func order(p register.Person, holds bool) int {
	for i, role := range []register.Role{register.RoleApprover, register.RoleOperator, register.RoleCustodian} {
		switch {
		case p.Has(role) && holds:
			return 2 * i
		case p.Has(role):
			return 2*i + 1
		}
	}
	return 6
}

// callable are the people who decide or hold something, in the order in which they
// are called: who has no number comes last.
func (b *Binder) callable(r *register.Register) []register.Person {
	holds := map[string]bool{}
	for _, p := range r.People {
		holds[p.Name] = b.holdsAnything(r, p.Name)
	}
	people := slices.DeleteFunc(slices.Clone(r.People), func(p register.Person) bool { return order(p, false) == 6 && !holds[p.Name] })
	slices.SortStableFunc(people, func(a, b register.Person) int {
		return cmp.Or(cmp.Compare(min(len(b.Reach), 1), min(len(a.Reach), 1)), cmp.Compare(order(a, holds[a.Name]), order(b, holds[b.Name])))
	})
	return people
}

// holdsAnything reports whether somebody has a part, can open a place, or is one of
// those who open a sealed file.
func (b *Binder) holdsAnything(r *register.Register, name string) bool {
	same := func(other string) bool { return register.SamePerson(other, name) }
	return slices.ContainsFunc(r.Parts, func(p register.Part) bool { return same(p.Holder) }) ||
		slices.ContainsFunc(r.Places, func(p register.Place) bool { return slices.ContainsFunc(p.Access, same) }) ||
		slices.ContainsFunc(b.Sealed, func(s SealedFile) bool { return slices.ContainsFunc(s.Holders, same) })
}

// managersOf are the managers of people who are called, and are not called
// themselves: they are asked when somebody does not answer.
func managersOf(r *register.Register, called []register.Person) []register.Person {
	var out []register.Person
	for i := range r.People {
		m := &r.People[i]
		same := func(p register.Person) bool { return register.SamePerson(p.Name, m.Name) }
		if !slices.ContainsFunc(called, same) && slices.ContainsFunc(called, func(p register.Person) bool { return register.SamePerson(p.Manager, m.Name) }) {
			out = append(out, *m)
		}
	}
	return out
}

// noNumber stands where a number is needed and none is known.
const noNumber = "NO NUMBER RECORDED"

func ways(p register.Person) (first, second string) {
	first, second = noNumber, "no second way recorded"
	if len(p.Reach) == 0 {
		second = ""
	}
	if len(p.Reach) > 0 {
		first = p.Reach[0]
	}
	if len(p.Reach) > 1 {
		second = strings.Join(p.Reach[1:], "\n")
	}
	return first, second
}

// unreachable warns of people who cannot be called; nil: all can.
func unreachable(people []register.Person) []Block {
	var names []string
	for _, p := range people {
		if len(p.Reach) == 0 {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	const most = 4
	who := strings.Join(names[:min(most, len(names))], ", ")
	if n := len(names) - most; n > 0 {
		who += fmt.Sprintf(" and %d more", n)
	}
	return []Block{Text{Boxed, "No number is recorded of " + who + ". Write it in here by hand today, and into the register (reach:) before the next print."}}
}

func (b *Binder) call(r *register.Register) []Block {
	var rows [][]string
	people := b.callable(r)
	for i, p := range people {
		first, second := ways(p)
		rows = append(rows, []string{fmt.Sprint(i + 1), named(p), first, second, ""})
	}
	out := append([]Block{Heading{1, headCall}}, b.doubt()...)
	out = append(out,
		Text{Plain, "From the top, until enough have said yes. Write down when you called. If nobody answers, runbook “The people who are responsible cannot be reached”."},
		Table{Columns: []Column{{"", 0.5, false}, {"Name", 3, false}, {"First way", 3, false}, {"Second way", 3, false}, {"Called at", 1.3, false}}, Rows: rows, Empty: "The register names nobody who decides or holds anything."})
	out = append(out, unreachable(people)...)
	var above [][]string
	for _, p := range managersOf(r, people) {
		first, second := ways(p)
		above = append(above, []string{named(p), first, second})
	}
	if len(above) > 0 {
		out = append(out, Heading{2, "Their managers, when somebody does not answer"}, Table{Columns: []Column{{"Name", 3, false}, {"First way", 3, false}, {"Second way", 3, false}}, Rows: above})
	}
	var channels [][]string
	for _, c := range r.Channels {
		where := "works without the tenant"
		if c.InTenant {
			where = "down when the tenant is"
		}
		opening := "tell it yourself"
		if c.Address != "" || c.AddressFile != "" {
			opening = "told when Halligan opens a file"
		}
		channels = append(channels, []string{c.Name, c.Kind, cmp.Or(strings.Join(c.Recipients, "\n"), unrecorded), where, opening})
	}
	if len(channels) > 0 {
		out = append(out, Heading{2, "Who is alerted"}, Table{Columns: []Column{{"Channel", 3, false}, {"Kind", 1.3, false}, {"Reaches", 3.4, false}, {"", 2, false}, {"Of an opening", 2, false}}, Rows: channels})
	}
	var blank [][]string
	for _, who := range []string{"Microsoft support for business", "Whoever handles incidents", "Internet provider, and its customer number", "Locksmith, bank or whoever opens a safe", "Insurer, and the policy"} {
		blank = append(blank, []string{who, ""})
	}
	return append(out, Heading{2, "To be written in by hand"}, Table{Columns: []Column{{"Who", 2, false}, {"Number", 3, false}}, Rows: blank, Tall: true})
}

// patterns are how accounts sign in, in words.
var patterns = map[register.Pattern]string{
	register.PatternUnknown: unrecorded, register.PatternFIDO2: "security key and PIN", register.PatternCertificate: "smart card or certificate, and PIN",
	register.PatternOATH: "password and hardware token", register.PatternSplitPassword: "password in two halves", register.PatternVault: "sealed password",
	register.PatternAccountReset: "password reset; one person alone can do it",
}

func (b *Binder) survival() []Block {
	var ways, rows [][]string
	for _, w := range b.Ways {
		ways = append(ways, []string{w.Name, w.Account, strings.Join(w.Takes, "\n")})
	}
	for _, l := range b.Survival {
		rows = append(rows, []string{l.Lost, l.Holds, cmp.Or(l.Left, "none")})
	}
	out := []Block{PageBreak{}, Heading{1, headSurvival},
		Text{Plain, "Find what is lost, take a way that is left, and fetch all that it takes."},
		Heading{2, "The ways in"}}
	for _, l := range b.Looks {
		out = append(out, Text{Plain, "Note: " + l + "."})
	}
	out = append(out,
		Table{Columns: []Column{{"Way", 2, false}, {"Account", 3, false}, {"Takes: each part, its place, and who can fetch it", 6, false}}, Rows: ways, Empty: "No way in is recorded."},
		Heading{2, "After a loss"},
		Table{Columns: []Column{{"Lost", 4, false}, {"Somebody gets in", 2, false}, {"Ways that are left", 4, false}}, Rows: rows, Empty: "It was not worked out for this print."})
	if b.Picture != nil {
		out = append(out, Figure{b.Picture})
	}
	return out
}

func steps(list []procedure.Step) []Block {
	var out []Block
	for i, s := range list {
		out = append(out, Step{i + 1, s.Do, s.Where, s.Command, s.Expect, s.Otherwise})
	}
	return out
}

func (b *Binder) opening() []Block {
	return append([]Block{PageBreak{}, Heading{1, headOpening},
		Text{Plain, "A sealed file is a ZIP archive of files of the program age (age-encryption.org). Any machine with age and Python opens it; nothing needs this company's network."}}, steps(b.Opening)...)
}

func (b *Binder) proof() []Block {
	key := cmp.Or(b.LogKey, "none: there was no evidence when this was printed")
	out := []Block{PageBreak{}, Heading{1, headProof},
		Text{Plain, "Every page of this print says the same version and digest. The digest is that of the register: when it changes, this copy is out of date."},
		Text{Mono, "version " + b.Version + "\nregister " + b.Digest},
		Text{Plain, "To see whether it is current, and to record that you looked: halligan custody verify PART --as NAME, with the name of this part of kind binder."},
		Heading{2, "The key of the evidence log"},
		Text{Plain, "Whoever proves an export of the evidence compares its key with this one. It is public."},
		Text{Mono, key}}
	if b.LogKey != "" {
		out = append(out, Code{Content: custody.NewSecret([]byte(b.LogKey)), Size: 34, Caption: "The same key, to be scanned."})
	}
	return append(out, b.sealedFiles()...)
}

func (b *Binder) reviews(r *register.Register) []Block {
	var seals [][]string
	for _, p := range r.Parts {
		if p.Seal != "" {
			seals = append(seals, []string{partText(p), cmp.Or(p.Place, unrecorded), "", "", "", ""})
		}
	}
	return []Block{PageBreak{}, Heading{1, headReview},
		Text{Plain, "Each quarter two people look at every seal and at this binder, and sign. What is not right is written down and reported on the same day."},
		Heading{2, "Seals"},
		Text{Plain, "Write down the number that you read on the seal there. It is not printed here, so that it is read and not copied: halligan custody verify compares it."},
		Table{Columns: []Column{{"On", 3, false}, {"Place", 2.5, false}, {"Q1: number", 1.5, false}, {"Q2: number", 1.5, false}, {"Q3: number", 1.5, false}, {"Q4: number", 1.5, false}}, Rows: seals, Empty: "No seal is recorded."},
		Heading{2, "Signatures"},
		Table{Columns: []Column{{"Day", 1.5, false}, {"First name and signature", 3, false}, {"Second name and signature", 3, false}, {"Binder current, seals whole, remarks", 3.5, false}}, Write: 8},
	}
}

// mostOnCard is how many people the card names.
const mostOnCard = 5

// Card returns the card of the first ten minutes: one page, to be kept at hand. It
// names no account.
func (b *Binder) Card() *Document {
	r := b.Register.Or()
	d := b.document("Emergency card")
	var rows [][]string
	people := b.callable(r)
	most := mostOnCard
	if len(b.Unapproved) > 0 || b.Uncompared != "" {
		most-- // what it says of that takes the room
	}
	people = people[:min(most, len(people))]
	for _, p := range people {
		first, second := ways(p)
		name := p.Name
		if !p.Has(register.RoleApprover) {
			name += " (fetches, does not decide)"
		}
		rows = append(rows, []string{name, first, second})
	}
	var binders [][]string
	for _, p := range r.Parts {
		if p.Kind == register.PartBinder && len(binders) < 3 {
			opens := strings.Join(placeOf(r, p.Place).Access, ", ")
			binders = append(binders, []string{cmp.Or(p.Place, unrecorded), cmp.Or(p.Seal, "NO SEAL RECORDED"), cmp.Or(opens, p.Holder, unrecorded)})
		}
	}
	d.Blocks = []Block{Heading{1, "Nobody can sign in: the first ten minutes"}}
	switch {
	case len(b.Unapproved) > 0:
		d.Blocks = append(d.Blocks, Text{Strong, notApproved + ": check each name and number elsewhere."})
	case b.Uncompared != "":
		d.Blocks = append(d.Blocks, Text{Soft, "NOT COMPARED with what was approved: " + b.Uncompared + "."})
	}
	d.Blocks = append(d.Blocks, steps(b.First)...)
	d.Blocks = append(d.Blocks,
		Heading{2, headCall}, Table{Columns: []Column{{"Name", 3, false}, {"First way", 3, false}, {"Second way", 3, false}}, Rows: rows, Empty: "The register names nobody who decides or holds anything."})
	d.Blocks = append(d.Blocks, unreachable(people)...)
	lies := Table{Columns: []Column{{"Place", 3, false}, {"Seal", 2, false}, {"Who opens it", 4, false}}, Rows: binders}
	d.Blocks = append(d.Blocks, Heading{2, "Where the binder lies"})
	if len(binders) == 0 {
		lies.Write = 1
		d.Blocks = append(d.Blocks, Text{Boxed, "No copy of the binder is recorded. Write in here by hand where one lies, today."})
	}
	d.Blocks = append(d.Blocks, lies)
	return d
}
