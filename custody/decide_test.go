package custody_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/register"
)

func TestTwoPeopleDecide(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	if _, err := w.Decides(ask); !errors.Is(err, custody.ReasonTooFew) {
		t.Fatalf("without an approval: got %v", err)
	}
	w.later(time.Minute)
	approval := w.As("ben").Approves(ask)
	if s, err := w.rules().Admit(ask, approval); err != nil || s.Person != "ben" || s.Method != custody.MethodSSH || !strings.HasPrefix(s.Key, "SHA256:") {
		t.Errorf("got %+v, %v", s, err)
	}
	d, err := w.Decides(ask)
	if err != nil {
		t.Fatal(err)
	}
	if d.Hash != ask.Request.Hash() || d.Needed != 1 || len(d.Approved) != 1 || d.Asked == nil || d.Asked.Person != "ana" || len(d.Marks)+len(d.Warnings)+len(d.Refused) != 0 {
		t.Errorf("got %+v", d)
	}
}

// What does not count stands in nobody's way.
func TestARefusedApprovalDoesNotBlockTheOthers(t *testing.T) {
	w := newWorld(t)
	w.register.Quorum.Approvals = 2
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("nobody").Approves(ask)
	w.As("ana").Approves(ask)
	w.As("ben").Approves(ask)
	w.As("ben").Approves(ask)
	w.As("carol").Approves(ask)
	d, err := w.Decides(ask)
	if err != nil || len(d.Approved) != 2 || len(d.Refused) != 3 {
		t.Fatalf("got %+v, %v", d, err)
	}
	for i, want := range []custody.Reason{custody.ReasonPerson, custody.ReasonOwn, custody.ReasonTwice} {
		if d.Refused[i].Reason != want {
			t.Errorf("%d: got %v, want %s", i, d.Refused[i], want)
		}
	}
}

func TestARequestWithoutSignatureTakesTwoOthers(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	ask.Asked = nil
	w.As("ben").Approves(ask)
	d, err := w.Decides(ask)
	if !errors.Is(err, custody.ReasonUnsigned) || !errors.Is(err, custody.ReasonTooFew) || d.Needed != 2 {
		t.Errorf("got %+v, %v", d, err)
	}
	w.As("carol").Approves(ask)
	if d, err = w.Decides(ask); err != nil || !slices.Equal(d.Marks, []string{custody.MarkUnsigned}) {
		t.Errorf("got %+v, %v", d, err)
	}
	// A signature by somebody else is worse than none.
	for _, who := range []string{"mallory", "ana"} {
		forged := w.As("ana").Requests(custody.VerbOpen, north)
		forged.Asked = w.As("mallory").signs(custody.NewApproval(forged.Request, custody.ActRequest, who, w.approved, w.now), forged.Request)
		w.As("ben").Approves(forged)
		w.As("carol").Approves(forged)
		if err := w.Does(forged); err == nil {
			t.Errorf("signed by mallory as %s", who)
		}
	}
	// Who approves did not ask, and the other way round.
	swapped := w.As("ana").Requests(custody.VerbOpen, north)
	swapped.Asked = w.As("ana").prepares(swapped.Request)
	if err := w.Does(swapped); !errors.Is(err, custody.ReasonUnsigned) {
		t.Errorf("got %v", err)
	}
	swapped.Asked, swapped.Approvals = nil, []*custody.Approval{w.As("ben").signs(custody.NewApproval(swapped.Request, custody.ActRequest, "ben", w.approved, w.now), swapped.Request)}
	if err := w.Does(swapped); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("got %v", err)
	}
}

// One person decides alone where the approved register says that there is one,
// and it is marked.
func TestOnePersonIsMarked(t *testing.T) {
	w := newWorld(t)
	w.register.People = w.register.People[:1]
	w.register.Quorum = register.Quorum{People: 1, Outside: "Parsons and Co"}
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonTooFew) {
		t.Errorf("without an approval: got %v", err)
	}
	w.As("ana").Approves(ask)
	d, err := w.Decides(ask)
	if err != nil || !slices.Contains(d.Marks, custody.MarkOnePerson) || d.Needed != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
}

func TestOneLineOfManagersIsTold(t *testing.T) {
	w := newWorld(t)
	w.person("ben").Manager, w.person("carol").Manager = "carol", "ana"
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	approval := w.As("ben").Approves(ask)
	d, err := w.Decides(ask)
	if err != nil || len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "ana and ben are in one line of managers") {
		t.Errorf("got %+v, %v", d, err)
	}
	w.used = map[string]bool{}
	if s, err := w.rules().Admit(ask, approval); err != nil || len(s.Notes) != 1 {
		t.Errorf("got %+v, %v", s, err)
	}
	// Where lines are distinct, one of the line counts, and others make it up.
	w.register.Quorum = register.Quorum{People: 5, Approvals: 1, Lines: register.LinesDistinct}
	w.registerIsApproved()
	again := w.As("ana").Requests(custody.VerbOpen, north)
	refused := w.As("ben").Approves(again)
	if _, err := w.rules().Admit(again, refused); !errors.Is(err, custody.ReasonLine) {
		t.Errorf("got %v", err)
	}
	w.As("mallory").Approves(again)
	if err := w.Does(again); err != nil {
		t.Error(err)
	}
}

