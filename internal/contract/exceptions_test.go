package contract_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/contract"
)

// partRequests lists the requests by which the parts of a Snapshot are read,
// with the version of each.
func partRequests(t *testing.T) map[string][]partRequest {
	t.Helper()
	all := map[string][]partRequest{}
	for _, info := range entra.PartTable {
		for one := range strings.SplitSeq(info.Request, ", ") {
			method, path, found := strings.Cut(one, " ")
			if !found {
				t.Fatalf("%s: the request %q has no method", info.Part, one)
			}
			r := partRequest{info: info, method: method, version: contract.V1}
			if info.Beta {
				r.version = contract.Beta
			}
			if arm, is := strings.CutPrefix(path, "{arm}"); is {
				r.version, path = contract.ARM, arm
			}
			r.path, _, _ = strings.Cut(strings.NewReplacer("{id}", "a", "{subscription}", "b").Replace(path), "?")
			all[string(info.Part)] = append(all[string(info.Part)], r)
		}
	}
	return all
}

type partRequest struct {
	info                  entra.PartInfo
	method, version, path string
}

func TestEveryPartIsReadByADescribedOperation(t *testing.T) {
	c := load(t)
	needed := map[*contract.Exception]bool{}
	for part, requests := range partRequests(t) {
		for _, r := range requests {
			o, err := c.Find(r.method, r.version, r.path)
			if err != nil {
				t.Errorf("%s: %v", part, err)
				continue
			}
			needed[o.Exception] = true
		}
	}
	for i := range contract.Exceptions {
		if x := &contract.Exceptions[i]; !needed[x] {
			t.Errorf("no part is read by %s: the exception is not used", x)
		}
	}
}

func TestExceptionsNameTheirPage(t *testing.T) {
	c := load(t)
	for _, x := range contract.Exceptions {
		t.Run(x.String(), func(t *testing.T) {
			if !strings.HasPrefix(x.Page, "https://learn.microsoft.com/") {
				t.Errorf("got page %q", x.Page)
			}
			if _, err := time.Parse(time.DateOnly, x.Seen); err != nil {
				t.Errorf("seen %q: %v", x.Seen, err)
			}
			if len(x.Permissions) == 0 {
				t.Error("no permission")
			}
			v := c.Judge(exceptionExchange(x))
			for _, violation := range v.All() {
				t.Errorf("its example: %s", violation)
			}
			if !slices.Contains(v.Exceptions, x.String()) {
				t.Errorf("got exceptions %v, want the row itself", v.Exceptions)
			}
		})
	}
	for _, x := range contract.PropertyExceptions {
		if _, err := time.Parse(time.DateOnly, x.Seen); err != nil || !strings.HasPrefix(x.Page, "https://learn.microsoft.com/") {
			t.Errorf("%s: page %q, seen %q", &x, x.Page, x.Seen)
		}
	}
}

// A property that is documented and not described is allowed by its row, and the
// report says which rows nothing needed.
func TestPropertyExceptionIsUsedOrReported(t *testing.T) {
	c := load(t)
	var example contract.Exchange
	for _, e := range c.Examples() {
		if e.File == "beta.temporaryaccesspassauthenticationmethod-get.1.json" {
			example = live(e.Exchange)
		}
	}
	if got := len(c.Check(example)); got != 2 {
		t.Fatalf("got %d violations without the rows, want 2", got)
	}
	before := contract.PropertyExceptions
	t.Cleanup(func() { contract.PropertyExceptions = before })
	const owner = "microsoft.graph.temporaryAccessPassAuthenticationMethod"
	contract.PropertyExceptions = append(slices.Clone(before),
		contract.PropertyException{Versions: []string{contract.Beta}, Owner: owner, Property: "isUsable", Type: "Edm.Boolean?"},
		contract.PropertyException{Versions: []string{contract.Beta}, Owner: owner, Property: "methodUsabilityReason", Type: "Edm.String?"},
		contract.PropertyException{Versions: []string{contract.Beta}, Owner: owner, Property: "noSuchProperty", Type: "Edm.String?"})
	r := c.NewRecorder()
	r.Record(example)
	for _, line := range r.Report().Lines() {
		t.Error(line)
	}
	unused := r.Report().Unused()
	if !slices.Contains(unused, owner+".noSuchProperty") || slices.Contains(unused, owner+".isUsable") {
		t.Errorf("got unused %v, want noSuchProperty and not isUsable", unused)
	}
	if len(unused) != 1+len(contract.Exceptions)+len(before) {
		t.Errorf("got %d unused rows, want the other and all operations", len(unused))
	}
}

