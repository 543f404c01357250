package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/posture"
	"halligan/register"
)

// tenantEntry is one tenant of the file given with --tenants.
type tenantEntry struct {
	ID          entra.ID `yaml:"id"`
	Name        string   `yaml:"name"`
	Profile     string   `yaml:"profile"`
	Cloud       string   `yaml:"cloud"`
	CA          string   `yaml:"ca"`
	Client      string   `yaml:"client"`
	Certificate string   `yaml:"certificate"`
	SecretFile  string   `yaml:"secretFile"`
	TokenFile   string   `yaml:"tokenFile"`
	Register    string   `yaml:"register"`
}

// maxTenants bounds the file; a provider has thousands.
const maxTenants = 20_000

// readTenants reads the file of a sweep. Paths in it are relative to it.
func readTenants(path string) ([]tenantEntry, error) {
	const hint = "a list of - id: TENANT-ID with name, client, certificate (or secretFile, tokenFile, profile) and register"
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &fault{exitFailed, fmt.Errorf("read tenants: %v", err), nearPath(path)}
	}
	if len(text) > 16<<20 {
		return nil, &fault{exitFailed, fmt.Errorf("read tenants %s: it is larger than 16 MiB", path), hint}
	}
	var out []tenantEntry
	if err := yaml.UnmarshalWithOptions(text, &out, yaml.Strict()); err != nil {
		return nil, &fault{exitFailed, fmt.Errorf("read tenants %s: %v", path, yaml.FormatError(err, false, false)), hint}
	}
	if len(out) == 0 || len(out) > maxTenants {
		return nil, &fault{exitFailed, fmt.Errorf("read tenants %s: %d tenants, between 1 and %d are possible", path, len(out), maxTenants), hint}
	}
	seen := map[string]bool{}
	dir := filepath.Dir(path)
	for i := range out {
		t := &out[i]
		switch {
		case !t.ID.IsGUID():
			return nil, &fault{exitFailed, fmt.Errorf("read tenants %s: entry %d: %q is no tenant id", path, i+1, t.ID), hint}
		case seen[t.ID.Key()]:
			return nil, &fault{exitFailed, fmt.Errorf("read tenants %s: tenant %s is there twice", path, t.ID), "keep one of the two"}
		}
		seen[t.ID.Key()] = true
		for _, file := range []*string{&t.CA, &t.Certificate, &t.SecretFile, &t.TokenFile, &t.Register} {
			if *file != "" && !filepath.IsAbs(*file) {
				*file = filepath.Join(dir, *file)
			}
		}
		if t.Name == "" {
			t.Name = string(t.ID)
		}
	}
	return out, nil
}

// signIn is how to sign in to the tenant of an entry.
func (t *tenantEntry) signIn(c *console) (graph.SignIn, []string, error) {
	permissions := graph.Scopes(graph.FeatureRead)
	if t.Profile != "" {
		p, err := c.profile(t.Profile)
		if err != nil {
			return graph.SignIn{}, nil, err
		}
		s, err := p.SignIn()
		return s, p.Permissions, err
	}
	p := graph.Profile{Method: graph.MethodCertificate, Cloud: t.Cloud, CAFile: t.CA, Tenant: string(t.ID), ClientID: t.Client, CertificateFile: t.Certificate,
		SecretFile: t.SecretFile, TokenFile: t.TokenFile}
	switch {
	case t.Certificate == "" && t.SecretFile != "":
		p.Method = graph.MethodSecret
	case t.Certificate == "" && t.TokenFile != "":
		p.Method = graph.MethodWorkload
	}
	if strings.Contains(t.Cloud, "://") {
		p.Cloud, p.Base = "custom", strings.TrimSuffix(t.Cloud, "/")
	}
	s, err := p.SignIn()
	return s, permissions, err
}

// checkTenants checks every tenant of a file: one line each, the worst first, and
// a folder of whole reports.
func (c *console) checkTenants(ctx context.Context, f *checkFlags) error {
	switch {
	case len(f.from) > 0 || len(f.accounts) > 0 || f.register != "" || f.baseline != "" || f.checklist:
		return misused("each tenant has its own accounts and register: name them in the file", "--tenants does not go with --from, --account, --register, --baseline or --checklist")
	case f.format != "" && f.format != "terminal" && f.format != "json":
		return misused("forms of the list: terminal, json; the reports are written as JSON and HTML into the folder", "the list of tenants has no form %q", f.format)
	}
	entries, err := readTenants(f.tenants)
	if err != nil {
		return err
	}
	folder := f.output
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return &fault{exitFailed, fmt.Errorf("make the folder of reports: %v", err), "give a folder with -o"}
		}
	}
	pacer := graph.NewPacer()
	var tenants []app.SweepTenant
	for i := range entries {
		t := &entries[i]
		one := app.SweepTenant{ID: t.ID, Name: t.Name, Open: func() (*app.CheckRequest, error) { return c.openTenant(f, t, pacer) }}
		if folder != "" {
			one.Keep = func(r *app.CheckReport) (string, error) { return keepReports(folder, t, r) }
		}
		tenants = append(tenants, one)
	}
	var show app.ProveRequest
	done := c.progress(&show)
	lines := app.Sweep(ctx, tenants, func(n, of int) {
		if show.Progress != nil {
			show.Progress(fmt.Sprintf("%d of %d tenants", n, of))
		}
	})
	done()
	return c.tellSweep(f, lines)
}