// The first register is approved by its own people; after it, only by the rules
// before.
func TestTheFirstRegisterAndTheNext(t *testing.T) {
	w := newWorld(t)
	digest := w.approved
	w.approved, w.former = "", map[string]bool{}
	begin := w.As("ana").Requests(custody.VerbBegin, "this register", func(r *custody.Request) { r.Register = digest })
	begin.Asked = w.As("ana").signs(custody.NewApproval(begin.Request, custody.ActRequest, "ana", digest, w.now), begin.Request)
	w.As("ben").Approves(begin, func(a *custody.Approval) { a.Register = digest })
	if err := w.Does(begin); err != nil {
		t.Fatal(err)
	}
	other := w.As("ana").Requests(custody.VerbOpen, north, func(r *custody.Request) { r.Register = digest })
	if err := w.Does(other); !errors.Is(err, custody.ReasonNotBegun) {
		t.Errorf("something else before the first approval: got %v", err)
	}
	w.approved = digest
	w.used = map[string]bool{}
	if err := w.Does(begin); !errors.Is(err, custody.ReasonBegun) {
		t.Errorf("a second beginning: got %v", err)
	}

	// mallory's accomplice cannot approve the register in which he is an approver.
	old, _ := w.register.Deciding()
	w.person("victor").Roles = []register.Role{register.RoleApprover}
	_, next := w.register.Deciding()
	before, err := register.FromDeciding(old)
	if err != nil {
		t.Fatal(err)
	}
	w.register = before
	change := w.As("mallory").Requests(custody.VerbRegister, "halligan.yaml", func(r *custody.Request) { r.Details = []byte(`{"after":"` + next + `"}`) })
	w.As("victor").Approves(change)
	if err := w.Does(change); !errors.Is(err, custody.ReasonRight) {
		t.Errorf("got %v", err)
	}
	w.As("ben").Approves(change)
	if err := w.Does(change); err != nil {
		t.Error(err)
	}
}

func TestAnApprovalOutlivesAChangeOfTheRegister(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask)
	w.register.Channels = []register.Channel{{Name: "Duty", Kind: "sms"}}
	w.registerIsApproved()
	if err := w.Does(ask); err != nil {
		t.Errorf("got %v", err)
	}
}

// A copy of a passkey may stand in the register under another credential id.
func TestOnePasskeyUnderTwoIDsIsOne(t *testing.T) {
	w := newWorld(t)
	key := newSoftKey(t)
	copied := *key
	copied.id = bytes.Repeat([]byte{1}, 20)
	w.person("ben").Signing, w.person("ben").Passkey, w.As("ben").passkey = "", key.public(t), key
	w.person("carol").Signing, w.person("carol").Passkey, w.As("carol").passkey = "", copied.public(t), &copied
	w.register.Quorum.Approvals = 2
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask)
	w.As("carol").Approves(ask)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonSamePasskey) {
		t.Errorf("got %v", err)
	}
}

func TestTheTableOfRights(t *testing.T) {
	seen := map[custody.Verb]bool{}
	for _, r := range custody.Rights {
		if seen[r.Verb] || r.Doc == "" || len(r.May) == 0 {
			t.Errorf("got %+v", r)
		}
		seen[r.Verb] = true
	}
	auditor := &register.Person{Name: "ida", Roles: []register.Role{register.RoleAuditor}}
	for verb, want := range map[custody.Verb]bool{custody.VerbView: true, custody.VerbExport: true, custody.VerbOpen: false, custody.VerbApprove: false, "dance": false} {
		if got := custody.May(auditor, verb); got != want {
			t.Errorf("%s: got %v", verb, got)
		}
	}
	if custody.May(nil, custody.VerbView) || custody.May(&register.Person{Name: "x"}, custody.VerbView) {
		t.Error("nobody may look")
	}
	q := register.Quorum{People: 9, Approvals: 3}
	for verb, want := range map[custody.Verb]int{custody.VerbView: 0, custody.VerbAccept: 1, custody.VerbOpen: 3} {
		if got := custody.RightOf(verb).Needed(q); got != want {
			t.Errorf("%s: got %d", verb, got)
		}
	}
	w := newWorld(t)
	if err := w.Does(w.As("ana").Requests("dance", north)); !errors.Is(err, custody.ReasonVerb) {
		t.Errorf("got %v", err)
	}
}

// A reason without a hint, or a defence that no story knows, would be noticed by
// nobody: the source is read for them.
func TestReasonsAndDefencesAreComplete(t *testing.T) {
	source, err := os.ReadFile("refusal.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := regexp.MustCompile(`(?m)^\tReason\w+ +Reason = "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(reasons) < 25 {
		t.Errorf("got %d reasons", len(reasons))
	}
	for _, m := range reasons {
		if (&custody.Refusal{Reason: custody.Reason(m[1])}).Hint() == "" {
			t.Errorf("no hint for %q", m[1])
		}
	}
	all := regexp.MustCompile(`(?m)^\tDefence\w+ +Defence = "(.*)"$`).FindAllStringSubmatch(string(source), -1)
	if len(all) != len(defences) {
		t.Errorf("the source has %d defences, the stories %d", len(all), len(defences))
	}
	for _, m := range all {
		if !slices.Contains(defences, custody.Defence(m[1])) {
			t.Errorf("no story knows %q", m[1])
		}
	}
}

func TestWhatIsRefusedSaysWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.register.Quorum.Approvals = 2
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("victor").Approves(ask)
	err := w.Does(ask)
	want := "use the request: too few people approved (0 of 2); count the approval of victor: the person may not approve (no role allows it)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	refusal, _ := errors.AsType[*custody.Refusal](err)
	if want := "have more people approve it: halligan approve\nhave somebody approve who has the role approver: halligan person list"; refusal.Hint() != want {
		t.Errorf("got %q", refusal.Hint())
	}
}
