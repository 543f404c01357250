package lockout_test

import (
	"encoding/json"
	"testing"

	"halligan/entra"
	"halligan/lockout"
	"halligan/lockout/verify"
)

// checkable returns what the checker is given: the Snapshot's JSON, the
// question and the certificate.
func checkable(t *testing.T, s *entra.Snapshot, q lockout.Question, v lockout.Verdict) ([]byte, verify.Question, []byte) {
	t.Helper()
	qj, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	vq, err := verify.ParseQuestion(qj)
	if err != nil {
		t.Fatal(err)
	}
	cj, err := json.Marshal(v.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return s.JSON(), vq, cj
}

func TestCertificatesOfPublishedSetsVerifyAndEachLineCounts(t *testing.T) {
	root, sets := corpusSets(t)
	verified, falsified := 0, 0
	for _, set := range sets {
		snap := set.read(t, root)
		candidates := lockout.Candidates(snap, 1)
		if len(candidates) == 0 {
			candidates = []lockout.Candidate{{Kind: "user", ID: "11111111-1111-4111-8111-111111111111"}}
		}
		s := supposed(t, snap, candidates[0])
		for _, name := range []string{"entraAdminCenter", "recover:entraAdminCenter", "graphPowerShell"} {
			g, _ := lockout.ResolveGoal(name)
			q := lockout.Question{Account: candidates[0].Account(), Goal: g, Now: "2026-11-21"}
			v, err := lockout.New(s).Prove(q)
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != lockout.Proved {
				continue
			}
			sj, vq, cj := checkable(t, s, q, v)
			if err := verify.Certificate(sj, vq, cj); err != nil {
				t.Errorf("%s %s %s: a certificate of the prover is refused: %v", set.Repo, set.Source, name, err)
				continue
			}
			verified++
			if name != "entraAdminCenter" {
				continue
			}
			falsified += falsifyEachLine(t, set.Repo+" "+set.Source, sj, vq, v.Certificate)
		}
	}
	t.Logf("%d certificates verified, %d falsified lines refused", verified, falsified)
	if verified < 60 || falsified < 1000 {
		t.Errorf("%d certificates and %d falsified lines are too few to mean anything", verified, falsified)
	}
}

// falsifyEachLine replaces the reason of each line, one at a time, by one that
// is not true, and returns how many were refused.
func falsifyEachLine(t *testing.T, where string, sj []byte, q verify.Question, c *lockout.Certificate) int {
	t.Helper()
	n := 0
	try := func(what string, bad lockout.Certificate) {
		cj, err := json.Marshal(bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify.Certificate(sj, q, cj); err == nil {
			t.Errorf("%s: %s was accepted", where, what)
			return
		}
		n++
	}
	for i := range c.Lines {
		bad := *c
		bad.Lines = append([]lockout.CertLine{}, c.Lines...)
		bad.Lines[i] = falseLine(c.Lines[i])
		try("line "+c.Lines[i].Policy+" "+c.Lines[i].Reason+" made "+bad.Lines[i].Reason, bad)
		bad.Lines = append(append([]lockout.CertLine{}, c.Lines[:i]...), c.Lines[i+1:]...)
		try("a certificate without line "+c.Lines[i].Policy, bad)
	}
	for i := range c.Gates {
		bad := *c
		bad.Gates = append(append([]lockout.CertGate{}, c.Gates[:i]...), c.Gates[i+1:]...)
		try("a certificate without gate "+c.Gates[i].Gate, bad)
		bad.Gates = append([]lockout.CertGate{}, c.Gates...)
		bad.Gates[i].Reason = "trustMe"
		try("gate "+c.Gates[i].Gate+" with another reason", bad)
	}
	bad := *c
	bad.Snapshot = "00" + c.Snapshot[2:]
	if c.Snapshot[:2] != "00" {
		try("another digest", bad)
	}
	bad = *c
	bad.Options = append([]lockout.Option{}, c.Options...)
	bad.Options[0].Kit = []string{"a key nobody has"}
	try("another kit", bad)
	return n
}

// falseLine gives a line a reason that cannot be true of it: an exclusion by a
// group that nobody has heard of.
func falseLine(l lockout.CertLine) lockout.CertLine {
	return lockout.CertLine{Policy: l.Policy, Stage: l.Stage, Leaf: l.Leaf, Reason: lockout.ReasonExcluded,
		Route: &lockout.Route{Kind: "group", ID: "00000000-dead-4bad-8000-000000000000"}}
}
