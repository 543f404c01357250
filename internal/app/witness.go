package app

import (
	"context"
	"encoding/json"
	"errors"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
)

// MoveWitness gives the store another witness place, and puts into the log who did
// so and why. Nobody proves who they are for that, as for a record: a place that is
// lost must not keep people from asking for approvals. What the register says about
// the witness is approved like everything else that decides.
func (a *App) MoveWitness(ctx context.Context, m store.WitnessMove, why string) ([]evidence.Entry, error) {
	owned, is := a.Ledger.(Owned)
	if !is {
		return nil, &hinted{errors.New("another process owns the store, and only the owner can move its witness place"), "end halligan serve, and give the command again"}
	}
	marks := []string{custody.MarkUnsigned}
	if s, err := a.Standing(ctx); err != nil || !s.Stands() {
		marks = append(marks, MarkUnapproved)
	}
	data, err := json.Marshal(struct {
		From    string `json:"from"`
		To      string `json:"to"`
		OldGone bool   `json:"oldGone,omitempty"`
	}{owned.Identity().Witness, m.To, m.OldGone})
	if err != nil {
		return nil, err
	}
	return owned.DB.MoveWitness(ctx, owned.Key, m, func(store.View) ([]evidence.Entry, error) {
		return []evidence.Entry{{Kind: evidence.KindNote, Tenant: a.tenant(), Who: []string{a.Account}, What: "move the witness place", On: owned.Name(), Why: why, Marks: marks, Data: data}}, nil
	})
}
