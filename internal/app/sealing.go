package app

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"filippo.io/age"

	"halligan/custody"
	"halligan/entra"
	"halligan/examples"
	"halligan/register"
	"halligan/seal"
)

// SealWish is what somebody wants sealed, for whom.
type SealWish struct {
	Account string `json:"account"` // id, or name in the register
	Label   string `json:"label,omitempty"`
	What    string `json:"what"`
	Seal    string `json:"seal,omitempty"` // number at the file
	// Seals are the numbers on the envelopes, in the order of the holders who get paper:
	// Holders, First, Second.
	Seals []string `json:"seals,omitempty"`
	// Form "" is chosen: pairs where two of at most five open it and each has a key,
	// halves where First and Second are given, else shares.
	Form seal.Form `json:"form,omitempty"`
	Need int       `json:"need,omitempty"` // 0: 2
	// Holders are names; First and Second hold the halves of a password.
	Holders []string `json:"holders,omitempty"`
	First   []string `json:"first,omitempty"`
	Second  []string `json:"second,omitempty"`
	Make    *Made    `json:"make,omitempty"` // nil: it is typed
	// Void are the sets that are void once this is sealed, the last one opened for it.
	Void []seal.Void `json:"void,omitempty"`
	// Replaces are those of them whose secret is not opened: a new one takes its place.
	// Who is not among Void yet is found in the log.
	Replaces []string `json:"replaces,omitempty"`
	// Beware is what approvers read beside the rest; it is made where it is asked.
	Beware []string `json:"-"`
}

// Made says how a secret is made in place.
type Made struct {
	Alphabet string `json:"alphabet"`
	Length   int    `json:"length"`
}

// Subject is the wish as a Question has it.
func (w *SealWish) Subject() (string, error) {
	text, err := json.Marshal(w)
	return string(text), err
}

// sealDetails are the details of a request to seal: what its approvers read.
type sealDetails struct {
	Account entra.ID     `json:"account"`
	Name    string       `json:"name"` // to sign in with; it goes inside
	Label   string       `json:"label"`
	What    string       `json:"what"`
	Seal    string       `json:"seal,omitempty"`
	Form    seal.Form    `json:"form"`
	Need    int          `json:"need"`
	Holders []sealHolder `json:"holders"`
	Make    *Made        `json:"make,omitempty"`
	Void    []seal.Void  `json:"void,omitempty"`
	// Replaces are those of Void that a new secret makes void; without them the last of
	// Void is opened and sealed again.
	Replaces []string `json:"replaces,omitempty"`
	// Announce are told when it is opened.
	Announce []announceDetail `json:"announce,omitempty"`
	// Notes are what approvers must know.
	Notes []string `json:"notes,omitempty"`
	// Beware was so when it was asked (toldAll).
	Beware []string `json:"beware,omitempty"`
	Marks  []string `json:"marks,omitempty"`
}

type sealHolder struct {
	Name string    `json:"name"`
	Kind seal.Kind `json:"kind"`
	Key  string    `json:"key,omitempty"` // fingerprint
	Half int       `json:"half,omitempty"`
	Seal string    `json:"seal,omitempty"` // number on the envelope
}

// wish is what was asked for, from what was approved.
func (d *sealDetails) wish() *SealWish {
	w := &SealWish{Account: string(d.Account), Label: d.Label, What: d.What, Seal: d.Seal, Form: d.Form, Need: d.Need, Make: d.Make, Void: d.Void, Replaces: d.Replaces, Beware: d.Beware}
	for _, h := range d.Holders {
		to := [](*[]string){&w.Holders, &w.First, &w.Second}[h.Half]
		*to = append(*to, h.Name)
		if h.Seal != "" {
			w.Seals = append(w.Seals, h.Seal)
		}
	}
	return w
}

// holderOf finds who is to hold something: somebody of the register, or the one
// outside where there is one person.
func (a *App) holderOf(name string) (*register.Person, error) {
	if outside := a.Register.Or().Quorum.Outside; outside != "" && register.SamePerson(outside, name) && a.Register.Person(name) == nil {
		return &register.Person{Name: outside}, nil
	}
	return a.person(name)
}

