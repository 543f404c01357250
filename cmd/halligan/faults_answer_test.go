package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/graph"
	"halligan/posture"
)

func TestFault13ListsThatMove(t *testing.T) {
	const list, roles = "/servicePrincipals", "/roleManagement/directory/roleAssignments"
	unsure := unknown(entra.PartApplications, "", exitUndetermined, "read the service principals", "12 items came, the count says 13, twice")
	off := without(graph.DefenceCount)
	runFaults(t,
		faultCase{name: "an item twice", spec: "13=repeat,path=" + list + "$", want: overcome, off: without(graph.DefenceOnce)},
		faultCase{name: "an item missing for a moment", spec: "13=missing,times=1,path=" + list + "$", want: both(overcome, times(list, 3, 3)), off: off},
		faultCase{name: "an item missing", spec: "13=missing,path=" + list + "$", want: unsure, off: off},
		faultCase{name: "a policy missing for a moment", spec: "13=missing,times=1,path=" + policies + "$", want: both(overcome, times(policies, 3, 3)), off: off},
		faultCase{name: "a policy missing", spec: "13=missing,path=" + policies + "$", want: noPolicies("items came, the count says"), off: off},
		// No count can be had of these (graph-docs rbacapplication-list-roleassignments).
		faultCase{name: "a role assignment missing for a moment", spec: "13=missing,times=1,path=" + roles + "$", want: both(overcome, times(roles, 3, 3)), off: off},
	)
}

func TestFault14AnswersOfSomebodyElse(t *testing.T) {
	runFaults(t,
		faultCase{name: "another tenant", spec: "14=tenant", off: without(graph.DefenceTenant),
			want: ends(exitUndetermined, "refused: this is tenant 7e57ab1e-0000-4000-8000-00000000beef, and", "was asked for")},
		faultCase{name: "another account", spec: "14=id,path=/users/", off: without(graph.DefenceIdentity),
			want: unknown(entra.PartUsers, "id-cloud-only", exitUndetermined, "read the users", "was asked for, and the answer is about 7e57ab1e-0000-4000-8000-00000000beef")},
	)
}

// strangeThing: the proof stays open and names what it does not know.
func strangeThing(word string) want {
	return func(good, got *faulted) error {
		if got.report == nil || got.exit != good.exit || got.proof != -1 && got.proof != int(exitUndetermined) {
			return fmt.Errorf("check and prove ended with %d and %d, want %d and %d: %s", got.exit, got.proof, good.exit, exitUndetermined, got.said)
		}
		for _, a := range got.report.Accounts {
			if a.Verdict == "PROVED" {
				return fmt.Errorf("%s is PROVED beside %s", a.Label(), word)
			}
			for _, s := range a.Settle {
				if strings.Contains(s.What, word) {
					return nil
				}
			}
		}
		for _, n := range got.report.Troubles {
			if strings.Contains(fmt.Sprint(n), word) {
				return nil
			}
		}
		return fmt.Errorf("nothing names %s: %+v %+v", word, got.report.Accounts[0].Settle, got.report.Troubles)
	}
}

func TestFault15WhatNobodyHasSeenYet(t *testing.T) {
	runFaults(t,
		faultCase{name: "value", spec: "15=enum", want: strangeThing("conditions.clientAppTypes[0]")},
		faultCase{name: "state", spec: "15=state", want: strangeThing("the state of the policy")},
		faultCase{name: "condition", spec: "15=condition", want: strangeThing("moonPhases")},
		faultCase{name: "grant", spec: "15=grant", want: strangeThing("retinaDance")},
		faultCase{name: "field", spec: "15=field", want: strangeThing("lunarSetting")},
		faultCase{name: "type", spec: "15=type", want: strangeThing("includeUsers")},
	)
}

func TestFault16StrangeBatches(t *testing.T) {
	again := func(least int) want {
		return func(good, got *faulted) error {
			n := 0
			if got.outside { // what failed in a batch is asked for by itself
				n = len(got.sent) - len(good.sent)
			}
			for _, e := range got.events {
				if e.What == "waiting" {
					n++
				}
			}
			if n < least {
				return fmt.Errorf("%d parts were asked for again, want at least %d", n, least)
			}
			return nil
		}
	}
	byID, retry := without(graph.DefenceBatch), without(graph.DefenceRetry)
	runFaults(t,
		faultCase{name: "order", spec: "16=order", want: overcome, off: byID},
		faultCase{name: "a part missing", spec: "16=missing", want: both(overcome, again(1)), off: without(graph.DefenceBatch, graph.DefenceRetry)},
		faultCase{name: "a part twice", spec: "16=twice", want: both(overcome, again(1)), off: without(graph.DefenceBatch, graph.DefenceRetry)},
		faultCase{name: "a part nobody asked for", spec: "16=stranger", want: overcome},
		faultCase{name: "424", spec: "16=424", want: both(overcome, again(1)), off: retry},
		faultCase{name: "429 and 503 mixed", spec: "16=mixed,path=/v1.0/$batch", want: both(overcome, again(1)), off: retry},
		faultCase{name: "bodies in base64", spec: "16=base64", want: overcome, off: byID},
		faultCase{name: "bodies as text", spec: "16=string", want: overcome, off: byID},
		faultCase{name: "status as text", spec: "16=status-text", want: overcome, off: retry},
		faultCase{name: "413", spec: "16=413", want: overcome, off: byID},
		faultCase{name: "too many parts", spec: "16=too-many", want: overcome, off: byID},
	)
}