// unlike explains where the permission of a part is none of those that
// Microsoft's table marks as the least (permissions.json of 2026-08).
var unlike = map[entra.Part]string{
	entra.PartUsers:              "User.ReadBasic.All leaves out accountEnabled, passwordPolicies, onPremisesSyncEnabled and more (graph: permissions-reference)",
	entra.PartGroups:             "the marked permission is of another product and writes; GroupMember.Read.All reads group and members and needs no other",
	entra.PartAccounts:           "two requests: the methods need it; the memberships are read by User.Read.All, which the users need, and GroupMember.Read.All, which the groups need",
	entra.PartContexts:           "AuthenticationContext.Read.All reads nothing else; Policy.Read.ConditionalAccess suffices, and What If needs it anyway",
	entra.PartRolePolicies:       "RoleManagementPolicy.Read.Directory is delegated only; RoleManagement.Read.Directory suffices for both, and the role assignments need it anyway",
	entra.PartOrganization:       "the marked permission is that of Intune",
	entra.PartLifecycleWorkflows: "LifecycleWorkflows-Workflow.ReadBasic.All reads neither tasks nor scope",
	entra.PartDevices:            "User.Read.All returns the ids alone; what a device is needs Device.Read.All or Directory.Read.All, which other parts need (graph: permissions-overview, limited information)",
	entra.PartOwnedObjects:       "User.Read.All returns the ids alone of what it cannot read otherwise (graph: permissions-overview, limited information)",
}

// silent explains where Microsoft's table has no row for the request of a part:
// the same objects at an address that has one.
var silent = map[entra.Part]struct{ why, address string }{
	entra.PartStrengths:    {"the table, as the pages, has the other address of the strengths", "/policies/authenticationStrengthPolicies"},
	entra.PartDeletedUsers: {"the table has users at their own address (graph: directory-deleteditems-list names User.Read.All for deleted users)", "/users"},
}

// Microsoft's table marks the least permission of each operation, and lists all
// that suffice. The permission of a part suffices for a person and for an
// application alike, and is the least, or the reason stands in unlike.
func TestPartsNameTheLeastPermission(t *testing.T) {
	c := load(t)
	explained := map[entra.Part]bool{}
	for _, requests := range partRequests(t) {
		suffices := false // for one of the requests of the part, at least
		for _, r := range requests {
			part, named := r.info.Part, r.info.Permission
			p, err := c.Permission(r.method, r.version, r.path)
			if err != nil {
				t.Errorf("%s: %v", part, err)
				continue
			}
			if !p.Known() {
				s, listed := silent[part]
				if p, err = c.Permission(r.method, r.version, s.address); !listed || err != nil {
					t.Errorf("%s: Microsoft's table has no row for %s", part, r.path)
					continue
				}
				explained[part] = true
			}
			application := slices.Contains(p.AllApplication, named)
			if r.info.PersonOnly != (len(p.AllApplication) == 0) {
				t.Errorf("%s: PersonOnly is %t, and for an application suffice %v", part, r.info.PersonOnly, p.AllApplication)
			}
			application = application || r.info.PersonOnly
			if slices.Contains(p.AllDelegated, named) && application {
				suffices = true
			} else if unlike[part] == "" {
				t.Errorf("%s: %q does not suffice: for a person %v, for an application %v", part, named, p.AllDelegated, p.AllApplication)
			}
			if !slices.Contains(slices.Concat(p.LeastDelegated, p.LeastApplication), named) {
				explained[part] = true
				if unlike[part] == "" && silent[part].why == "" {
					t.Errorf("%s: %s %s %s: names %q, the least is %v and %v", part, r.method, r.version, r.path, named, p.LeastDelegated, p.LeastApplication)
				}
			}
		}
		if part := requests[0].info.Part; !suffices {
			t.Errorf("%s: %q suffices for none of its requests", part, requests[0].info.Permission)
		}
	}
	for part := range unlike {
		if !explained[part] {
			t.Errorf("%s is explained and needs no explanation", part)
		}
	}
	for part := range silent {
		if !explained[part] {
			t.Errorf("%s has a row and needs no other address", part)
		}
	}
}
