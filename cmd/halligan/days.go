package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// days is a flag for a time that people count in days: 2d, or what
// time.ParseDuration reads.
type days time.Duration

// daysMost keeps a number of days within a time.Duration.
const daysMost = 10000

// Set implements pflag.Value.
func (d *days) Set(text string) error {
	if n, is := strings.CutSuffix(text, "d"); is {
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || count > daysMost {
			return fmt.Errorf("%q is no number of days", text)
		}
		*d = days(time.Duration(count) * 24 * time.Hour)
		return nil
	}
	v, err := time.ParseDuration(text)
	*d = days(v)
	return err
}

// String implements pflag.Value.
func (d *days) String() string {
	const day = days(24 * time.Hour)
	if *d != 0 && *d%day == 0 {
		return fmt.Sprintf("%dd", *d/day)
	}
	return time.Duration(*d).String()
}

// Type implements pflag.Value.
func (*days) Type() string { return "time" }

// flagForms say what the value of a flag looks like, by pflag's word for its type.
var flagForms = map[string]struct{ is, like string }{
	"int":      {"a whole number", "2"},
	"uint64":   {"a whole number", "2"},
	"bool":     {"true or false", "true"},
	"duration": {"a time", "90s, 15m or 24h"},
	"time":     {"a time", "12h or 2d"},
}

// flagValue tells in plain words that a flag has a value of another form.
func flagValue(e *pflag.InvalidValueError) (text, hint string, ok bool) {
	form, ok := flagForms[e.GetFlag().Value.Type()]
	if !ok {
		return "", "", false
	}
	return fmt.Sprintf("--%s takes %s, not %q", e.GetFlag().Name, form.is, e.GetValue()), fmt.Sprintf("for example --%s %s", e.GetFlag().Name, form.like), true
}
