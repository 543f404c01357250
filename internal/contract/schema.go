package contract

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemas is the second witness: the published schemas, rewritten from OpenAPI
// 3.0 to JSON Schema 2020-12 and compiled by a library when they are first asked
// for.
//
// A validator does not follow @odata.type (x-ms-discriminator). So each schema
// that others derive from exists twice: as itself, for the allOf of those that
// derive; and as "name or derived", which every other reference means and which
// asks in addition for the schema that @odata.type names.
type schemas struct {
	sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

const schemaURL = "contract:description.json"

const dispatch = " or derived"

// correctDates lets the date within an error stand without a zone, as recorded
// answers have it ("2020-11-04T21:55:49"): the description says date-time, the
// page only "date-time" in words (https://learn.microsoft.com/graph/errors, read
// 2026-11-21).
func correctDates(types index, d document) {
	if t := types["microsoft.graph.ODataErrors.InnerError"]; t != nil {
		t.Properties["date"] = "string:error-date?"
	}
	inner, _ := d.Components.Schemas["microsoft.graph.ODataErrors.InnerError"].(map[string]any)
	properties, _ := inner["properties"].(map[string]any)
	if date, is := properties["date"].(map[string]any); is {
		delete(date, "pattern")
	}
}

func newSchemas(d document) *schemas {
	all := map[string]any{}
	for name, schema := range d.Components.Schemas {
		s, _ := schema.(map[string]any)
		mapping := discriminator(s)
		all[name] = rewrite(schema, d.Components.Schemas, true)
		if len(mapping) == 0 {
			continue
		}
		options := []any{map[string]any{"$ref": "#/components/schemas/" + name}}
		for value, ref := range mapping {
			options = append(options, map[string]any{
				"if": map[string]any{
					"properties": map[string]any{"@odata.type": map[string]any{"const": value}},
					"required":   []any{"@odata.type"},
				},
				"then": map[string]any{"$ref": ref},
			})
		}
		all[name+dispatch] = map[string]any{"allOf": options}
	}
	paths := map[string]any{}
	for path, methods := range d.Paths {
		operations := map[string]any{}
		for method, raw := range methods {
			var operation any
			if json.Unmarshal(raw, &operation) == nil {
				operations[method] = rewrite(operation, d.Components.Schemas, false)
			}
		}
		paths[path] = operations
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	// Adding a document that was just built can only fail on its address.
	if err := compiler.AddResource(schemaURL, map[string]any{
		"$schema":    "https://json-schema.org/draft/2020-12/schema",
		"components": map[string]any{"schemas": all},
		"paths":      paths,
	}); err != nil {
		panic(err)
	}
	return &schemas{compiler: compiler, compiled: map[string]*jsonschema.Schema{}}
}

func discriminator(schema map[string]any) map[string]any {
	if d, is := schema["x-ms-discriminator"].(map[string]any); is {
		mapping, _ := d["mapping"].(map[string]any)
		return mapping
	}
	parts, _ := schema["allOf"].([]any)
	for _, part := range parts {
		if p, is := part.(map[string]any); is {
			if m := discriminator(p); m != nil {
				return m
			}
		}
	}
	return nil
}

// rewrite copies a schema. inherits says that it is the schema of a type, whose
// own allOf names what it derives from.
func rewrite(schema any, all map[string]any, inherits bool) any {
	switch s := schema.(type) {
	case []any:
		list := make([]any, len(s))
		for i, part := range s {
			list[i] = rewrite(part, all, inherits)
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for key, part := range s {
			switch key {
			case "description", "title", "externalDocs", "x-ms-discriminator", "nullable", "format":
			case "allOf":
				object[key] = rewrite(part, all, inherits)
			case "properties": // whose keys are names, not keywords
				properties, _ := part.(map[string]any)
				copied := map[string]any{}
				for name, property := range properties {
					copied[name] = rewrite(property, all, false)
				}
				object[key] = copied
			case "$ref":
				object[key] = reference(part, all, inherits)
			default:
				object[key] = rewrite(part, all, false)
			}
		}
		if s["nullable"] == true {
			if kind, is := s["type"].(string); is {
				object["type"] = []any{kind, "null"}
			}
			if members, is := s["enum"].([]any); is && s["type"] != nil {
				object["enum"] = append(members[:len(members):len(members)], nil)
			}
		}
		return object
	}
	return schema
}

func reference(ref any, all map[string]any, inherits bool) any {
	text, _ := ref.(string)
	name, is := strings.CutPrefix(text, "#/components/schemas/")
	if !is || inherits {
		return ref
	}
	if target, _ := all[name].(map[string]any); len(discriminator(target)) > 0 {
		return strings.ReplaceAll(text+dispatch, " ", "%20")
	}
	return ref
}

// check holds a body against the schema at a JSON pointer of the document.
func (s *schemas) check(pointer string, body any) error {
	s.Lock()
	schema := s.compiled[pointer]
	if schema == nil {
		var err error
		address := schemaURL + strings.NewReplacer("{", "%7B", "}", "%7D", " ", "%20").Replace(pointer)
		if schema, err = s.compiler.Compile(address); err != nil {
			s.Unlock()
			return fmt.Errorf("compile %s: %w", pointer, err)
		}
		s.compiled[pointer] = schema
	}
	s.Unlock()
	return schema.Validate(body)
}
