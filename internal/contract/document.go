package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is what is read of an OpenAPI document.
type document struct {
	Paths      map[string]map[string]json.RawMessage `json:"paths"`
	Components struct {
		Schemas map[string]any `json:"schemas"`
	} `json:"components"`
}

type published struct {
	Docs struct {
		URL string `json:"url"`
	} `json:"externalDocs"`
	Parameters []struct {
		Name string `json:"name"`
		In   string `json:"in"`
	} `json:"parameters"`
	Body *struct {
		Required bool             `json:"required"`
		Content  map[string]media `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content map[string]media `json:"content"`
	} `json:"responses"`
	Permissions struct {
		Delegated   []string `json:"delegated"`
		Application []string `json:"application"`
	} `json:"x-graph-permissions"`
}

type media struct {
	Schema map[string]any `json:"schema"`
}

// operations reads the operations. What a body is made of is written as types:
// a schema that has no name becomes a type of its own in types.
func (d *document) operations(version string, types index) ([]*Operation, error) {
	var all []*Operation
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		t, err := parseTemplate(path)
		if err != nil {
			return nil, err
		}
		for _, method := range slices.Sorted(maps.Keys(d.Paths[path])) {
			if method == "parameters" {
				continue
			}
			var p published
			if err := json.Unmarshal(d.Paths[path][method], &p); err != nil {
				return nil, fmt.Errorf("read the operation %s %s: %w", method, path, err)
			}
			o := &Operation{Method: strings.ToUpper(method), Path: path, Version: version, Docs: p.Docs.URL, template: t}
			o.read(p, types)
			all = append(all, o)
		}
	}
	return all, nil
}

func (o *Operation) read(p published, types index) {
	for _, parameter := range p.Parameters {
		switch parameter.In {
		case "query":
			o.Query = append(o.Query, parameter.Name)
		case "header":
			o.Headers = append(o.Headers, parameter.Name)
		}
	}
	o.delegated, o.application = p.Permissions.Delegated, p.Permissions.Application
	pointer := "#/paths/" + escape(o.Path) + "/" + strings.ToLower(o.Method)
	if p.Body != nil {
		o.bodyRequired = p.Body.Required
		o.request = expression(p.Body.Content["application/json"].Schema, o.String()+" request", types)
		o.requestRef = pointer + "/requestBody/content/application~1json/schema"
	}
	for _, code := range slices.Sorted(maps.Keys(p.Responses)) {
		if !strings.HasPrefix(code, "2") {
			continue
		}
		o.declared = append(o.declared, code)
		content := p.Responses[code].Content
		if m, is := content["text/plain"]; is {
			o.plain, o.response = true, expression(m.Schema, o.String()+" response", types)
			continue
		}
		if m, is := content["application/json"]; is {
			o.response = expression(m.Schema, o.String()+" response", types)
			o.responseRef = pointer + "/responses/" + code + "/content/application~1json/schema"
		}
	}
	o.describe(types)
}

// describe says what the answer holds: an object, or a list of them.
func (o *Operation) describe(types index) {
	name, _ := element(o.response)
	t := types[name]
	if t == nil {
		return
	}
	value, _, wrapped := types.property(name, "value")
	if t.Kind == "entity" || !wrapped {
		o.Item = name
		return
	}
	if !slices.Contains(t.required, "value") {
		t.required = append(t.required, "value")
	}
	item, collection := element(value)
	if _, primitive := primitives[item]; !primitive {
		o.Item = item
	}
	o.List = collection
}

// expression writes a schema as a type expression.
func expression(schema map[string]any, name string, types index) string {
	if schema == nil {
		return "any?"
	}
	if ref, is := schema["$ref"].(string); is {
		return ref[strings.LastIndex(ref, "/")+1:]
	}
	null := ""
	if schema["nullable"] == true {
		null = "?"
	}
	if options, is := schema["anyOf"].([]any); is { // [reference, null]
		for _, option := range options {
			if ref, is := option.(map[string]any)["$ref"].(string); is {
				return ref[strings.LastIndex(ref, "/")+1:] + "?"
			}
		}
	}
	switch schema["type"] {
	case "array":
		items, _ := schema["items"].(map[string]any)
		return "Collection(" + strings.TrimSuffix(expression(items, name+" item", types), "?") + ")" + null
	case "string", "integer", "number", "boolean":
		text := schema["type"].(string)
		if format, is := schema["format"].(string); is {
			if _, known := primitives[text+":"+format]; known {
				text += ":" + format
			}
		}
		return text + null
	case nil:
		if schema["allOf"] == nil && schema["properties"] == nil {
			return "any?"
		}
	}
	types[name] = inline(schema, name, types)
	return name + null
}

// inline makes a type of a schema without a name.
func inline(schema map[string]any, name string, types index) *typeInfo {
	t := &typeInfo{Kind: "complex", Properties: map[string]string{}}
	parts, _ := schema["allOf"].([]any)
	for _, part := range append([]any{schema}, parts...) {
		object, _ := part.(map[string]any)
		if ref, is := object["$ref"].(string); is {
			t.Base = ref[strings.LastIndex(ref, "/")+1:]
		}
		properties, _ := object["properties"].(map[string]any)
		for key, property := range properties {
			if strings.HasPrefix(key, "@") {
				continue
			}
			s, _ := property.(map[string]any)
			t.Properties[key] = expression(s, name+"/"+key, types)
		}
		required, _ := object["required"].([]any)
		for _, key := range required {
			t.required = append(t.required, fmt.Sprint(key))
		}
		if object["additionalProperties"] != nil {
			t.Open = true
		}
	}
	return t
}
