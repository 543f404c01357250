package app_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"halligan/internal/app"
	"halligan/register"
)

var surviveSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	return jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "survive.schema.json"))
})

// conformsToSurvive holds a report against docs/survive.schema.json.
func conformsToSurvive(t *testing.T, r *app.SurviveReport) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := ofSurviveSchema(t, text); err != nil {
		t.Errorf("the report is not of its schema: %v", err)
	}
}

func ofSurviveSchema(t *testing.T, text []byte) error {
	t.Helper()
	schema, err := surviveSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(doc)
}

// What survive prints has the published form: of an empty register, of one scenario,
// and of accounts of which nothing is known. (The examples and the tenants are held
// to it where they are judged.)
func TestSurviveHasItsPublishedForm(t *testing.T) {
	accounts := []register.Account{{ID: "00000000-0000-4000-8000-000000000001", Pattern: register.PatternAccountReset}, {ID: "00000000-0000-4000-8000-000000000002", Pattern: register.PatternFIDO2}}
	for name, req := range map[string]app.SurviveRequest{
		"nothing":          {},
		"nothing recorded": {Register: &register.Register{Accounts: accounts}},
		"one scenario":     {Register: &register.Register{Accounts: accounts}, Scenario: "office-burnt"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := app.Survive(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			conformsToSurvive(t, r)
		})
	}
}

// The schema refuses what survive never prints.
func TestTheSurviveSchemaIsStrict(t *testing.T) {
	good := surviveOf(t, "custody/ians.yaml")
	text, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another key":    {`"holds":`, `"keeps":`},
		"another answer": {`"works":"yes"`, `"works":"probably"`},
		"another loss":   {`"kind":"place"`, `"kind":"cupboard"`},
		"another form":   {"halligan-survive/1", "halligan-survive/2"},
		"a secret":       {`"people":`, `"password":"x","people":`},
	} {
		bad := bytes.Replace(text, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(bad, text) || ofSurviveSchema(t, bad) == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
