package facts

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"halligan/entra"
)

//go:embed data/*.json
var files embed.FS

const schema = "halligan-facts/1"

// file is the form of a data file. Every file has the head; one of the lists is
// its own.
type file struct {
	Schema  string   `json:"schema"`
	Checked string   `json:"checked"`
	Sources []source `json:"sources"`
	Note    string   `json:"note"`

	Goals []struct {
		Name           string                `json:"name"`
		Title          string                `json:"title"`
		Client         entra.ID              `json:"client"`
		Audiences      []entra.ID            `json:"audiences"`
		ClientAppTypes []entra.ClientAppType `json:"clientAppTypes"`
		MandatoryMFA   string                `json:"mandatoryMfa"`
		Status         string                `json:"status"`
		Source         string                `json:"source"`
		Note           string                `json:"note"`
	} `json:"goals"`
	Strengths []struct {
		ID           entra.ID `json:"id"`
		Name         string   `json:"name"`
		Source       string   `json:"source"`
		Combinations []string `json:"combinations"`
	} `json:"strengths"`
	GraphPagesOnly []string `json:"graphPagesOnly"`
	Groups         []struct {
		Token  entra.ID `json:"token"`
		App    entra.ID `json:"app"`
		Name   string   `json:"name"`
		Status string   `json:"status"`
		Source string   `json:"source"`
	} `json:"groups"`
	Roles []struct {
		Role                entra.ID `json:"role"`
		Name                string   `json:"name"`
		Recovery            bool     `json:"recovery"`
		SecurityDefaultsMFA bool     `json:"securityDefaultsMfa"`
	} `json:"roles"`
	Dates []struct {
		ID     string `json:"id"`
		Date   string `json:"date"`
		Text   string `json:"text"`
		Status string `json:"status"`
		Source string `json:"source"`
	} `json:"dates"`
	Rules []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
		Source string `json:"source"`
		Text   string `json:"text"`
	} `json:"rules"`
}

type source struct {
	Page string `json:"page"`
	Date string `json:"date"` // year and month
}

// table is everything, decoded.
type table struct {
	checked        map[string]string // by file name
	goals          []Goal
	strengths      []entra.AuthStrength
	graphPagesOnly []entra.Combination
	groups         []GroupMember
	roles          []Role
	roleNames      map[string]string // by the key of the id
	dates          []VendorDate
	rules          []RuleInfo
}

var data = sync.OnceValue(func() *table {
	t, err := load(files)
	if err != nil {
		panic("facts: " + err.Error())
	}
	return t
})

// load reads and checks every data file.
func load(fsys fs.FS) (*table, error) {
	names, err := fs.Glob(fsys, "data/*.json")
	if err != nil {
		return nil, err
	}
	t := &table{checked: map[string]string{}}
	seen := map[string]bool{}
	for _, name := range names {
		raw, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		if err := t.add(name, raw, seen); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(t.goals) == 0 || len(t.strengths) == 0 || len(t.groups) == 0 || len(t.roles) == 0 || len(t.dates) == 0 || len(t.rules) == 0 {
		return nil, fmt.Errorf("a data file is missing: %d were read", len(names))
	}
	return t, nil
}

// reader checks the entries of one file.
type reader struct {
	file  *file
	pages map[string]string
	seen  map[string]bool // across files, so that an id is told once
	err   error
}

func (t *table) add(name string, raw []byte, seen map[string]bool) error {
	f := &file{}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the value")
	}
	if f.Schema != schema {
		return fmt.Errorf("schema %q, want %q", f.Schema, schema)
	}
	if _, err := time.Parse(time.DateOnly, f.Checked); err != nil {
		return fmt.Errorf("checked: %w", err)
	}
	r := &reader{file: f, pages: map[string]string{}, seen: seen}
	for _, s := range f.Sources {
		if _, err := time.Parse("2006-01", s.Date); err != nil || s.Page == "" {
			return fmt.Errorf("source %q of %q", s.Page, s.Date)
		}
		r.pages[s.Page] = s.Date
	}
	if len(r.pages) == 0 {
		return fmt.Errorf("no source")
	}
	t.checked[name] = f.Checked
	t.addLists(r)
	return r.err
}