// sealing judges a wish by the register.
func (a *App) sealing(w *SealWish) (*sealDetails, error) {
	account, number := a.accountOf(w.Account)
	if account == nil {
		return nil, &hinted{fmt.Errorf("seal for account %.80q: the register has none of that id or name", w.Account), "accounts: in halligan.yaml lists them"}
	}
	d := &sealDetails{Account: account.ID, Name: account.Name, Label: cmp.Or(w.Label, fmt.Sprintf("emergency account %d", number)), What: w.What, Seal: w.Seal, Form: w.Form, Need: cmp.Or(w.Need, 2), Make: w.Make, Void: w.Void, Replaces: w.Replaces, Beware: w.Beware}
	told, err := a.announcements()
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	d.Announce = announceDetails(told)
	keys := true
	for half, names := range [][]string{w.Holders, w.First, w.Second} {
		for _, name := range names {
			p, err := a.holderOf(name)
			if err != nil {
				return nil, fmt.Errorf("seal for %.80q: %w", name, err)
			}
			d.Holders = append(d.Holders, sealHolder{p.Name, seal.KindOf(p.Receiving), seal.Fingerprint(p.Receiving), half, ""})
			keys = keys && p.Receiving != ""
		}
	}
	if err := d.number(w.Seals); err != nil {
		return nil, err
	}
	halves := len(w.First)+len(w.Second) > 0
	switch {
	case halves && len(w.Holders) > 0:
		return nil, &hinted{errors.New("seal: holders of halves and other holders exclude each other"), "give --first and --second, or --holder"}
	case d.Form != "":
	case halves:
		d.Form = seal.FormHalves
	case keys && d.Need == 2 && len(d.Holders) <= 5:
		d.Form = seal.FormPair
	default:
		d.Form = seal.FormShares
	}
	if m := w.Make; m != nil && (seal.AlphabetOf(m.Alphabet) == nil || m.Length < seal.MadeLeast || m.Length > seal.MadeMost || d.Form == seal.FormHalves && m.Length%2 != 0) {
		return nil, &hinted{fmt.Errorf("make a secret of %d letters of the alphabet %.20q", m.Length, m.Alphabet), fmt.Sprintf("%d to %d letters, an even number for halves; alphabets: %s", seal.MadeLeast, seal.MadeMost, alphabetNames())}
	}
	if a.Register.Or().Quorum.People == 1 {
		d.Marks = []string{custody.MarkOnePerson}
	}
	return d, a.apart(d)
}

// number gives each envelope its own number. Where there is none, one number is that at
// the file.
func (d *sealDetails) number(seals []string) error {
	var papers []*sealHolder
	for i := range d.Holders {
		if d.Holders[i].Kind == seal.KindPaper {
			papers = append(papers, &d.Holders[i])
		}
	}
	if len(seals) == 1 && len(papers) == 0 && d.Seal == "" {
		d.Seal, seals = seals[0], nil
	}
	var names []string
	for _, p := range papers {
		names = append(names, p.Name)
	}
	if len(seals) > 0 && len(seals) != len(papers) {
		return &hinted{fmt.Errorf("number the envelopes: %d numbers, and %d envelopes", len(seals), len(papers)), cmp.Or(strings.Join(names, ", "), "nobody") + " gets paper: give one number for each of them in this order, and that of the file's own seal by itself (--file-seal-number)"}
	}
	used := map[string]bool{plainSeal(d.Seal): d.Seal != ""}
	for i, number := range seals {
		if used[plainSeal(number)] || plainSeal(number) == "" {
			return &hinted{fmt.Errorf("number the envelopes: %.60q stands there twice, or is none", number), "a number is used once: give each envelope its own"}
		}
		used[plainSeal(number)] = true
		papers[i].Seal = number
	}
	return nil
}

func alphabetNames() string {
	var out []string
	for _, a := range seal.Alphabets {
		out = append(out, a.Name)
	}
	return strings.Join(out, ", ")
}

// accountOf finds an account of the register by id or name, and its place in the
// list from 1.
func (a *App) accountOf(given string) (*register.Account, int) {
	all := a.Register.Or().Accounts
	for i := range all {
		if all[i].ID.Equal(entra.ID(given)) || given != "" && strings.EqualFold(all[i].Name, given) {
			return &all[i], i + 1
		}
	}
	return nil, 0
}

// SamePersonError is for holders that are not distinct people.
type SamePersonError struct{ A, B, Why string }

func (e *SamePersonError) Error() string {
	return fmt.Sprintf("seal for %s and %s: %s", e.A, e.B, e.Why)
}

// Hint says what to do next.
func (*SamePersonError) Hint() string {
	return "choose people of whom no one alone, and no line of managers, holds a whole set"
}

