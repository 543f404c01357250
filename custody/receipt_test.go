package custody_test

import (
	"errors"
	"slices"
	"testing"

	"halligan/custody"
	"halligan/register"
)

func TestWhoReceivesSignsForIt(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbHandOver, "part key-north-1", handing("victor"))
	d, err := w.Decides(ask)
	if !errors.Is(err, custody.ReasonTooFew) || !errors.Is(err, custody.ReasonReceipt) || d.Missing() != 1 || !slices.Equal(d.Unsigned, []string{"victor"}) {
		t.Fatalf("nobody signed: %+v, %v", d, err)
	}
	// Victor may not approve: his signature is a receipt, and no approval.
	w.As("victor").Approves(ask)
	if d, err = w.Decides(ask); !errors.Is(err, custody.ReasonTooFew) || errors.Is(err, custody.ReasonReceipt) || len(d.Approved) != 0 || d.Missing() != 1 {
		t.Fatalf("with the receipt alone: %+v, %v", d, err)
	}
	w.As("ben").Approves(ask)
	if d, err = w.Decides(ask); err != nil || len(d.Approved) != 1 || d.Approved[0].Person != "ben" || len(d.Marks) != 0 || len(d.Refused) != 0 {
		t.Fatalf("with both: %+v, %v", d, err)
	}

	// Who may approve and receives does both by one signature.
	ask = w.As("ana").Requests(custody.VerbHandOver, "part key-north-1", handing("ben"))
	if _, err := w.rules().Admit(ask, w.As("ben").prepares(ask.Request)); err != nil {
		t.Error(err)
	}
	w.As("ben").Approves(ask)
	if d, err = w.Decides(ask); err != nil || len(d.Marks) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestAReceiptOfAnotherIsNone(t *testing.T) {
	w := newWorld(t)
	ask := w.As("mallory").Requests(custody.VerbHandOver, "part key-north-1", handing("victor"))
	w.As("ben").Approves(ask)
	w.As("mallory").Approves(ask, func(a *custody.Approval) { a.Person = "victor" })
	d, err := w.Decides(ask)
	if !errors.Is(err, custody.ReasonReceipt) || !errors.Is(err, custody.ReasonKey) {
		t.Errorf("%+v, %v", d, err)
	}
	// Nobody becomes an approver of something else by receiving.
	ask = w.As("mallory").Requests(custody.VerbOpen, north, handing("victor"))
	w.As("victor").Approves(ask)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonRight) {
		t.Error(err)
	}
}

func TestWithoutAReceiptItIsMarked(t *testing.T) {
	w := newWorld(t)
	w.register.People = append(w.register.People, register.Person{Name: "dora"}) // she has no key
	w.registerIsApproved()
	for name, details := range map[string]string{"handed over": `{"receivers":["dora"]}`, "written down": `{"holders":["dora"]}`, "written down for who could sign": `{"holders":["carol"]}`} {
		ask := w.As("ana").Requests(custody.VerbCustody, "part x", func(r *custody.Request) { r.Details = []byte(details) })
		w.As("ben").Approves(ask)
		if d, err := w.Decides(ask); err != nil || !slices.Equal(d.Marks, []string{custody.MarkNoReceipt}) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
	}
	ask := w.As("ana").Requests(custody.VerbCustody, "part x", func(r *custody.Request) { r.Details = []byte(`{"holders":["ana","ben"]}`) })
	w.As("ben").Approves(ask)
	if d, err := w.Decides(ask); err != nil || len(d.Marks) != 0 {
		t.Errorf("both signed: %+v, %v", d, err)
	}
	ask = w.As("ana").Requests(custody.VerbHandOver, "part x", handing("trent"))
	if err := w.rules().CheckRequest(ask.Request); !errors.Is(err, custody.ReasonPerson) {
		t.Errorf("to nobody: %v", err)
	}
}

func TestOnePersonTakesOverAlone(t *testing.T) {
	w := newWorld(t)
	w.register.Quorum = register.Quorum{People: 1}
	w.registerIsApproved()
	ask := w.As("ana").Requests(custody.VerbHandOver, "part x", handing("ana"))
	w.As("ana").Approves(ask)
	if d, err := w.Decides(ask); err != nil || !slices.Equal(d.Marks, []string{custody.MarkOnePerson}) {
		t.Errorf("%+v, %v", d, err)
	}
}

// Two names with one key are one person, in a hand-over too.
func TestNobodyReceivesUnderAnotherName(t *testing.T) {
	w := newWorld(t)
	w.register.People = append(w.register.People, register.Person{Name: "trent", Signing: w.As("mallory").line() + " trent"})
	w.registerIsApproved()
	ask := w.As("mallory").Requests(custody.VerbHandOver, "part x", handing("trent"))
	if err := w.rules().CheckRequest(ask.Request); !errors.Is(err, custody.ReasonReceiver) {
		t.Error(err)
	}
}