func (t *table) addLists(r *reader) {
	for _, g := range r.file.Goals {
		r.entry("goal", g.Name, g.Status, g.Source)
		r.guids(append([]entra.ID{g.Client}, g.Audiences...)...)
		r.need(len(g.Audiences) > 0 && len(g.ClientAppTypes) > 0 && slices.Contains([]string{"", "phase1", "phase2"}, g.MandatoryMFA), "goal", g.Name)
		t.goals = append(t.goals, Goal{Name: g.Name, Title: g.Title, Client: g.Client, Audiences: g.Audiences, ClientAppTypes: g.ClientAppTypes,
			MandatoryMFA: g.MandatoryMFA, Status: g.Status, Source: g.Source, Note: g.Note})
	}
	for _, s := range r.file.Strengths {
		r.entry("strength", string(s.ID), StatusDocumented, s.Source)
		r.guids(s.ID)
		st := entra.AuthStrength{ID: s.ID, DisplayName: s.Name, PolicyType: "builtIn", ConfigurationsRead: true}
		for _, c := range s.Combinations {
			st.Combinations = append(st.Combinations, combination(c))
		}
		r.need(len(st.Combinations) > 0, "strength", string(s.ID))
		t.strengths = append(t.strengths, st)
	}
	for _, c := range r.file.GraphPagesOnly {
		t.graphPagesOnly = append(t.graphPagesOnly, combination(c))
	}
	for _, m := range r.file.Groups {
		r.entry("group", string(m.Token)+" "+string(m.App), m.Status, m.Source)
		r.guids(m.App)
		t.groups = append(t.groups, GroupMember(m))
	}
	for _, x := range r.file.Roles {
		r.entry("role", string(x.Role), StatusDocumented, r.file.Sources[0].Page)
		r.guids(x.Role)
		r.need(x.Name != "", "role", string(x.Role))
		if t.roleNames == nil {
			t.roleNames = map[string]string{}
		}
		t.roleNames[x.Role.Key()] = x.Name
		t.roles = append(t.roles, Role{ID: x.Role, Name: x.Name, Recovery: x.Recovery, SecurityDefaultsMFA: x.SecurityDefaultsMFA})
	}
	for _, d := range r.file.Dates {
		r.entry("date", d.ID, d.Status, d.Source)
		_, err := time.Parse(time.DateOnly, d.Date)
		r.need(err == nil && d.Text != "", "date", d.ID)
		t.dates = append(t.dates, VendorDate{ID: d.ID, Date: d.Date, Text: d.Text, Source: d.Source, PageDate: r.pages[d.Source], Status: d.Status})
	}
	for _, x := range r.file.Rules {
		r.entry("rule", x.ID, x.Status, x.Source)
		r.need(x.Text != "" && x.Status != StatusDocumented, "rule", x.ID)
		t.rules = append(t.rules, RuleInfo{ID: x.ID, Status: x.Status, Text: x.Text, Source: x.Source, PageDate: r.pages[x.Source]})
	}
}

func combination(s string) entra.Combination {
	var c entra.Combination
	for m := range strings.SplitSeq(s, ",") {
		c = append(c, entra.CombinationMode(strings.TrimSpace(m)))
	}
	return c
}

// entry checks what every entry has: an id told once, a status, a source that
// the head of the file names.
func (r *reader) entry(kind, id, status, page string) {
	key := kind + " " + strings.ToLower(id)
	r.need(id != "" && !r.seen[key], kind, id+" (empty or told twice)")
	r.seen[key] = true
	r.need(slices.Contains([]string{StatusDocumented, StatusInferred, StatusUnknown}, status), kind, id+" (status "+status+")")
	r.need(r.pages[page] != "", kind, id+" (source "+page+" is not in the head)")
}

func (r *reader) guids(ids ...entra.ID) {
	for _, id := range ids {
		r.need(id.IsGUID(), "id", string(id))
	}
}

func (r *reader) need(ok bool, kind, what string) {
	if !ok && r.err == nil {
		r.err = fmt.Errorf("%s %s is not right", kind, what)
	}
}

// StaleOn names the data files that were last checked over twelve months before
// a day ("2027-12-01"), in order. No day, or one that cannot be read, names
// none.
func StaleOn(date string) []string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return nil
	}
	var out []string
	for name, checked := range data().checked {
		if at, err := time.Parse(time.DateOnly, checked); err == nil && at.AddDate(1, 0, 0).Before(day) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