// apart refuses holders of whom one person, or one line of managers where the
// register says so, holds a whole set; else it notes the line for the approvers.
func (a *App) apart(d *sealDetails) error {
	for i, h := range d.Holders {
		p := a.Register.Person(h.Name)
		for _, other := range d.Holders[:i] {
			q := a.Register.Person(other.Name)
			switch {
			case register.SamePerson(h.Name, other.Name) && h.Half != other.Half:
				return &SamePersonError{other.Name, h.Name, "one person would hold both halves"}
			case register.SamePerson(h.Name, other.Name):
				return &SamePersonError{other.Name, h.Name, "that is one person"}
			case h.Key != "" && h.Key == other.Key, p != nil && q != nil && p.ID != "" && p.ID.Equal(q.ID):
				return &SamePersonError{other.Name, h.Name, "they have one key, or one account in the directory: that is one person"}
			}
		}
	}
	line := a.wholeLine(d, nil, 0)
	if len(line) == 0 {
		return nil
	}
	lines := a.Register.Or().Quorum.Lines
	if lines == register.LinesDistinct && d.Form == seal.FormPair && a.somePair(d) {
		return nil // such pairs get no file
	}
	why := "they are in one line of managers and could open it together"
	if lines == register.LinesDistinct {
		return &SamePersonError{strings.Join(line[:len(line)-1], ", "), line[len(line)-1], why}
	}
	d.Notes = append(d.Notes, strings.Join(line, " and ")+": "+why)
	return nil
}

// wholeLine finds holders of one line of managers who could open it together.
func (a *App) wholeLine(d *sealDetails, have []sealHolder, from int) []string {
	if len(have) == d.Need {
		if d.Form == seal.FormHalves && have[0].Half == have[1].Half {
			return nil
		}
		var names []string
		for _, h := range have {
			names = append(names, h.Name)
		}
		return names
	}
	for i := from; i < len(d.Holders); i++ {
		h := d.Holders[i]
		if slices.ContainsFunc(have, func(o sealHolder) bool { return !a.Register.InOneLine(o.Name, h.Name) }) {
			continue
		}
		if line := a.wholeLine(d, append(slices.Clone(have), h), i+1); line != nil {
			return line
		}
	}
	return nil
}

func (a *App) somePair(d *sealDetails) bool {
	for i, h := range d.Holders {
		for _, o := range d.Holders[:i] {
			if !a.Register.InOneLine(h.Name, o.Name) {
				return true
			}
		}
	}
	return false
}

// reseals is the set that is opened and sealed again, "" none.
func (d *sealDetails) reseals() string {
	if n := len(d.Void); n > 0 && len(d.Replaces) == 0 {
		return d.Void[n-1].Set
	}
	return ""
}

func proposeSeal(a *App, k *known, subject string) (string, json.RawMessage, string, error) {
	var w SealWish
	if err := json.Unmarshal([]byte(subject), &w); err != nil {
		return "", nil, "", fmt.Errorf("read what is to be sealed: %v", err)
	}
	if of, _ := a.accountOf(w.Account); of != nil {
		held := &Held{sets: map[string]*sealedSet{}}
		if err := held.sealed(k.view); err != nil {
			return "", nil, "", err
		}
		if err := held.replaced(a.Register, &w, of, dayOf(a.Now())); err != nil {
			return "", nil, "", err
		}
		w.Beware = held.beware(a.Register, &w, of)
	}
	d, err := a.sealing(&w)
	if err != nil {
		return "", nil, "", err
	}
	// What cannot be sealed is refused before anybody approves it.
	if err := a.tryPlan(d); err != nil {
		return "", nil, "", err
	}
	details, err := json.Marshal(d)
	return d.on(), details, "", err
}

// on is what a request with these details is on, in words.
func (d *sealDetails) on() string {
	return fmt.Sprintf("%s of account %s", d.What, cmp.Or(d.Name, string(d.Account)))
}

// tryPlan reports why a plan could not be carried out. It seals nothing.
func (a *App) tryPlan(d *sealDetails) error {
	p, err := a.planOf(d, time.Unix(1e9, 0), nil)
	if err != nil {
		return err
	}
	return p.Check()
}

// elsewhere are verbs that the last approval does not carry out, since they need
// what only a person can give: how each is carried out.
var elsewhere = map[custody.Verb]func(*custody.Request) string{
	custody.VerbSeal: sealStep,
	custody.VerbOpen: func(r *custody.Request) string { return "halligan open FILE --request " + shortHash(r) },
}

func sealStep(r *custody.Request) string {
	var d sealDetails
	if json.Unmarshal(r.Details, &d) == nil && d.reseals() != "" {
		return "halligan reseal FILE --out NEW --request " + shortHash(r)
	}
	return "halligan seal --out FILE --request " + shortHash(r)
}

func shortHash(r *custody.Request) string {
	return strings.TrimPrefix(r.Hash(), "sha256:")[:12]
}

