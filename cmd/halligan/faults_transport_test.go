package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/graph"
)

const policies = "/identity/conditionalAccess/policies"

// noPolicies: the policies were not read, for a reason.
func noPolicies(reason string) want {
	return unknown(entra.PartPolicies, "ca-device-unmeetable", exitUndetermined, "read the Conditional Access policies", reason)
}

func without(d ...graph.Defence) []graph.Defence { return d }

// limits changes the limits of a case.
func limits(attempt, operation time.Duration) func(*graph.Config) {
	return func(c *graph.Config) { c.Limits.Attempt, c.Limits.Operation = attempt, operation }
}

func TestFault01ThrottledWithRetryAfter(t *testing.T) {
	runFaults(t, faultCase{name: "seconds", spec: "1=seconds,path=/domains,value=3", off: without(graph.DefenceRetryAfter),
		want: both(overcome, waited("read the domains", "/domains", 3*time.Second, 3*time.Second), times("/domains", 2, 2))})
}

func TestFault02StrangeRetryAfter(t *testing.T) {
	clamped := both(overcome, waited("read the domains", "/domains", time.Second, 2*time.Second))
	at := func(least, most time.Duration) want {
		return both(overcome, waited("read the domains", "/domains", least, most))
	}
	runFaults(t,
		faultCase{name: "negative", spec: "2=negative,path=/domains", want: clamped, off: without(graph.DefenceClamp)},
		faultCase{name: "zero", spec: "2=zero,path=/domains", want: clamped, off: without(graph.DefenceClamp)},
		faultCase{name: "garbage", spec: "2=garbage,path=/domains", want: clamped, off: without(graph.DefenceClamp)},
		faultCase{name: "empty", spec: "2=empty,path=/domains", want: clamped, off: without(graph.DefenceClamp)},
		faultCase{name: "past date", spec: "2=past-date,path=/domains", want: clamped, off: without(graph.DefenceClamp)},
		faultCase{name: "date", spec: "2=date,path=/domains,value=5s", want: at(4*time.Second, 6*time.Second), off: without(graph.DefenceRetryAfter)},
		faultCase{name: "fractional", spec: "2=fractional,path=/domains", want: at(2128*time.Millisecond, 2200*time.Millisecond), off: without(graph.DefenceRetryAfter)},
		faultCase{name: "huge", spec: "2=huge,path=" + policies, want: noPolicies("asked to wait longer than a day"), off: without(graph.DefenceRetryAfter)},
	)
}

// spaced: from the first 429 on, the lane of Conditional Access begins one request
// a second, and no other family waits.
func spaced(_, got *faulted) error {
	var last time.Time
	inOrder := slices.SortedFunc(slices.Values(got.sent), func(a, b sent) int { return a.at.Compare(b.at) })
	for _, s := range inOrder {
		if s.status == 429 && last.IsZero() {
			last = s.done // what began before it was answered could not know
		}
	}
	if last.IsZero() {
		return errors.New("nothing was throttled")
	}
	if got.outside {
		last = last.Add(200 * time.Millisecond) // the tenant has answered before the program knows
	}
	for _, s := range inOrder {
		if !s.at.After(last) || !strings.Contains(s.path, "/identity/conditionalAccess/policies") && !strings.Contains(s.path, "/namedLocations") && !strings.Contains(s.path, "/identityProtection/") {
			continue
		}
		if s.at.Sub(last) < 700*time.Millisecond {
			return fmt.Errorf("%s began %s after the request before it", s.path, s.at.Sub(last))
		}
		last = s.at
	}
	for _, e := range got.events {
		if e.What == "waiting" && e.Family != graph.FamilyConditionalAccess && e.Family != graph.FamilyIdentityProtection {
			return fmt.Errorf("%s waited as well", e.Operation)
		}
	}
	return nil
}

func TestFault03ConditionalAccessThrottledWithoutRetryAfter(t *testing.T) {
	slow := func(c *graph.Config) { c.Sleep = nil; c.Limits.Operation = 15 * time.Second } // it is about real time
	runFaults(t,
		faultCase{name: "Conditional Access", spec: "3=conditional-access", tune: slow, checkOnly: true, want: both(overcome, spaced), off: without(graph.DefenceLanes)},
		faultCase{name: "Identity Protection", spec: "3=identity-protection", tune: slow, checkOnly: true, want: both(overcome, spaced)},
	)
}