// openTenant makes the request for one tenant, with a client of its own: tokens
// and answers of tenants never meet.
func (c *console) openTenant(f *checkFlags, t *tenantEntry, pacer *graph.Pacer) (*app.CheckRequest, error) {
	s, permissions, err := t.signIn(c)
	if err != nil {
		return nil, err
	}
	s.Tenant = string(t.ID) // whatever a profile says: answers of another tenant are refused
	own := checkFlags{proveFlags: f.proveFlags, failOn: f.failOn}
	own.register = t.Register
	var reg *register.Register
	name := ""
	if t.Register != "" { // never the one of this folder: it is of one tenant
		if reg, name, err = readRegister(t.Register); err != nil {
			return nil, err
		}
	}
	if err := network(&s, reg); err != nil {
		return nil, err
	}
	credential, err := s.Build()
	if err != nil {
		return nil, err
	}
	client, err := c.dial(graph.Config{Cloud: s.Cloud, Tenant: s.Tenant, Credential: credential, Scopes: s.Scopes(permissions), Proxy: s.Proxy, Roots: s.Roots, Pacer: pacer})
	if err != nil {
		return nil, err
	}
	prove, err := c.question(&own.proveFlags)
	if err != nil {
		return nil, err
	}
	prove.Tenant, prove.TenantName, prove.Azure = limitedTenant{client, f.live.timeout}, "tenant "+t.Name, f.live.azure
	req := &app.CheckRequest{ProveRequest: *prove, FailOn: posture.Severity(f.failOn), Time: time.Now(), Register: reg, RegisterName: name}
	if f.cross {
		req.Evaluator = client
	}
	return req, nil
}

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// keepReports writes the report of a tenant as JSON and HTML. The id is part of
// the name: two tenants may be called the same.
func keepReports(folder string, t *tenantEntry, r *app.CheckReport) (string, error) {
	base := strings.Trim(unsafeName.ReplaceAllString(t.Name, "-"), "-.")
	if len(base) > 60 {
		base = base[:60]
	}
	if base = base + "-" + t.ID.Key(); strings.EqualFold(t.Name, string(t.ID)) {
		base = t.ID.Key()
	}
	for ext, write := range map[string]func(*bytes.Buffer) error{
		".json": func(b *bytes.Buffer) error { return writeCheckJSON(b, r, look{columns: defaultWidth}) },
		".html": func(b *bytes.Buffer) error { return writeCheckHTML(b, r, look{columns: defaultWidth}) },
	} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			return "", fmt.Errorf("write the report of %s: %w", t.Name, err)
		}
		if err := writePrivate(filepath.Join(folder, base+ext), out.Bytes()); err != nil {
			return "", fmt.Errorf("write the report of %s: %v", t.Name, err)
		}
	}
	return filepath.Join(folder, base+".html"), nil
}

func (c *console) tellSweep(f *checkFlags, lines []app.SweepLine) error {
	code := exitDone
	for _, l := range lines {
		if l.Err != nil || !l.Settled {
			code = worse(code, exitUndetermined)
		}
		if l.Err == nil && l.Trouble {
			code = worse(code, exitTrouble)
		}
	}
	if f.format == "json" {
		if err := indented(c.stdout, map[string]any{"schema": app.SweepSchema, "tool": "halligan " + versionName(), "tenants": lines}); err != nil {
			return err
		}
		return ended(code)
	}
	o := c.page(c.stdout)
	for _, l := range lines {
		switch {
		case l.Err != nil:
			o.styled(0, 2, yellow, "NOT READ", l.Name+": "+l.Error)
			if hint := hintOf(l.Err); hint != "" {
				o.line(2, 2, "hint: "+hint)
			}
		default:
			o.styled(0, 2, gradeStyle(l.Grade), strings.ToUpper(string(l.Grade)), fmt.Sprintf("%s: %s, %d failed, %d not known", l.Name, l.Verdict, l.Failed, l.Open)+
				ifElse(l.Worst != "", "; "+l.Worst, ""))
			if l.Report != "" {
				o.line(2, 2, l.Report)
			}
		}
	}
	if _, err := fmt.Fprint(c.stdout, o.b.String()); err != nil {
		return err
	}
	return ended(code)
}