// NextStep is the command that carries out a request that was approved.
func NextStep(r *custody.Request) string {
	if step := elsewhere[r.What]; step != nil {
		return step(r)
	}
	return "halligan request carry-out " + shortHash(r)
}

func prepareElsewhere(_ *App, _ *known, p *custody.Pending, _ *requestData) (*act, error) {
	return nil, &hinted{fmt.Errorf("carry out %s: it needs what only people can bring", p.Request.What), NextStep(p.Request)}
}

// planOf lays out what was approved, with the keys that stand in the register.
func (a *App) planOf(d *sealDetails, made time.Time, talk *Talk) (*seal.Plan, error) {
	combiner, err := examples.Combiner()
	if err != nil {
		return nil, err
	}
	if d.Name == "" {
		return nil, &hinted{fmt.Errorf("seal for account %s: the register does not say its sign-in name, which belongs inside", d.Account), "write name: with the user principal name into halligan.yaml"}
	}
	told, err := a.announcements()
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(announceDetails(told), d.Announce) {
		return nil, &hinted{errors.New("the address of a channel is not the one that was approved"), "ask anew: halligan request seal"}
	}
	p := &seal.Plan{Announce: told, Form: d.Form, Need: d.Need, Account: d.Name, Label: d.Label, What: d.What, Seal: d.Seal, Made: made, Call: a.callList(), Voided: d.Void, Marks: d.Marks, Combine: combiner}
	if a.Register.Or().Quorum.Lines == register.LinesDistinct {
		p.Together = func(one, other string) bool { return !a.Register.InOneLine(one, other) }
	}
	for _, h := range d.Holders {
		person, err := a.holderOf(h.Name)
		if err != nil {
			return nil, err
		}
		to := seal.To{Name: h.Name, Key: person.Receiving, Half: h.Half}
		if to.Recipient, err = recipientOf(person.Receiving, talk); err != nil {
			return nil, fmt.Errorf("the receiving key of %s: %w", h.Name, err)
		}
		p.Holders = append(p.Holders, to)
	}
	return p, nil
}

func recipientOf(key string, talk *Talk) (age.Recipient, error) {
	switch seal.KindOf(key) {
	case seal.KindPaper:
		return nil, nil
	case seal.KindPlugin:
		return pluginRecipient(key, talk)
	}
	return seal.ParseRecipient(key)
}

// mostCalls is how many lines of whom to call a sealed file has, mostCall how many bytes
// a line (docs/sealed-format.md).
const mostCalls, mostCall = 24, 300

// callList is whom to tell of an opening: the channels, those first that work
// without the tenant, and the people who decide or hold, by the ways they gave. What has
// no room is counted.
func (a *App) callList() []string {
	r := a.Register.Or()
	var out []string
	add := func(name string, ways []string) {
		for _, line := range callLines(name, ways) {
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	for _, inTenant := range []bool{false, true} {
		for _, c := range r.Channels {
			if c.InTenant == inTenant {
				note := ""
				if inTenant {
					note = " (down when the tenant is)"
				}
				add(c.Name+" ("+c.Kind+")"+note, c.Recipients)
			}
		}
	}
	for _, p := range r.People {
		if len(p.Reach) > 0 && (p.Has(register.RoleApprover) || p.Has(register.RoleCustodian)) {
			add(p.Name, p.Reach)
		}
	}
	if n := len(out) - mostCalls; n > 0 {
		out = append(out[:mostCalls-1], fmt.Sprintf("%d more lines have no room here; who else is to be told stands in the binder", n+1))
	}
	return out
}

// callLines are a name with the ways to reach it, in as many lines as they take. Each
// begins with the name.
func callLines(name string, ways []string) []string {
	head := cutBytes(custody.Visible(strings.TrimSpace(name)), mostCall/2)
	lines, begun := []string{head}, false
	for _, way := range ways {
		way = custody.Visible(strings.TrimSpace(way))
		last := &lines[len(lines)-1]
		switch {
		case way == "":
		case !begun:
			*last, begun = head+": "+way, true
		case len(*last)+len(", ")+len(way) <= mostCall:
			*last += ", " + way
		default:
			lines = append(lines, head+": "+way)
		}
	}
	for i := range lines {
		lines[i] = cutBytes(lines[i], mostCall)
	}
	return lines
}

// cutBytes cuts a text to so many bytes, at a letter, and shows that it was cut.
func cutBytes(text string, most int) string {
	if len(text) <= most {
		return text
	}
	const mark = "…"
	end := most - len(mark)
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