func TestFault04ThrottledForEver(t *testing.T) {
	short, brief := limits(3*time.Second, 3*time.Second), outside{timeout: 4 * time.Second, within: late}
	runFaults(t,
		faultCase{name: "one kind", spec: "4=with-retry-after,path=" + policies, tune: short, bound: 8 * time.Second, outside: brief,
			want: noPolicies("429 TooManyRequests"), off: without(graph.DefenceUnknown)},
		faultCase{name: "the directory", spec: "4=with-retry-after,path=/domains", tune: short, bound: 8 * time.Second, outside: brief,
			want: unknown(entra.PartDomains, "id-domain", exitUndetermined, "read the domains", "429 TooManyRequests"), off: without(graph.DefenceTime, graph.DefenceUnknown)},
		faultCase{name: "without Retry-After", spec: "4=without-retry-after,path=" + policies, tune: short, outside: brief, want: noPolicies("429 TooManyRequests"), off: without(graph.DefenceUnknown)},
		faultCase{name: "everything", spec: "4=without-retry-after", tune: short, outside: brief,
			want: both(ends(exitUndetermined, "none of", "429 TooManyRequests"), within(15*time.Second))},
	)
}

func TestFault05ServerErrors(t *testing.T) {
	twice := both(overcome, times("/domains", 2, 2))
	var cases []faultCase
	for _, v := range []string{"502", "503", "504", "500", "503-retry-after"} {
		cases = append(cases, faultCase{name: v, spec: "5=" + v + ",path=/domains", want: twice, off: without(graph.DefenceRetry)})
	}
	noPage := func(_, got *faulted) error {
		if d := statusOf(got, entra.PartPolicies).Detail; strings.Contains(d, "gateway") || strings.Contains(d, "<") {
			return fmt.Errorf("the gateway's page is told: %q", d)
		}
		return nil
	}
	cases = append(cases,
		faultCase{name: "503 for ever", spec: "5=503,times=0,path=" + policies, off: without(graph.DefenceUnknown),
			want: both(noPolicies("status 503: answered with text/html of"), noPolicies("given up after 4 attempts"), noPage, times(policies, 4, 4))},
		faultCase{name: "500 for everything", spec: "5=500,times=0", want: ends(exitUndetermined, "none of", "500 UnknownError", "given up after 4 attempts")})
	runFaults(t, cases...)
}

func TestFault07BrokenBodies(t *testing.T) {
	quick := limits(700*time.Millisecond, 2*time.Second)
	large := noPolicies("larger than 67108864 bytes")
	// The program gives each of four attempts half a minute; every day it has less in all.
	drip := outside{timeout: 3 * time.Second, within: late, want: noPolicies("time was up before the answer")}
	if os.Getenv("HALLIGAN_FULL") != "" {
		drip = outside{timeout: 6 * time.Minute, want: noPolicies("no whole answer in 30s")}
	}
	runFaults(t,
		faultCase{name: "reset", spec: "7=reset,path=" + policies, want: noPolicies("given up after 4 attempts"), off: without(graph.DefenceUnknown)},
		faultCase{name: "slow drip", spec: "7=drip,path=" + policies, tune: quick, bound: 8 * time.Second, want: noPolicies("no whole answer in 700ms"), off: without(graph.DefenceTime),
			outside: drip},
		faultCase{name: "never-ending", spec: "7=endless,path=" + policies, tune: quick, want: noPolicies("larger than 1048576 bytes"), off: without(graph.DefenceSize),
			outside: outside{want: large}},
		faultCase{name: "gzip bomb", spec: "7=gzip-bomb,value=33554432,path=" + policies, want: noPolicies("larger than 1048576 bytes"), off: without(graph.DefenceSize),
			outside: outside{spec: "7=gzip-bomb,path=" + policies, want: large}},
	)
}

func TestFault08TruncatedJSON(t *testing.T) {
	broken := noPolicies("of JSON that end too early or are broken")
	runFaults(t,
		faultCase{name: "half", spec: "8=half,path=" + policies, want: broken, off: without(graph.DefenceWhole)},
		faultCase{name: "last byte", spec: "8=last-byte,path=" + policies, want: broken, off: without(graph.DefenceWhole)},
		faultCase{name: "nothing", spec: "8=nothing,path=" + policies, want: noPolicies("an empty answer where an object was due"), off: without(graph.DefenceWhole)},
	)
}

