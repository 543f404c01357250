package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"halligan/lockout"
)

// envelope reads --dimension and --workstation.
func envelope(dimensions []string, workstation string) (map[lockout.Dimension]lockout.Quantifier, error) {
	out := map[lockout.Dimension]lockout.Quantifier{}
	for _, text := range dimensions {
		name, q, err := quantifier(text)
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, misused("", "dimension %s is given twice", name)
		}
		out[name] = q
	}
	if workstation == "" {
		return out, nil
	}
	if _, twice := out[lockout.DimDevice]; twice {
		return nil, misused("", "--workstation and --dimension device say the same thing twice")
	}
	q, err := device(workstation)
	if err != nil {
		return nil, err
	}
	out[lockout.DimDevice] = q
	return out, nil
}

const dimensionForm = "write NAME=forall:VALUES or NAME=exists:VALUES, for example country=forall:DE|FR or platform=exists:*"

func quantifier(text string) (lockout.Dimension, lockout.Quantifier, error) {
	name, rest, ok := strings.Cut(text, "=")
	word, values, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return "", lockout.Quantifier{}, misused(dimensionForm, "dimension %q cannot be read", text)
	}
	var dim lockout.Dimension
	var names []string
	for _, d := range lockout.Dimensions {
		names = append(names, string(d))
		if strings.EqualFold(string(d), strings.TrimSpace(name)) {
			dim = d
		}
	}
	if dim == "" {
		return "", lockout.Quantifier{}, misused(suggest(name, names, "dimensions: "+strings.Join(names, ", ")), "no dimension %q", name)
	}
	var q lockout.Quantifier
	switch strings.TrimSpace(word) {
	case "forall":
	case "exists":
		q.Exists = true
	default:
		return "", q, misused(dimensionForm, "dimension %s is neither forall nor exists but %q", dim, word)
	}
	if strings.TrimSpace(values) == "*" {
		q.All = true
		return dim, q, nil
	}
	if dim == lockout.DimDevice {
		d, err := device(values)
		d.Exists = q.Exists
		return dim, d, err
	}
	for value := range strings.SplitSeq(values, "|") {
		q.Values = append(q.Values, strings.TrimSpace(value))
	}
	return dim, q, nil
}

// device reads the workstations that an operator declares: one device or a list.
func device(text string) (lockout.Quantifier, error) {
	var q lockout.Quantifier
	switch text = strings.TrimSpace(text); text {
	case "any":
		q.All = true
		return q, nil
	case "unregistered":
		q.Devices = []lockout.Device{{}}
		return q, nil
	}
	if !strings.HasPrefix(text, "[") {
		text = "[" + text + "]"
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&q.Devices); err != nil || len(q.Devices) == 0 {
		hint := `any, unregistered, or for example {"registered":true,"attributes":{"isCompliant":["True"],"trustType":["AzureAD"]}}`
		return q, misused(hint, "workstation cannot be read: %w", orNone(err))
	}
	return q, nil
}

func orNone(err error) error {
	if err == nil {
		return fmt.Errorf("the list is empty")
	}
	return err
}
