package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The names of the fields are those of SPDX 2.3, section 6 (document), 7
// (package) and 11 (relationship). Only what we can vouch for is filled in.

type document struct {
	Version       string         `json:"spdxVersion"`
	DataLicence   string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []spdxPackage  `json:"packages"`
	Relationships []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type spdxPackage struct {
	Name             string        `json:"name"`
	ID               string        `json:"SPDXID"`
	Version          string        `json:"versionInfo"`
	DownloadLocation string        `json:"downloadLocation"`
	FilesAnalyzed    bool          `json:"filesAnalyzed"`
	Concluded        string        `json:"licenseConcluded"`
	Declared         string        `json:"licenseDeclared"`
	Copyright        string        `json:"copyrightText"`
	Purpose          string        `json:"primaryPackagePurpose"`
	Checksums        []checksum    `json:"checksums,omitempty"`
	References       []externalRef `json:"externalRefs,omitempty"`
	Comment          string        `json:"comment,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type externalRef struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	Element string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	Related string `json:"relatedSpdxElement"`
}

const (
	documentID = "SPDXRef-DOCUMENT"
	productID  = "SPDXRef-Package-halligan"
	noClaim    = "NOASSERTION"
)

// spdx returns the bill of materials of a release that was made at a given time.
func spdx(version string, at time.Time, p parts) ([]byte, error) {
	d := document{
		Version:     "SPDX-2.3",
		DataLicence: "CC0-1.0",
		ID:          documentID,
		Name:        "halligan-" + version,
		Creation: creation{
			Created:  at.UTC().Format("2006-01-02T15:04:05Z"),
			Creators: []string{"Tool: halligan-inventory"},
		},
		Packages: []spdxPackage{{
			Name: "halligan", ID: productID, Version: version, DownloadLocation: noClaim,
			Concluded: "Apache-2.0", Declared: "Apache-2.0", Copyright: noClaim, Purpose: "APPLICATION",
			Comment: "Binaries for " + strings.Join(p.allTargets, ", ") + ".",
		}},
		Relationships: []relationship{{documentID, "DESCRIBES", productID}},
	}
	linked := []spdxPackage{{
		Name: "stdlib", Version: p.goVersion, References: purl("pkg:golang/stdlib@" + p.goVersion),
		Comment: "The Go standard library and runtime.",
	}}
	for _, module := range p.modules {
		sum, err := hexSum(module.sum)
		if err != nil {
			return nil, fmt.Errorf("hash of %s: %w", module.path, err)
		}
		comment := "The checksum is the h1 hash of go.sum: SHA-256 over the sorted names and SHA-256 hashes of the module's files."
		if !slices.Equal(module.targets, p.allTargets) {
			comment += " Only in the binaries for " + strings.Join(module.targets, ", ") + "."
		}
		linked = append(linked, spdxPackage{
			Name: module.path, Version: module.version,
			Checksums:  []checksum{{"SHA256", sum}},
			References: purl(moduleURL(module)),
			Comment:    comment,
		})
	}
	for _, l := range linked {
		l.ID = identifier(l.Name + "-" + l.Version)
		l.DownloadLocation, l.Concluded, l.Declared, l.Copyright = noClaim, noClaim, noClaim, noClaim
		l.Purpose = "LIBRARY"
		d.Packages = append(d.Packages, l)
		d.Relationships = append(d.Relationships, relationship{productID, "DEPENDS_ON", l.ID})
	}
	// The namespace must differ between documents that differ, so it comes from
	// the content.
	content, err := encode(d)
	if err != nil {
		return nil, err
	}
	d.Namespace = fmt.Sprintf("https://spdx.org/spdxdocs/halligan-%s-%x", version, sha256.Sum256(content))
	return encode(d)
}

func encode(d document) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	err := e.Encode(d)
	return b.Bytes(), err
}

// hexSum turns the h1 hash of go.sum into the hexadecimal form of SPDX.
func hexSum(sum string) (string, error) {
	text, is := strings.CutPrefix(sum, "h1:")
	if !is {
		return "", fmt.Errorf("%q is not an h1 hash", sum)
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%q is not a SHA-256 hash in base64", sum)
	}
	return hex.EncodeToString(raw), nil
}

func purl(locator string) []externalRef {
	return []externalRef{{"PACKAGE-MANAGER", "purl", locator}}
}

// moduleURL is the package URL of a module. The type golang wants lower case; a
// plus sign would be read as a space.
func moduleURL(module part) string {
	return "pkg:golang/" + strings.ToLower(module.path) + "@" + strings.ReplaceAll(module.version, "+", "%2B")
}

var notInIdentifier = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// identifier makes an SPDX identifier, in which only letters, digits, dots and
// hyphens may stand.
func identifier(name string) string {
	return "SPDXRef-Package-" + notInIdentifier.ReplaceAllString(name, "-")
}
