package plan

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"halligan/entra"
)

// Format is what a file that was handed over as a change holds.
type Format string

// The formats. Read accepts the first three; the others are common mistakes,
// and the error says what to give instead.
const (
	FormatUnknown         Format = ""
	FormatDraft           Format = "draft"  // single objects in Graph's form
	FormatExport          Format = "export" // a whole tenant, or all of its policies
	FormatTerraformPlan   Format = "terraform plan"
	FormatTerraformState  Format = "terraform state"
	FormatTerraformLog    Format = "terraform log"
	FormatTerraformBinary Format = "terraform binary plan"
)

// FormatError says that a file is of a form that cannot be used.
type FormatError struct {
	File string
	What string
	hint string
}

func (e *FormatError) Error() string {
	if e.File == "" {
		return e.What
	}
	return e.File + ": " + e.What
}

// Hint returns what to give instead.
func (e *FormatError) Hint() string { return e.hint }

const showPlan = "terraform plan -out tfplan && terraform show -json tfplan > plan.json"

// mistakes says of the formats that cannot be used what to do.
var mistakes = map[Format]FormatError{
	FormatTerraformState: {What: "a Terraform state, not a plan: it says what is, not what would change",
		hint: "give the plan: " + showPlan},
	FormatTerraformLog: {What: "the log of terraform plan -json, which leaves out the values",
		hint: "write the plan to a file and show that: " + showPlan},
	FormatTerraformBinary: {What: "a Terraform plan in its binary form",
		hint: "terraform show -json tfplan > plan.json"},
	FormatUnknown: {What: "neither a draft, an export nor a Terraform plan",
		hint: "give a draft in Graph's JSON, a second export, or a Terraform plan: " + showPlan},
}

// Recognise tells the format of a file by its content. A single object, or a
// list whose objects have no ids, is a draft; a list of objects with ids is an
// export. A zip archive is an export unless it is Terraform's.
func Recognise(data []byte) Format {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return recogniseZip(data)
	}
	// The log is many values; Windows PowerShell writes it as UTF-16.
	head := bytes.ReplaceAll(data[:min(len(data), 4096)], []byte{0}, nil)
	if bytes.Contains(head, []byte(`"@level"`)) && bytes.Contains(head, []byte(`"terraform`)) {
		return FormatTerraformLog
	}
	text, err := entra.Canonical(data)
	if err != nil {
		return FormatUnknown
	}
	return recogniseJSON(text)
}

func recogniseZip(data []byte) Format {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return FormatUnknown
	}
	if slices.ContainsFunc(z.File, func(f *zip.File) bool { return f.Name == "tfplan" || f.Name == "tfstate" }) {
		return FormatTerraformBinary
	}
	return FormatExport
}

func recogniseJSON(text json.RawMessage) Format {
	var top map[string]json.RawMessage
	if json.Unmarshal(text, &top) == nil {
		has := func(keys ...string) bool {
			return !slices.ContainsFunc(keys, func(k string) bool { _, ok := top[k]; return !ok })
		}
		switch {
		case has("format_version", "planned_values"), has("format_version", "resource_changes"), has("format_version", "prior_state"):
			return FormatTerraformPlan
		case has("format_version", "values"), has("lineage", "serial"), has("format_version", "terraform_version"):
			return FormatTerraformState
		}
	}
	s, err := entra.Read(entra.Source{Data: text})
	if err != nil {
		return FormatUnknown
	}
	objects, named := count(s)
	switch {
	case objects == 0 && len(s.View().Parts) == 0:
		return FormatUnknown
	case objects == 1 && alone(s), named == 0 && objects > 0:
		return FormatDraft
	}
	return FormatExport
}

// count returns how many objects a change could be about, and how many of them
// have an id of their own.
func count(s *entra.Snapshot) (objects, named int) {
	c := s.View()
	for i := range shelves {
		for j := range shelves[i].len(c) {
			objects++
			if ownID(*shelves[i].at(c, j).raw) != "" {
				named++
			}
		}
	}
	return objects, named
}

// alone reports whether the first object of the source is all of it, not wrapped
// in a list.
func alone(s *entra.Snapshot) bool {
	c := s.View()
	for i := range shelves {
		if shelves[i].len(c) > 0 {
			return shelves[i].at(c, 0).origin.Path == ""
		}
	}
	return false
}

