package graph

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
)

// Feature is something that a person uses, and that needs permissions.
type Feature string

// The features that need permissions.
const (
	FeatureRead  Feature = "read"        // check, prove, snapshot, init: reading a tenant
	FeatureCross Feature = "cross-check" // check --cross-check: Microsoft's own evaluations
	FeatureAzure Feature = "azure"       // check --azure: Azure Resource Manager
)

// Features lists them with what they are for.
var Features = []struct {
	Feature
	Does string
}{
	{FeatureRead, "read a tenant: check, prove, snapshot, init"},
	{FeatureCross, "compare with Microsoft's own evaluations: check --cross-check"},
	{FeatureAzure, "read the tenant's own alert rules and logs: check --azure"},
}

// Need is one permission, and what needs it.
type Need struct {
	Permission string
	Feature    Feature
	// Azure: a role of Azure, not a permission of Graph.
	Azure bool
	// Parts are what cannot be read without it.
	Parts []entra.Part
	// Reads says in words what they read.
	Reads []string
	// Requests are the requests that need it.
	Requests []string
	// Licences are those without which Graph refuses whatever is granted.
	Licences []string
}

// Needs lists the least permissions that a feature needs; without any named, all
// features. None of them writes.
func Needs(features ...Feature) []Need {
	var out []Need
	add := func(f Feature, q question) {
		if q.part == "" || len(features) > 0 && !slices.Contains(features, f) {
			return
		}
		info := q.part.Info()
		name := cmp.Or(q.permission, info.Permission)
		i := slices.IndexFunc(out, func(n Need) bool { return n.Permission == name && n.Feature == f })
		if i < 0 {
			out = append(out, Need{Permission: name, Feature: f, Azure: q.version == ARM})
			i = len(out) - 1
		}
		n := &out[i]
		method := "GET"
		if q.post {
			method = "POST"
		}
		if text := method + " " + strings.TrimSuffix("/"+string(q.version), "/arm") + q.path; !slices.Contains(n.Requests, text) {
			n.Requests = append(n.Requests, text)
		}
		if what := cmp.Or(q.what, info.What); !slices.Contains(n.Reads, what) {
			n.Reads = append(n.Reads, what)
		}
		if !slices.Contains(n.Parts, q.part) {
			n.Parts = append(n.Parts, q.part)
		}
		if info.Licence != "" && info.Licence != "Azure" && !slices.Contains(n.Licences, info.Licence) {
			n.Licences = append(n.Licences, info.Licence)
		}
	}
	for _, q := range slices.Concat(tenantQuestions, accountQuestions, []question{riskyUsers, riskDetections, signIns, accountAudits, policyAudits, someUsers, leavingUsers, someGroups,
		groupMembers, groupOwners, unitMembers, unitRoles, federation, certificates, authorities, synchronization}) {
		add(FeatureRead, q)
	}
	add(FeatureCross, whatIf)
	for _, q := range append(slices.Clone(azureQuestions), alertRules, workspaces, sentinelRules) {
		add(FeatureAzure, q)
	}
	slices.SortStableFunc(out, func(a, b Need) int {
		order := func(f Feature) int {
			return slices.IndexFunc(Features, func(x struct {
				Feature
				Does string
			}) bool {
				return x.Feature == f
			})
		}
		return cmp.Or(order(a.Feature)-order(b.Feature), strings.Compare(a.Permission, b.Permission))
	})
	return out
}

// Scopes are the permissions of Graph that features need, for a sign-in.
func Scopes(features ...Feature) []string {
	var out []string
	for _, n := range Needs(features...) {
		if !n.Azure && !slices.Contains(out, n.Permission) {
			out = append(out, n.Permission)
		}
	}
	return out
}
