package contract_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"halligan/internal/contract"
	"halligan/posture"
)

// shellAddresses match an address of Graph in the documents and the pipelines:
// $G and $B stand for the versions, graph() takes a version and a path. The first
// group is the version, the second the path.
var shellAddresses = []*regexp.Regexp{
	regexp.MustCompile(`"\$([GB])(/[^"]*)"`),
	regexp.MustCompile(`[^"]\$([GB])(/[^\s"\x60;|]*)`),
	regexp.MustCompile(`\bgraph "(v1\.0|beta)(/[^"]*)"`),
	regexp.MustCompile(`\bgraph '(v1\.0|beta)(/[^']*)'`),
	regexp.MustCompile(`\bgraph (v1\.0|beta)(/\S*)`),
}

// What people are told to read, in a document or a pipeline of theirs, is what
// Microsoft describes: path, version, query options and the names in them.
func TestRequestsThatPeopleAreToldAreDescribed(t *testing.T) {
	c := load(t)
	for file, least := range map[string]int{
		"../../docs/export.md":                            20,
		"../../examples/github-actions/halligan.yml":      10,
		"../../examples/azure-devops/azure-pipelines.yml": 10,
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var found [][]string
		for _, pattern := range shellAddresses {
			found = append(found, pattern.FindAllStringSubmatch(string(text), -1)...)
		}
		if len(found) < least {
			t.Errorf("%s: found %d addresses, want %d at least: the pattern reads them no more", file, len(found), least)
		}
		for _, m := range found {
			version := strings.NewReplacer("G", contract.V1, "B", contract.Beta).Replace(m[1])
			path := strings.NewReplacer(`\$`, "$", "$account", "a", " ", "%20").Replace(m[2])
			x := contract.Exchange{Method: "GET", URL: "https://graph.microsoft.com/" + version + path, Fault: "not sent"}
			for _, v := range c.Check(x) {
				t.Errorf("%s: %s: %s", file, x.URL, v)
			}
		}
	}
}

// otherwise lists what is advised and not described, with the page that has it:
// a person does it by hand, so that no client and no emulator needs it.
var otherwise = map[string]string{
	"DELETE /users/a/manager/$ref": "user-delete-manager",
	"POST /directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/a/certificateAuthorities": "certificatebasedauthpki-post-certificateauthorities",
	"PATCH /identityGovernance/lifecycleWorkflows/workflows/a":                                            "identitygovernance-workflow-update",
	"POST /identityGovernance/lifecycleWorkflows/workflows/a/createNewVersion":                            "identitygovernance-workflow-createnewversion",
	"PUT /identityGovernance/accessReviews/definitions/a":                                                 "accessreviewscheduledefinition-update",
	"DELETE /users/a/appRoleAssignments/a":                                                                "user-delete-approleassignments",
	"DELETE /applications/a/owners/a/$ref":                                                                "application-delete-owners",
	"DELETE /devices/a":                                                                                   "device-delete",
}

var (
	advice      = regexp.MustCompile(`^(GET|POST|PATCH|PUT|DELETE) (?:/(beta))?(/[^ ?]+)(\?.*)?(?: (\{.*\}))?(?:: .*| \(.*\))?$`)
	placeholder = regexp.MustCompile(`\{\w+\}`)
)

// How a finding is cured by hand is described as well: method, path, query, and
// the body where one is given in full.
func TestCuresAreDescribed(t *testing.T) {
	c := load(t)
	read, used := 0, map[string]bool{}
	for _, check := range posture.Catalogue() {
		for _, line := range check.Fix.Graph {
			m := advice.FindStringSubmatch(line)
			if m == nil {
				continue // in words, or of Azure
			}
			read++
			path := placeholder.ReplaceAllString(m[3], "a")
			if otherwise[m[1]+" "+path] != "" {
				used[m[1]+" "+path] = true
				continue
			}
			versions := []string{contract.V1, contract.Beta}
			if m[2] != "" {
				versions = versions[1:]
			}
			body := strings.ReplaceAll(m[5], `"…"`, `"5a8d0000-0000-4000-8000-000000000001"`)
			if strings.Contains(body, "…") {
				body = ""
			}
			why := ""
			for _, version := range versions {
				why = ""
				for _, v := range c.Check(contract.Exchange{Method: m[1], URL: "https://graph.microsoft.com/" + version + path + strings.ReplaceAll(m[4], " ", "%20"), Fault: "not sent", RequestBody: []byte(body)}) {
					if v.Text != "a body is required" {
						why += "\n\t" + v.String()
					}
				}
				if why == "" {
					break
				}
			}
			if why != "" {
				t.Errorf("%s: %s:%s", check.ID, line, why)
			}
		}
	}
	if read < 80 {
		t.Errorf("only %d cures were read", read)
	}
	for line := range otherwise {
		if !used[line] {
			t.Errorf("%s is advised nowhere", line)
		}
	}
}
