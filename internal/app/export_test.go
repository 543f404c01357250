package app

import (
	"context"
	"time"

	"halligan/custody"
	"halligan/register"
)

// Deed is an act with an effect, for tests: verbs with one come later than the
// corridor that they pass.
type Deed struct {
	Before   string
	Effect   func(ctx context.Context) (after string, requestIDs []string, source time.Time, err error)
	ReadBack func(ctx context.Context) (string, error)
}

// Through sends an act through the corridor with an approved request.
func (a *App) Through(ctx context.Context, hash string, w Deed) (*Done, error) {
	return a.through(ctx, hash, func(_ *known, p *custody.Pending, _ *requestData) (*act, error) {
		return &act{verb: p.Request.What, on: p.Request.On, why: p.Request.Why, before: w.Before, readBack: w.ReadBack, effect: func(ctx context.Context) (*effect, error) {
			after, ids, source, err := w.Effect(ctx)
			if after == "" {
				return nil, err
			}
			return &effect{after: after, requestIDs: ids, source: source}, err
		}}, nil
	})
}

// AcceptedText is an accepted risk as it stands in a request.
var AcceptedText = acceptedText

// ColumnsTold is how many things are told of a part and of a place, beside its name,
// of a key, and of an account, beside its keys.
func ColumnsTold() (part, place, key, account int) {
	return len(partColumns(&register.Part{})), len(placeColumns(&register.Place{})), len(keyColumns(&register.Key{})), len(accountColumns(&register.Account{}))
}

// TenantSide is what Survive asks of a tenant.
var TenantSide = tenantSide
