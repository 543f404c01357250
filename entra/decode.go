package entra

import (
	"encoding/json"
	"errors"
)

// DecodePolicy reads one Conditional Access policy in Graph's form. The error
// is a *SyntaxError when the text is not JSON. What the policy holds beyond our
// types is in its Unmodelled.
func DecodePolicy(data []byte) (Policy, error) {
	return decodeOne(data, decodePolicy)
}

// DecodeLocation reads one named location in Graph's form.
func DecodeLocation(data []byte) (NamedLocation, error) {
	return decodeOne(data, decodeLocation)
}

// DecodeStrength reads one authentication strength policy in Graph's form.
func DecodeStrength(data []byte) (AuthStrength, error) {
	return decodeOne(data, decodeStrength)
}

// DecodeMethodsPolicy reads the authentication methods policy in Graph's form.
func DecodeMethodsPolicy(data []byte) (MethodsPolicy, error) {
	return decodeOne(data, decodeMethodsPolicy)
}

// DecodeMethod reads one registered authentication method in Graph's form.
func DecodeMethod(data []byte) (AuthMethod, error) {
	return decodeOne(data, func(doc *document, v *node, _ Origin) (AuthMethod, []Trouble) {
		return decodeMethod(doc, v), nil
	})
}

// Canonical returns a JSON text in the one form in which a Snapshot keeps it:
// UTF-8, no white space, keys of every object in bytewise order, numbers and
// keys as spelled.
func Canonical(data []byte) (json.RawMessage, error) {
	_, obj, err := single(data)
	if err != nil {
		return nil, err
	}
	return obj.canonical(nil), nil
}

func decodeOne[T any](data []byte, decode func(*document, *node, Origin) (T, []Trouble)) (T, error) {
	doc, obj, err := single(data)
	if err == nil && obj.kind != '{' {
		err = errors.New("decode: not a JSON object")
	}
	if err != nil {
		var zero T
		return zero, err
	}
	v, _ := decode(doc, obj, Origin{})
	return v, nil
}

func single(data []byte) (*document, *node, error) {
	doc, syntax := parse("", toUTF8(data), DefaultLimits.Depth)
	switch {
	case syntax != nil:
		return nil, nil, syntax
	case len(doc.values) != 1:
		return nil, nil, errors.New("decode: not one JSON value")
	}
	return doc, &doc.values[0], nil
}
