package app

import (
	"context"
	"strconv"
	"time"

	"halligan/evidence"
	"halligan/internal/print"
	"halligan/internal/store"
	"halligan/procedure"
	"halligan/register"
)

// Binder makes the binder of a register as of a day: what stands in it, the runbooks,
// and a version that is the day. Where there is a log, App.Binder gives it a number.
func Binder(r *register.Register, day time.Time) *print.Binder {
	day = day.UTC().Truncate(24 * time.Hour) // printed twice on a day, it is the same
	return &print.Binder{Register: r, Digest: r.Digest(), Version: day.Format(time.DateOnly), Date: day,
		Runbooks: procedure.Runbooks(), Opening: procedure.StockOpening(), First: procedure.FirstMinutes()}
}

// Binder makes the binder with what only the log knows: the number of this print,
// which is one more than prints are recorded, and the key that signs the log.
func (a *App) Binder(ctx context.Context, day time.Time) (b *print.Binder, err error) {
	b = Binder(a.Register, day)
	number := 1
	err = a.Ledger.View(ctx, func(v store.View) error {
		for _, err := range v.Find(evidence.KindBinderPrinted, "") {
			if err != nil {
				return err
			}
			number++
		}
		b.LogKey, err = lastWord(v)
		return err
	})
	b.Version = strconv.Itoa(number)
	return b, err
}
