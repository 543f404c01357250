package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/register"
)

// A request is made on the machine of who asks, and could be made by hand: what it says
// of other sets, and of what to beware, is judged by the log as it was when it was asked,
// and as it is now.

func reliedSeal(a *App, k *known, p *custody.Pending, _ *requestData) error {
	var d sealDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return fmt.Errorf("read the details of the request: %v", err)
	}
	return a.toldAll(k, p, &d)
}

// toldAll refuses a request to seal that leaves out or adds something of what approvers
// read, and one after which something came in that they did not read.
func (a *App) toldAll(k *known, p *custody.Pending, d *sealDetails) error {
	account, _ := a.accountOf(string(d.Account))
	if account == nil {
		return &hinted{fmt.Errorf("seal for account %.80q: the register has none of that id", d.Account), "accounts: in halligan.yaml lists them"}
	}
	is := *d
	is.Name = account.Name
	if is.Name != d.Name || p.Request.On != is.on() {
		return &hinted{fmt.Errorf("what was approved is %.120q, to sign in with %.80q; the register says %.120q, to sign in with %.80q", p.Request.On, d.Name, is.on(), is.Name), "correct the name in halligan.yaml, or ask anew: halligan request seal"}
	}
	if a.trusting() {
		return nil
	}
	then, now := &Held{sets: map[string]*sealedSet{}}, &Held{sets: map[string]*sealedSet{}}
	if err := then.sealedBefore(k.view, k.requests[p.Request.Hash()].entry); err != nil {
		return err
	}
	if err := now.sealed(k.view); err != nil {
		return err
	}
	if lie := then.untold(a.Register, d, account); lie != "" {
		return &custody.Refusal{Reason: custody.ReasonUntold, Detail: custody.Visible(lie)}
	}
	return now.cameIn(a.Register, d, account, then)
}

// copied is the wish of some details, of which nothing is shared with them.
func (d *sealDetails) copied() *SealWish {
	w := d.wish()
	w.Replaces, w.Void = slices.Clone(w.Replaces), slices.Clone(w.Void)
	return w
}

// untold says what a request leaves out or adds, by the log as it was when it was asked;
// "" nothing.
func (h *Held) untold(r *register.Register, d *sealDetails, account *register.Account) string {
	w := d.copied()
	if err := h.replaced(r, w, account, ""); err != nil {
		return err.Error()
	}
	// A list that is full names the last of them alone.
	if !slices.Equal(w.Replaces, d.Replaces) || len(d.Void) < mostVoid && !reflect.DeepEqual(w.Void, d.Void) {
		return "it leaves out, or writes in another way, which sets it makes void"
	}
	must := h.beware(r, w, account)
	may := slices.Clone(must)
	for _, p := range append(slices.Collect(maps.Keys(noPassword)), register.PatternUnknown) {
		may = append(may, noWayIn(w, account, p)...) // the register may have said so then
	}
	for _, line := range must {
		if !slices.Contains(d.Beware, line) {
			return "it leaves out: " + line
		}
	}
	for _, line := range d.Beware {
		if !slices.Contains(may, line) {
			return fmt.Sprintf("it says what is not so: %.300s", line)
		}
	}
	return ""
}

// cameIn refuses a request where another set was sealed since it was asked, of which its
// approvers did not read.
func (h *Held) cameIn(r *register.Register, d *sealDetails, account *register.Account, then *Held) error {
	const anew = "nothing is used, and nothing was sealed. Ask anew, so that approvers read it: halligan request seal"
	w := d.copied()
	if err := h.replaced(r, w, account, ""); err != nil {
		return &hinted{fmt.Errorf("since it was asked for, the log has gone on: %w", err), anew}
	}
	known := then.stay(r, w, account)
	var fresh []LiveSet
	for _, l := range h.stay(r, w, account) {
		if !slices.ContainsFunc(known, func(k LiveSet) bool { return strings.EqualFold(k.Set, l.Set) }) {
			fresh = append(fresh, l)
		}
	}
	if len(fresh) > 0 {
		return &hinted{fmt.Errorf("since it was asked for, %s of the same account%s sealed, of which its approvers did not read", idsOf(fresh), ifMany(len(fresh), " was", " were")), anew}
	}
	return nil
}
