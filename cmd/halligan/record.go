package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"halligan/internal/app"
)

// recordFlags say whether a result becomes evidence, and where that is kept.
type recordFlags struct {
	on    bool
	place placeFlags
}

func (f *recordFlags) add(flags *pflag.FlagSet) {
	flags.BoolVar(&f.on, "record", false, "put the result into the evidence, with the digest of what was read")
	flags.StringVar(&f.place.store, "store", "", "`PATH` of the evidence store (default: what the register says, else a folder of the tenant among your settings)")
	flags.StringVar(&f.place.logKey, "log-key", "", "`FILE` of the key that signs the log (default: log.key beside the store)")
}

// record puts results into the evidence.
func (c *console) record(ctx context.Context, registerPath string, f *recordFlags, records ...app.Record) (err error) {
	place := f.place
	place.register = registerPath
	a, end, err := c.writing(ctx, &place)
	if err != nil {
		return fmt.Errorf("record the result: %w", err)
	}
	defer func() { err = errors.Join(err, end()) }()
	entries, err := a.Record(ctx, records...)
	if err != nil {
		return fmt.Errorf("record the result: %w", err)
	}
	if len(entries) > 0 {
		c.say("recorded", bold, "as entry "+number(entries[0].Index)+" of the evidence")
	}
	return nil
}
