package entra

import (
	"regexp"
	"strings"
)

// In a tree of one file per object (EntraExporter) the place of a file says what
// its content does not: of which group somebody is a member, and of which
// service a role is.

// memberFile is the place of a member: Groups/GROUP/Members/ID/ID.json.
var memberFile = regexp.MustCompile(`(?i)(?:^|[/\\!])groups[/\\]([^/\\]+)[/\\](?:transitive)?members[/\\](?:[^/\\]+[/\\])?[^/\\]+\.json$`)

// otherRoles is the place of roles that are not the directory's.
var otherRoles = regexp.MustCompile(`(?i)rolemanagement[/\\](?:exchange|devicemanagement|cloudpc|entitlementmanagement)[/\\]`)

// treeMember takes a file of such a tree as a member of its group and reports
// whether it is one.
func (r *reader) treeMember(doc *document) bool {
	place := memberFile.FindStringSubmatch(doc.file)
	if place == nil {
		return false
	}
	found := false
	for i := range doc.values {
		for _, v := range doc.values[i].elements() {
			if id := v.str("id"); id != "" {
				found = true
				group := ID(place[1])
				r.treeGroups[group] = append(r.treeGroups[group], ID(id))
			}
		}
	}
	if found {
		r.objects++
		r.some[PartGroups] = true
	}
	return found
}

// finishTree makes groups of the members that the tree gave.
func (r *reader) finishTree() {
	for id, members := range r.treeGroups {
		r.content.Groups = append(r.content.Groups, Group{ID: id, Members: members, MembersRead: true})
	}
}

// directoryRoles reports whether roles in this file or list are those of the
// directory. Exchange has roles of the same shape.
func directoryRoles(doc *document) bool { return !otherRoles.MatchString(doc.file) }

// failedCommands are the commands of ScubaGear whose answers are parts of a
// Snapshot; a report lists those that failed.
var failedCommands = []struct {
	command string
	part    Part
}{
	{"ConditionalAccessPolicy", PartPolicies},
	{"AuthenticationMethodPolicy", PartMethodsPolicy},
	{"PrivilegedRole", PartRoleAssignments},
	{"AuthorizationPolicy", PartAuthorization},
	{"SubscribedSku", PartLicences},
	{"Get-MgBetaDomain", PartDomains},
}

// failures notes what a ScubaGear report could not read. The report has an empty
// list in its place.
func (r *reader) failures(doc *document, v *node) {
	for _, e := range v.get("aad_unsuccessful_commands").elements() {
		for _, f := range failedCommands {
			if strings.Contains(e.text, f.command) {
				r.trouble(doc, e.off, "ScubaGear could not run "+e.text+": the "+string(f.part)+" are missing")
				r.cut(f.part, e.text+" failed")
			}
		}
	}
}

// otherService reports whether a context is of roles of another service.
func otherService(context string) bool {
	return strings.HasPrefix(context, "rolemanagement/") && !strings.HasPrefix(context, "rolemanagement/directory")
}
