package contract

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Example is a request with its answer as the documentation shows them. The
// documentation shortens answers and writes placeholders such as {id}.
type Example struct {
	// File is the name of the file, "v1.0.user-get.1.json"; Version, Page and N
	// are its parts.
	File, Version, Page string
	N                   int
	// Source is the document that it was taken from.
	Source   string
	Exchange Exchange
}

var exampleName = regexp.MustCompile(`^(v1\.0|beta)\.([\w-]+)\.(\d+)\.json$`)

// spelling corrects addresses of the documentation that Graph takes, since it
// looks neither at case nor at a slash at the end, and that Halligan must not
// write: the description knows one way to write each.
var spelling = strings.NewReplacer("/deleteditems/", "/deletedItems/", "/signins?", "/signIns?", "$filter = ", "$filter=",
	"$select=id,DisplayName,", "$select=id,displayName,", "$orderbydisplayName", "$orderby=displayName")

func readExamples(folder string) ([]Example, error) {
	files, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("read the examples of Graph: %w", err)
	}
	var all []Example
	for _, file := range files {
		m := exampleName.FindStringSubmatch(file.Name())
		if m == nil {
			return nil, fmt.Errorf("read the examples of Graph: %s is no name of an example", file.Name())
		}
		n, _ := strconv.Atoi(m[3])
		var text struct {
			Source         string            `json:"source"`
			Method         string            `json:"method"`
			URL            string            `json:"url"`
			RequestHeaders map[string]string `json:"requestHeaders"`
			RequestBody    rawBody           `json:"requestBody"`
			Status         int               `json:"status"`
			ResponseBody   rawBody           `json:"responseBody"`
		}
		if err := readJSON(filepath.Join(folder, file.Name()), &text); err != nil {
			return nil, err
		}
		header := http.Header{}
		for name, value := range text.RequestHeaders {
			header.Set(name, value)
		}
		address := strings.ReplaceAll(spelling.Replace(text.URL), " ", "%20")
		if path, query, has := strings.Cut(address, "?"); has {
			address = strings.TrimSuffix(path, "/") + "?" + strings.TrimPrefix(query, "&")
		} else {
			address = strings.TrimSuffix(path, "/")
		}
		if strings.HasPrefix(address, "/") {
			address = "https://graph.microsoft.com/" + m[1] + address
		}
		all = append(all, Example{File: file.Name(), Version: m[1], Page: m[2], N: n, Source: text.Source, Exchange: Exchange{
			Method: text.Method, URL: address, RequestHeader: header, RequestBody: text.RequestBody,
			Status: text.Status, ResponseBody: text.ResponseBody,
		}})
	}
	return all, nil
}

// Examples lists the examples of the documentation, in the order of their files.
func (c *Contract) Examples() []Example { return c.examples }

// ExamplesOf lists the examples of one operation.
func (c *Contract) ExamplesOf(o *Operation) []Example { return c.examplesOf[o] }

func (c *Contract) operationOf(x Exchange) (*Operation, error) {
	version, path, _, err := address(x.URL)
	if err != nil {
		return nil, err
	}
	return c.Find(x.Method, version, path)
}

// learn gives each operation its examples, and takes the exact success codes from
// them: the description says 2XX only.
func (c *Contract) learn() {
	c.examplesOf = map[*Operation][]Example{}
	for _, e := range c.examples {
		o, err := c.operationOf(e.Exchange)
		if err != nil {
			continue
		}
		c.examplesOf[o] = append(c.examplesOf[o], e)
		if e.Exchange.Status >= 300 {
			continue
		}
		for _, version := range []string{V1, Beta} {
			for _, same := range c.operations[version] {
				if same.Method == o.Method && same.Path == o.Path && !slices.Contains(same.success, e.Exchange.Status) {
					same.success = append(same.success, e.Exchange.Status)
				}
			}
		}
	}
}