func TestFault17PartOfThePermissions(t *testing.T) {
	named := func(_, got *faulted) error {
		for _, w := range got.report.Unread {
			if w.Permission == "Policy.Read.All" && w.Findings > 0 {
				return nil
			}
		}
		return fmt.Errorf("the permission to grant is not named: %+v", got.report.Unread)
	}
	runFaults(t,
		faultCase{name: "one kind", spec: "17=one-kind", off: without(graph.DefenceUnknown), want: both(noPolicies("403 Authorization_RequestDenied"), named)},
		faultCase{name: "all", spec: "17=all", want: both(ends(exitNotSignedIn, "401 InvalidAuthenticationToken", "halligan login"), tokens(6)) /* of 39 requests; stragglers of a busy machine renew once more */},
		faultCase{name: "no licence", spec: "17=licence", off: without(graph.DefenceUnknown),
			want: unknown(entra.PartSignIns, "risk-signin-fails", exitDone, "read the sign-in log", "doesn't have premium license")},
	)
}

func TestFault18DeletedBetweenListAndGet(t *testing.T) {
	gone := func(good, got *faulted) error {
		if got.report == nil || got.exit != good.exit || got.proof != -1 && got.proof != int(exitUndetermined) {
			return fmt.Errorf("check and prove ended with %d and %d: %s", got.exit, got.proof, got.said)
		}
		if p := statusOf(got, entra.PartAccounts); p.Status != entra.StatusCutShort || !strings.Contains(p.Detail, "404 Request_ResourceNotFound") {
			return fmt.Errorf("accounts are %s: %q", p.Status, p.Detail)
		}
		for _, f := range got.report.Findings {
			if f.Check == "abu-devices" && f.Status != posture.Indeterminate {
				return fmt.Errorf("abu-devices is %s", f.Status)
			}
		}
		return nil
	}
	runFaults(t, faultCase{name: "the accounts", spec: "18=deleted", want: gone, off: without(graph.DefenceUnknown)})
}

func TestFault20PoliciesChangeDuringTheRun(t *testing.T) {
	moved := both(noPoliciesSince("changed while the tenant was read; read it again"), times(policies, 2, 2))
	var cases []faultCase
	for _, v := range []string{"edit", "add", "remove"} {
		cases = append(cases, faultCase{name: v, spec: "20=" + v, want: moved, off: without(graph.DefenceChange)})
	}
	runFaults(t, cases...)
}

// noPoliciesSince: the policies are not known; no single request failed.
func noPoliciesSince(reason string) want {
	return unknown(entra.PartPolicies, "ca-device-unmeetable", exitUndetermined, "", reason)
}

func TestFault21VeryManyObjects(t *testing.T) {
	users, groups, many, most, patience := "3000", "3000", "300", 60*time.Second, 30*time.Second
	off := without(graph.DefencePages)
	if os.Getenv("HALLIGAN_FULL") != "" {
		users, groups, many, patience = "1000000", "100000", "10000", 8*time.Minute
		off = nil // without a bound these are more than a test should hold
	}
	roomy := func(c *graph.Config) {
		c.Limits.Body, c.Limits.Pages, c.Limits.Operation, c.Limits.Attempt = 64<<20, 10_000, time.Minute, time.Minute
	}
	few := func(c *graph.Config) { c.Limits.Items = 1000 }
	// The program has room for a million of each, and is held to its time.
	brief := func(spec string, w want) outside {
		return outside{spec: spec, timeout: 4 * time.Second, within: late, want: w}
	}
	full := func(_, got *faulted) error {
		if got.report == nil || fmt.Sprint(got.report.PoliciesRead) != many {
			return fmt.Errorf("want %s policies read: %s", many, got.said)
		}
		return nil
	}
	runFaults(t,
		faultCase{name: "users", spec: "21=users,value=" + users, tune: few, off: off,
			want:    both(within(most), unknown(entra.PartUsers, "", exitUndetermined, "read the users", "there are more than 1000 items")),
			outside: brief("21=users", unknown(entra.PartUsers, "", exitUndetermined, "read the users", "time was up"))},
		faultCase{name: "groups", spec: "21=groups,value=" + groups, tune: few, off: off,
			want:    both(within(most), unknown(entra.PartGroups, "", exitUndetermined, "read the groups", "there are more than 1000 items")),
			outside: brief("21=groups,value=1000000", unknown(entra.PartGroups, "", exitUndetermined, "read the groups", "time was up"))},
		faultCase{name: "policies", spec: "21=policies,value=" + many, tune: roomy, bound: 10 * time.Minute, checkOnly: true, otherTruth: true, want: both(within(most*8), full),
			outside: outside{timeout: patience}},
	)
}
