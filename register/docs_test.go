package register_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"halligan/register"
)

var update = flag.Bool("update", false, "rewrite generated documents; read the difference as code")

const schemaFile = "../docs/halligan.schema.json"

// docs/config.md and docs/halligan.schema.json are written from the tables that
// the decoder uses, so neither can promise a key that is refused.
func TestDocsAreCurrent(t *testing.T) {
	for document, want := range map[string][]byte{
		"../docs/config.md": configDocument(), schemaFile: schemaDocument(t),
	} {
		if *update {
			if err := os.WriteFile(document, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go test ./register -update", document)
		}
	}
}

func configDocument() []byte {
	var b bytes.Buffer
	b.WriteString(`# halligan.yaml

<!-- Written by go test ./register -update. Do not edit. -->

The register says which accounts are the emergency access accounts of a tenant, what is intended for them, who holds
what where, and what people stated or accepted. It is read strictly: a key that is not below is an error with its line.
It holds no secrets, and a value that looks like one is refused. Anchors, aliases, tags and a second document are refused.

Object ids are GUIDs and compare without case. A day is written 2027-02-01 and means the day in UTC; what holds until a day
holds through it. ` + "`examples/registers`" + ` has whole files, and editors check against ` + "`docs/halligan.schema.json`" + ` when
the first line is

    # yaml-language-server: $schema=halligan.schema.json
`)
	fmt.Fprintf(&b, "\n## An example: who holds what where\n\n%s\n```yaml\n%s```\n\n%s", exampleBefore, custodyExample, exampleAfter)
	for _, shape := range register.Shapes() {
		if shape.Name == "settings" {
			continue
		}
		title := shape.Name
		if title == register.RootShape {
			title = "the document"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| key | type | needed | meaning |\n|---|---|---|---|\n", title, cell(shape.Doc))
		for _, f := range shape.Fields {
			needed := ""
			if f.Required {
				needed = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Key, typeText(f), needed, cell(f.Doc))
		}
	}
	b.WriteString("\n## settings\n\nWhere the sources contradict each other the tenant decides. Each setting has a default, and these are the texts behind it.\n")
	thresholds := false
	for _, s := range register.SettingsTable() {
		if s.Conflict == "" && !thresholds {
			thresholds = true
			b.WriteString("\n## settings: thresholds\n")
		}
		describeSetting(&b, s)
	}
	return b.Bytes()
}

// The example of docs/config.md.
const (
	exampleBefore = `A part says what it is, of which account, who holds it, where it lies and under which seal. A key without its PIN opens nothing, so the two lie apart.
`
	custodyExample = `version: 1
tenant:
  id: 8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b
accounts:
  - id: 2786d9fb-aa4e-4778-8abb-11a546852728
    name: ea-north@contoso.onmicrosoft.com
    pattern: fido2
    keys:
      - {label: North A, serial: "40000001", aaguid: 2fc0579f-8113-47ea-b116-bb5a8db9202a}
  - id: 3897eafc-bb5f-4889-9bcc-22b657963839
    name: ea-south@contoso.onmicrosoft.com
    pattern: splitPassword
people:
  - {name: Ana Weiss, reach: ["+49 30 1234567", ana@home.example]}
  - {name: Ben Ode, reach: ["+351 21 7654321", ben@home.example]}
  - {name: Dora Ek, reach: ["+46 8 246810", dora@home.example]}
  - {name: Emil Roe, reach: ["+46 8 135790", emil@home.example]}
places:
  # Who can open a place has what lies in it: a seal shows that, and does not prevent it.
  - name: Main safe
    kind: safe
    site: Lisbon
    fireproof: true
    access: [Ana Weiss]
    combinationChanged: 2026-10-01 # the day, never the combination
  - name: Vault B
    kind: vault
    site: Porto
    offSite: true
    access: [Ben Ode]
parts:
  - name: north key
    account: 2786d9fb-aa4e-4778-8abb-11a546852728
    kind: key
    key: North A # label, serial or id of the key
    holder: Ana Weiss
    place: Main safe
    seal: "4401"
    since: 2026-10-01
  - name: north PIN
    account: 2786d9fb-aa4e-4778-8abb-11a546852728
    kind: pin
    key: North A
    holder: Ben Ode
    place: Vault B
    seal: "4402"
    since: 2026-10-01
  # Two of four shares of one set open the south account.
  - {name: south share 1, account: 3897eafc-bb5f-4889-9bcc-22b657963839, kind: share, set: 5f0c2a71b9d4e6f8, needed: 2, holder: Ana Weiss, place: Main safe, seal: "4403", since: 2026-10-01}
  - {name: south share 2, account: 3897eafc-bb5f-4889-9bcc-22b657963839, kind: share, set: 5f0c2a71b9d4e6f8, needed: 2, holder: Ben Ode, place: Vault B, seal: "4404", since: 2026-10-01}
  - {name: south share 3, account: 3897eafc-bb5f-4889-9bcc-22b657963839, kind: share, set: 5f0c2a71b9d4e6f8, needed: 2, holder: Dora Ek, seal: "4405", since: 2026-10-01}
  - {name: south share 4, account: 3897eafc-bb5f-4889-9bcc-22b657963839, kind: share, set: 5f0c2a71b9d4e6f8, needed: 2, holder: Emil Roe, seal: "4406", since: 2026-10-01}
  - {name: main safe combination, kind: combination, opens: Main safe, holder: Ana Weiss}
  - {name: binder, kind: binder, holder: Ben Ode, place: Vault B, seal: "4407", since: 2026-10-01}
`
	exampleAfter = `Whole registers: [two accounts](../examples/registers/two-accounts.yaml), [a bank](../examples/registers/bank.yaml), [one admin](../examples/registers/one-admin.yaml).
Three set-ups from the literature, each with what can be lost, worked out by hand: [IANS](../examples/custody/ians.yaml), [Bakker](../examples/custody/bakker.yaml),
[indefent](../examples/custody/indefent.yaml). What this register survives: ` + "`halligan survive`" + ` ([by which rules](survive.md)). Parts and places change by ` + "`halligan custody`" + `.
`
)

// The example is read as it stands in the document, and so is every register that the
// document links.
func TestTheExampleOfTheDocumentIsARegister(t *testing.T) {
	document, err := os.ReadFile("../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(document), "```yaml\n")
	text, rest, found := strings.Cut(text, "```\n")
	if !found {
		t.Fatal("the document has no example")
	}
	r, err := register.Parse("the example", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Parts) != 8 || len(r.Places) != 2 || r.Parts[0].Place != "Main safe" || r.Parts[3].Needed != 2 {
		t.Errorf("%+v", r)
	}
	if err := validate(t, registerSchema(t), []byte(text)); err != nil {
		t.Error(err)
	}
	links := regexp.MustCompile(`\]\(\.\./(examples/[^)]+\.yaml)\)`).FindAllStringSubmatch(rest, -1)
	if len(links) != 6 {
		t.Errorf("%d links", len(links))
	}
	for _, link := range links {
		text, err := os.ReadFile("../" + link[1])
		if err != nil {
			t.Error(err)
		} else if _, err := register.Parse(link[1], text); err != nil {
			t.Error(err)
		}
	}
}

func describeSetting(b *bytes.Buffer, s register.Setting) {
	fmt.Fprintf(b, "\n### `%s`", s.Key)
	if s.Conflict != "" {
		fmt.Fprintf(b, " (%s)", s.Conflict)
	}
	allowed := "one of `" + strings.Join(s.Words, "`, `") + "`"
	if s.Kind == register.KindNumber {
		allowed = strings.TrimSpace(fmt.Sprintf("%d to %d %s", s.Least, s.Most, s.Unit))
	}
	fmt.Fprintf(b, "\n\nDefault `%s`; %s.\n\n%s\n", s.Default, allowed, s.Doc)
	if len(s.Checks) > 0 {
		fmt.Fprintf(b, "\nChecks: `%s`.\n", strings.Join(s.Checks, "`, `"))
	}
	b.WriteString("\n| source | date | text |\n|---|---|---|\n")
	for _, side := range s.Sides {
		fmt.Fprintf(b, "| %s | %s | %s |\n", cell(side.Source), side.Date, cell(side.Text))
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func typeText(f register.Field) string {
	text := string(f.Kind)
	switch f.Kind {
	case register.KindWord:
		text = "`" + strings.Join(f.Words, "`, `") + "`"
	case register.KindMapping:
		text = fmt.Sprintf("[%s](#%s)", f.Shape, f.Shape)
	}
	if f.List {
		return "list of " + text
	}
	return text
}

type object = map[string]any

// schemaDocument is the JSON Schema of halligan.yaml: what an editor can check
// without reading two values together.
func schemaDocument(t *testing.T) []byte {
	t.Helper()
	defs := object{
		"guid": object{"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"},
		"day":  object{"type": "string", "format": "date"},
		"text": object{"type": []string{"string", "number"}},
	}
	root := object{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "halligan.yaml, version 1"}
	for _, shape := range register.Shapes() {
		properties, required := object{}, []string{}
		for _, f := range shape.Fields {
			property := typeSchema(f)
			property["description"] = f.Doc
			properties[f.Key] = property
			if f.Required {
				required = append(required, f.Key)
			}
		}
		def := object{"type": "object", "description": shape.Doc, "properties": properties, "required": required, "additionalProperties": false}
		switch shape.Name {
		case register.RootShape:
			for k, v := range def {
				root[k] = v
			}
			continue
		case "policy":
			def["anyOf"] = []object{{"required": []string{"id"}}, {"required": []string{"name"}}}
		}
		defs[shape.Name] = def
	}
	root["$defs"] = defs
	text, err := json.MarshalIndent(root, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

func typeSchema(f register.Field) object {
	value := object{}
	switch f.Kind {
	case register.KindID, register.KindGUID:
		value["$ref"] = "#/$defs/guid"
	case register.KindDay:
		value["$ref"] = "#/$defs/day"
	case register.KindNumber:
		value = object{"type": "integer", "minimum": f.Least, "maximum": f.Most}
	case register.KindFlag:
		value["type"] = "boolean"
	case register.KindWord:
		value["enum"] = f.Words
	case register.KindCheck:
		value = object{"type": "string", "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"}
	case register.KindMapping:
		value["$ref"] = "#/$defs/" + f.Shape
	default:
		value["$ref"] = "#/$defs/text"
	}
	switch {
	case f.List && f.Required:
		return object{"type": "array", "items": value, "minItems": 1}
	case f.List: // nothing under a key is an empty list
		return object{"type": []string{"array", "null"}, "items": value}
	case f.Kind == register.KindMapping:
		return object{"anyOf": []object{value, {"type": "null"}}}
	}
	return value
}

func registerSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("halligan.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("halligan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// What Parse reads, an editor accepts.
func TestSchemaAcceptsWhatParseDoes(t *testing.T) {
	schema := registerSchema(t)
	texts := map[string][]byte{"full": written(t, full()), "empty": written(t, &register.Register{Version: register.Version}), "nothing under keys": []byte("version: 1\naccounts:\ntenant:\npeople: []\n")}
	files, err := filepath.Glob("../examples/registers/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %q, %v", files, err)
	}
	for _, file := range files {
		if texts[file], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range texts {
		if _, err := register.Parse(name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := validate(t, schema, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What an editor can notice, it does; the rest needs two values together, or an
// eye for secrets.
func TestSchemaRefusesWhatItCan(t *testing.T) {
	schema := registerSchema(t)
	for _, name := range []string{"unknown_key", "wrong_types", "missing_keys", "enum", "account_by_name", "version", "days", "range", "secret_keys", "list", "check_ids"} {
		text, err := os.ReadFile(filepath.Join("testdata/bad", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, schema, text) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// A check id that the table names must be one: the form is all that this floor
// knows of checks.
func TestSettingsNameChecks(t *testing.T) {
	for _, s := range register.SettingsTable() {
		for _, id := range s.Checks {
			r := &register.Register{Version: register.Version, Attestations: []register.Attestation{{Check: id, By: "a", On: "2026-01-01", Until: "2026-01-01", Note: "b"}}}
			if _, err := r.Write(); err != nil {
				t.Errorf("%s: %v", s.Key, err)
			}
		}
		if sorted := slices.Clone(s.Checks); len(slices.Compact(sorted)) != len(s.Checks) {
			t.Errorf("%s names a check twice: %q", s.Key, s.Checks)
		}
	}
}