func TestFault09HollowAnswers(t *testing.T) {
	runFaults(t,
		faultCase{name: "error with 200", spec: "9=error-200,path=" + policies, want: noPolicies("200 UnknownError"), off: without(graph.DefenceForm)},
		faultCase{name: "value null", spec: "9=null,path=" + policies, want: noPolicies("the list's value is null"), off: without(graph.DefenceForm)},
		faultCase{name: "value missing", spec: "9=missing,path=" + policies, want: noPolicies("the list has no value"), off: without(graph.DefenceForm)},
		faultCase{name: "no applications", spec: "9=empty,path=/servicePrincipals", off: without(graph.DefenceCount),
			want: unknown(entra.PartApplications, "", exitUndetermined, "read the service principals", "0 items came, the count says 13, twice")},
		faultCase{name: "nobody has a permission", spec: "9=empty,path=/appRoleAssignedTo", off: without(graph.DefenceSome),
			want: unknown(entra.PartAppRoleAssignments, "gov-writers", exitUndetermined, "read the permissions of service principals", "an empty list, and no tenant has none of these")},
		faultCase{name: "no organization", spec: "9=empty,path=/organization", off: without(graph.DefenceSome),
			want: unknown(entra.PartOrganization, "", exitUndetermined, "read the organization", "an empty list, and no tenant has none of these")},
	)
}

func TestFault10PagesThatLeadNowhere(t *testing.T) {
	// To the bound of 10,000 pages it takes more than a minute; every day it has less.
	noEnd := outside{spec: "10=endless,path=" + policies, timeout: 2 * time.Second, within: late, want: noPolicies("time was up")}
	if os.Getenv("HALLIGAN_FULL") != "" {
		noEnd.timeout, noEnd.within, noEnd.want = 5*time.Minute, 0, both(noPolicies("there are more than 10000 pages"), times(policies, 10000, 10000))
	}
	runFaults(t,
		faultCase{name: "empty last page", spec: "10=empty-last,path=" + policies, want: both(overcome, times(policies, 2, 2))},
		faultCase{name: "same page again", spec: "10=same,path=" + policies, want: noPolicies("page 2 leads back to an earlier page"), off: without(graph.DefenceLoops)},
		faultCase{name: "cycle of three", spec: "10=cycle,path=" + policies, want: noPolicies("page 4 leads back to an earlier page"), off: without(graph.DefenceLoops)},
		faultCase{name: "no end", spec: "10=endless,value=30,path=" + policies, want: both(noPolicies("there are more than 20 pages"), times(policies, 20, 20)), off: without(graph.DefencePages),
			outside: noEnd},
	)
}

func TestFault11NextPageSomewhereElse(t *testing.T) {
	var cases []faultCase
	for name, why := range map[string]string{
		"other-host": "is not of https://localhost:", "evil-suffix": "is not of https://localhost:", "userinfo": "is not of https://localhost:", "http": "is not of https://localhost:",
		"port": "is not of https://localhost:", "ipv6": "is not of https://localhost:", "relative": "is not of https://localhost:",
		"version": "is of another API version", "tenant": "is of another API version", "homograph": "has characters that do not belong into an address",
	} {
		cases = append(cases, faultCase{name: name, spec: "11=" + name + ",path=" + policies, off: without(graph.DefenceLinks),
			want: both(noPolicies("refused: the link to the next page"), noPolicies(why), times(policies, 1, 1))})
	}
	runFaults(t, cases...)
}

func TestFault12Redirects(t *testing.T) {
	var cases []faultCase
	for _, v := range []string{"other-host", "metadata", "plain-http", "suffix"} {
		cases = append(cases, faultCase{name: v, spec: "12=" + v + ",path=" + policies, off: without(graph.DefenceRedirects),
			want: both(noPolicies("refused: answered with a redirect"), noPolicies("which is not followed"), times(policies, 1, 1))})
	}
	cases = append(cases, faultCase{name: "everywhere", spec: "12=metadata", off: without(graph.DefenceRedirects),
		want: ends(exitUndetermined, "refused: answered with a redirect (302) to http://169.254.169.254", "Do not go on until you know where the answer came from")})
	runFaults(t, cases...)
}