// Proposal is what was read from the sources of a change.
type Proposal struct {
	Format  Format
	Changes []Change
	// Unknowns are values of a Terraform plan that are not known yet, and
	// resources in it that bear on a proof and are not read.
	Unknowns []Unknown
	// Troubles and Notes are those of a second export.
	Troubles, Notes []entra.Trouble
}

// Read reads changes to the tenant in base from files and folders of any format
// that Recognise knows. Lists, folders, archives and several sources together
// are a second export, and what is not in them was removed. They are drafts when
// their objects have no ids while those of the tenant do, and when they hold less
// than half of the tenant's policies without saying by an @odata.context that
// they are a list of all: taking a few drafts for the whole tenant would remove
// everything else before the proof. The error is a *FormatError, a *TroubleError or one of
// package entra.
func Read(base *entra.Snapshot, sources ...entra.Source) (*Proposal, error) {
	if len(sources) == 1 && sources[0].FS == nil {
		s := sources[0]
		switch f := Recognise(s.Data); f {
		case FormatTerraformPlan:
			changes, unknowns, err := FromTerraform(s.Data)
			return &Proposal{Format: f, Changes: changes, Unknowns: unknowns}, inFile(s.Name, err)
		case FormatDraft:
			return readDrafts(sources)
		case FormatExport:
		default:
			return nil, mistake(f, s)
		}
	}
	for _, s := range sources {
		if s.FS != nil {
			continue
		}
		if f := Recognise(s.Data); f != FormatDraft && f != FormatExport {
			if f == FormatTerraformPlan {
				return nil, &FormatError{File: s.Name, What: "a Terraform plan beside other sources", hint: "give it alone"}
			}
			return nil, mistake(f, s)
		}
	}
	next, err := entra.Read(sources...)
	if err != nil {
		return nil, err
	}
	c := next.View()
	objects, named := count(next)
	_, baseNamed := count(base)
	switch {
	case objects == 0 && len(c.Parts) == 0 && len(c.Troubles) == 0:
		return nil, mistake(FormatUnknown, sources[0])
	case objects > 0 && named == 0 && baseNamed > 0, !declared(sources) && sparse(base.View(), c):
		return readDrafts(sources)
	}
	return &Proposal{Format: FormatExport, Changes: FromSnapshot(base, next), Troubles: c.Troubles, Notes: c.Notes}, nil
}

// declared reports whether the sources say of themselves that they are lists of
// all: by Graph's context, or by being a Snapshot.
func declared(sources []entra.Source) bool {
	return slices.ContainsFunc(sources, func(s entra.Source) bool {
		text, err := entra.Canonical(s.Data)
		if err != nil {
			return false
		}
		var top struct {
			Context string `json:"@odata.context"`
			Schema  string `json:"schema"`
		}
		return json.Unmarshal(text, &top) == nil && (top.Context != "" || top.Schema != "")
	})
}

// sparse reports whether less than half of the tenant's policies are among those
// of the other content.
func sparse(base, next *entra.Content) bool {
	if len(next.Policies) == 0 {
		return false
	}
	m := match(shelfFor(KindPolicy), base, next)
	return 2*len(m.pairs) < len(base.Policies)
}

func readDrafts(sources []entra.Source) (*Proposal, error) {
	changes, err := FromDraft(sources...)
	if err != nil {
		return nil, err
	}
	return &Proposal{Format: FormatDraft, Changes: changes}, nil
}

// mistake explains a format that cannot be used. Of a file that is no JSON at
// all it says where.
func mistake(f Format, s entra.Source) error {
	if f == FormatUnknown {
		if next, err := entra.Read(s); err == nil && len(next.View().Troubles) > 0 {
			return &TroubleError{next.View().Troubles}
		}
	}
	e := mistakes[f]
	e.File = s.Name
	return &e
}

// inFile adds the name of the file to what FromTerraform says.
func inFile(name string, err error) error {
	if e, ok := errors.AsType[*FormatError](err); ok && e.File == "" {
		named := *e
		named.File = name
		return &named
	}
	return err
}
