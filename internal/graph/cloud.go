package graph

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// Cloud is one Microsoft cloud: where people sign in, and where its interfaces
// are. All addresses are https without a path.
type Cloud struct {
	Name      string // "public", "usgov", "china" or "custom"
	Authority string // where tokens come from
	Graph     string // Microsoft Graph
	Resource  string // Azure Resource Manager
	Logs      string // Log Analytics queries

	// Audiences lists what a token for Graph may name as its audience besides
	// the address of Graph itself.
	Audiences []string

	// Roots are the authorities that certificates of a custom cloud must lead
	// to; nil means those of the system.
	Roots *x509.CertPool

	// ResourceScope is the scope of a token for Resource Manager. An emulated
	// tenant serves everything at one address, so that the address does not tell
	// which interface a token is for.
	ResourceScope string

	// LogsScope is the scope of a token for Log Analytics.
	LogsScope string
}

// graphAppID is the application id of Microsoft Graph, which tokens of version 2
// name as their audience (entra-docs "Verify first-party Microsoft applications
// in sign-in reports").
const graphAppID = "00000003-0000-0000-c000-000000000000"

// Clouds lists Microsoft's clouds by name.
//
// Sources: entra-docs "National clouds and Microsoft Graph" (graph-docs
// "Microsoft Graph national cloud deployments"), "National clouds" (sign-in
// endpoints); Azure "Azure Government developer guide" and "Developer guide for
// Azure China" for Resource Manager and Log Analytics.
var Clouds = []Cloud{
	{
		Name:          "public",
		Authority:     "https://login.microsoftonline.com",
		Graph:         "https://graph.microsoft.com",
		Resource:      "https://management.azure.com",
		ResourceScope: "https://management.azure.com/.default",
		Logs:          "https://api.loganalytics.azure.com",
		LogsScope:     "https://api.loganalytics.io/.default",
		Audiences:     []string{graphAppID},
	},
	{
		Name:          "usgov",
		Authority:     "https://login.microsoftonline.us",
		Graph:         "https://graph.microsoft.us",
		Resource:      "https://management.usgovcloudapi.net",
		ResourceScope: "https://management.usgovcloudapi.net/.default",
		Logs:          "https://api.loganalytics.us",
		LogsScope:     "https://api.loganalytics.us/.default",
		Audiences:     []string{graphAppID},
	},
	{
		Name:          "china",
		Authority:     "https://login.chinacloudapi.cn",
		Graph:         "https://microsoftgraph.chinacloudapi.cn",
		Resource:      "https://management.chinacloudapi.cn",
		ResourceScope: "https://management.chinacloudapi.cn/.default",
		Logs:          "https://api.loganalytics.azure.cn",
		LogsScope:     "https://api.loganalytics.azure.cn/.default",
		Audiences:     []string{graphAppID},
	},
}

// customName is the name of every cloud that is not Microsoft's.
const customName = "custom"

// CloudNamed returns the cloud of that name; "" means public.
func CloudNamed(name string) (Cloud, error) {
	if name == "" {
		name = "public"
	}
	for _, c := range Clouds {
		if c.Name == name {
			return c, nil
		}
	}
	return Cloud{}, &ConfigError{
		What: fmt.Sprintf("choose cloud %q: there is no such cloud", name),
		Cure: "Use public, usgov or china.",
	}
}

// CustomCloud returns a cloud whose sign-in, Graph and Resource Manager are all
// at one address, such as the sandbox's https://localhost:8443. Roots may be nil.
func CustomCloud(base string, roots *x509.CertPool) (Cloud, error) {
	c := Cloud{
		Name: customName, Authority: base, Graph: base, Resource: base, Logs: base,
		Audiences: []string{graphAppID, Clouds[0].Graph}, ResourceScope: Clouds[0].ResourceScope, LogsScope: base + "/.default", Roots: roots,
	}
	return c, c.check()
}

// check refuses a cloud put together from parts of several: a token of a
// national cloud must not travel to the global Graph, nor the other way round.
func (c Cloud) check() error {
	for what, address := range map[string]string{
		"sign-in": c.Authority, "Graph": c.Graph, "Resource Manager": c.Resource, "Log Analytics": c.Logs,
	} {
		if err := checkBase(address); err != nil {
			return &ConfigError{
				What: fmt.Sprintf("use %q for %s: %v", address, what, err),
				Cure: "Give an address such as https://localhost:8443, without a path.",
			}
		}
	}
	if c.Name == customName {
		return c.checkCustom()
	}
	known, err := CloudNamed(c.Name)
	if err != nil {
		return err
	}
	same := c.Authority == known.Authority && c.Graph == known.Graph && c.Resource == known.Resource &&
		c.Logs == known.Logs && slices.Equal(c.Audiences, known.Audiences) &&
		c.LogsScope == known.LogsScope && c.ResourceScope == known.ResourceScope
	if !same || c.Roots != nil {
		return mixedClouds(fmt.Sprintf("use cloud %q: its addresses are not those of that cloud", c.Name))
	}
	return nil
}

func (c Cloud) checkCustom() error {
	if c.Graph != c.Authority || c.Resource != c.Authority || c.Logs != c.Authority {
		return mixedClouds("use a custom cloud: its addresses differ")
	}
	host := hostOf(c.Authority)
	for _, known := range Clouds {
		for _, address := range []string{known.Authority, known.Graph, known.Resource, known.Logs} {
			if host == hostOf(address) {
				return mixedClouds(fmt.Sprintf("use %s as a custom cloud: it belongs to the cloud %q", host, known.Name))
			}
		}
	}
	return nil
}

func mixedClouds(what string) error {
	return &ConfigError{
		What: what,
		Cure: "A token of one cloud must not be sent to another. Name one cloud: public, usgov or china, or one custom address for all.",
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// checkBase accepts https://host[:port] and nothing else.
func checkBase(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("it is no address")
	case u.Scheme != "https":
		return fmt.Errorf("it does not begin with https://")
	case u.Hostname() == "":
		return fmt.Errorf("it names no host")
	case u.User != nil, u.Path != "", u.RawQuery != "", u.Fragment != "", strings.ContainsAny(address, "?#"):
		return fmt.Errorf("it has more than a host and a port")
	case !plainHost(u.Hostname()):
		return fmt.Errorf("its host has characters that no host has")
	}
	return nil
}

// plainHost keeps out names that look like another one: anything but ASCII
// letters, digits, dots and hyphens, and an IPv6 literal's colons.
func plainHost(host string) bool {
	return host != "" && strings.IndexFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == ':')
	}) < 0
}

// azure is the cloud in the words of azidentity.
func (c Cloud) azure() cloud.Configuration {
	return cloud.Configuration{ActiveDirectoryAuthorityHost: c.Authority}
}
