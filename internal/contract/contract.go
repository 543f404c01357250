// Package contract holds what is said to Microsoft Graph, and what an emulated
// Graph answers, against Microsoft's own published description of it: the
// operations and their parameters (openapi-*.json), the types and their
// properties (types-*.json), the permissions (operations.tsv) and the requests
// and answers that the documentation shows (examples/).
//
// It serves tests alone: only _test.go files import it. A test names the folder
// of the description by HALLIGAN_CONTRACT (internal/testenv).
//
// It promises that whatever it does not know is a violation: an operation, a
// query option, a property, a type, an enumeration member, a success code. What
// Microsoft documents elsewhere is allowed only by a row of Exceptions or
// PropertyExceptions, which names the page and the day it was read; a row that
// nothing needs is a violation too (Report.Unused).
//
// Two witnesses judge each body. The walker (types.go) follows @odata.type,
// knows which properties exist, and asks for null, enumerations and formats; the
// published schemas (schema.go) are compiled by a JSON Schema library and asked
// as they stand. Neither is trusted to cover for the other.
package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// The versions of Graph, and Azure Resource Manager, which no part of the
// description covers.
const (
	V1   = "v1.0"
	Beta = "beta"
	ARM  = "arm"
)

// Violation is one way in which an exchange differs from the description.
type Violation struct {
	// Rule is the rule that is broken, one word: path, query, header, body,
	// property, null, type, enum, value, discriminator, schema, status, context,
	// error, batch, select, link.
	Rule string
	// Where is "request" or "response" and a JSON pointer or the name of a query
	// option or header.
	Where string
	// Text says what is wrong.
	Text string
}

func (v Violation) String() string { return v.Where + ": " + v.Text + " (" + v.Rule + ")" }

// Operation is one operation of the description, or one row of Exceptions.
type Operation struct {
	Method  string
	Path    string // the template, as the description writes it
	Version string // V1, Beta or ARM
	Docs    string // the documentation page

	// Query lists the query options; Headers the headers beyond the usual.
	Query, Headers []string
	// Item is the type of the answer, or of the elements of its list; empty when
	// the answer is no object.
	Item string
	// List says that the answer is a list of Item, in pages.
	List bool
	// Exception is set for an operation that the description does not have.
	Exception *Exception

	template     template
	request      string // type expression of the request's body; empty: none
	bodyRequired bool
	response     string // type expression of the answer's body; empty: none
	plain        bool   // the answer is text/plain
	declared     []string
	success      []int    // exact success codes, from the examples
	delegated    []string // every delegated permission that suffices
	application  []string
	requestRef   string
	responseRef  string
}

// String names the operation: "GET v1.0 /users/{user-id}".
func (o *Operation) String() string { return o.Method + " " + o.Version + " " + o.Path }

// Contract is the description, loaded. It is safe for concurrent use.
type Contract struct {
	operations map[string][]*Operation // by version
	types      map[string]index        // by version
	rows       map[string]Permissions  // by version, method and path
	examples   []Example
	examplesOf map[*Operation][]Example
	schemas    map[string]*schemas
}

var loaded struct {
	sync.Mutex
	folders map[string]func() (*Contract, error)
}

// Load reads the description from a folder. Tests of one binary share what was
// read.
func Load(dir string) (*Contract, error) {
	loaded.Lock()
	if loaded.folders == nil {
		loaded.folders = map[string]func() (*Contract, error){}
	}
	once, known := loaded.folders[dir]
	if !known {
		once = sync.OnceValues(func() (*Contract, error) { return load(dir) })
		loaded.folders[dir] = once
	}
	loaded.Unlock()
	return once()
}

func load(dir string) (*Contract, error) {
	c := &Contract{operations: map[string][]*Operation{}, types: map[string]index{}, schemas: map[string]*schemas{}}
	rows, err := readPermissions(filepath.Join(dir, "operations.tsv"))
	if err != nil {
		return nil, err
	}
	c.rows = rows
	for _, version := range []string{V1, Beta} {
		var types index
		if err := readJSON(filepath.Join(dir, "types-"+version+".json"), &types); err != nil {
			return nil, err
		}
		var doc document
		if err := readJSON(filepath.Join(dir, "openapi-"+version+".json"), &doc); err != nil {
			return nil, err
		}
		correctDates(types, doc)
		c.types[version] = types
		if c.operations[version], err = doc.operations(version, types); err != nil {
			return nil, err
		}
		c.schemas[version] = newSchemas(doc)
	}
	c.types[ARM] = index{}
	for _, types := range c.types {
		if err := types.sound(); err != nil {
			return nil, err
		}
	}
	if err := c.addExceptions(); err != nil {
		return nil, err
	}
	if c.examples, err = readExamples(filepath.Join(dir, "examples")); err != nil {
		return nil, err
	}
	c.learn()
	return c, nil
}

func readJSON(file string, into any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the description of Graph: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read the description of Graph from %s: %w", file, err)
	}
	return nil
}

// Operations lists the operations of the description and the exceptions, by
// version, path and method.
func (c *Contract) Operations() []*Operation {
	var all []*Operation
	for _, version := range []string{V1, Beta, ARM} {
		all = append(all, c.operations[version]...)
	}
	return all
}

// Find returns the operation that a request addresses: the version, and the path
// below it as it stands in the address. The error says what is not described.
func (c *Contract) Find(method, version, path string) (*Operation, error) {
	segments, err := split(path)
	if err != nil {
		return nil, err
	}
	var best *Operation
	var methods []string
	for _, o := range c.operations[version] {
		if !o.template.matches(segments) {
			continue
		}
		if o.Method != method {
			methods = append(methods, o.Method)
			continue
		}
		if best == nil || o.template.literals > best.template.literals {
			best = o
		}
	}
	if best != nil {
		return best, nil
	}
	if len(methods) > 0 {
		slices.Sort(methods)
		return nil, fmt.Errorf("%s is not described for %s, only %s", method, path, strings.Join(slices.Compact(methods), ", "))
	}
	for other := range c.operations {
		if other == version {
			continue
		}
		if o, err := c.findIn(method, other, segments); err == nil {
			return nil, fmt.Errorf("%s %s is described in %s, not in %s", method, path, o.Version, version)
		}
	}
	return nil, fmt.Errorf("%s %s is not described in %s: a row of contract.Exceptions must name its page", method, path, version)
}

func (c *Contract) findIn(method, version string, segments []string) (*Operation, error) {
	for _, o := range c.operations[version] {
		if o.Method == method && o.template.matches(segments) {
			return o, nil
		}
	}
	return nil, fmt.Errorf("not described")
}

// Properties returns the structural properties of a type with those it inherits,
// each with the expression of its type, and whether the type exists.
func (c *Contract) Properties(version, name string) (map[string]string, bool) {
	types := c.types[version]
	if _, known := types[name]; !known {
		return nil, false
	}
	all := map[string]string{}
	for _, t := range types.chain(name) {
		for property, expression := range t.Properties {
			if _, shadowed := all[property]; !shadowed {
				all[property] = expression
			}
		}
	}
	return all, true
}
