package app

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"halligan/register"
)

// accountDiff is an account that came (was is nil), went (is is nil) or changed, as
// custody has it.
type accountDiff struct {
	name    string
	was, is *register.Account
}

// accountsBetween compares the accounts of two custody parts of a register.
func accountsBetween(old, now *register.Register) []accountDiff {
	var out []accountDiff
	for i := range now.Accounts {
		is := &now.Accounts[i]
		if was := old.Account(is.ID); was == nil || !reflect.DeepEqual(was, is) {
			out = append(out, accountDiff{accountTitle(is, was, old, now), was, is})
		}
	}
	for i := range old.Accounts {
		if was := &old.Accounts[i]; now.Account(was.ID) == nil {
			out = append(out, accountDiff{accountTitle(was, nil, old, now), was, nil})
		}
	}
	return out
}

// accountTitle is the name of an account where it names only that one, and its id
// otherwise.
func accountTitle(a, was *register.Account, registers ...*register.Register) string {
	other := func(b register.Account) bool { return !b.ID.Equal(a.ID) && strings.EqualFold(b.Name, a.Name) }
	for _, r := range registers {
		if a.Name == "" || was != nil && was.Name != a.Name || slices.ContainsFunc(r.Accounts, other) {
			return string(a.ID)
		}
	}
	return a.Name
}

// accountsStand returns an error unless a register says of accounts already what the
// change makes of them: halligan edits none. With the first place or part, what stands
// there comes into custody.
func (d *custodyDiff) accountsStand(text []byte) error {
	if len(d.accounts) == 0 {
		return nil
	}
	r, err := register.Parse("halligan.yaml", text)
	if err != nil {
		return err
	}
	for _, a := range d.accounts {
		id := cmp.Or(a.is, a.was).ID
		stands := r.Account(id)
		same := stands == nil && a.is == nil || stands != nil && a.is != nil &&
			slices.Equal(accountColumns(stands)[1:], accountColumns(a.is)[1:]) && slices.Equal(stands.Keys, a.is.Keys)
		if !same {
			return errByHand("account " + a.name)
		}
	}
	return nil
}

func accountColumns(a *register.Account) []column {
	return []column{{"id", string(a.ID)}, {"name", a.Name}, {"pattern", string(a.Pattern)}, {"password", string(a.Password)}}
}

func keyColumns(k *register.Key) []column {
	return []column{{"label", k.Label}, {"model", k.Model}, {"AAGUID", k.AAGUID}, {"serial", k.Serial}, {"id", k.ID}}
}

// line tells the whole change of an account, with each of its keys.
func (d *accountDiff) line() string {
	one, sign := d.is, "+ "
	if one == nil {
		one, sign = d.was, "- "
	}
	var words []string
	if d.was != nil && d.is != nil {
		sign, words = "", append(changedColumns(accountColumns(d.was), accountColumns(d.is)), keysBetween(d.was.Keys, d.is.Keys)...)
	} else {
		words = statedColumns(accountColumns(one))
		for i := range one.Keys {
			words = append(words, keyStated(one.Keys, i))
		}
	}
	return sign + "account " + d.name + ": " + strings.Join(words, ", ")
}

// keysBetween tells what the keys of an account have otherwise. A key is the same when
// it has the same label, else the same id or serial number.
func keysBetween(was, is []register.Key) []string {
	from := make([]int, len(is)) // the key that it was, or -1
	taken := make([]bool, len(was))
	for i := range from {
		from[i] = -1
	}
	for _, of := range []func(register.Key) string{
		func(k register.Key) string { return k.Label }, func(k register.Key) string { return k.ID },
		func(k register.Key) string { return k.Serial }, func(k register.Key) string { return cmp.Or(k.AAGUID, k.Model, "key") },
	} {
		for i := range is {
			at := slices.IndexFunc(was, func(k register.Key) bool { return of(k) != "" && of(k) == of(is[i]) })
			if from[i] < 0 && at >= 0 && !taken[at] {
				from[i], taken[at] = at, true
			}
		}
	}
	var out []string
	var order []int
	for i := range is {
		if from[i] < 0 {
			out = append(out, "+ "+keyStated(is, i))
			continue
		}
		order = append(order, from[i])
		for _, change := range changedColumns(keyColumns(&was[from[i]]), keyColumns(&is[i])) {
			out = append(out, keyTitle(was, from[i])+" "+change)
		}
	}
	for i := range was {
		if !taken[i] {
			out = append(out, "- "+keyStated(was, i))
		}
	}
	if !slices.IsSorted(order) {
		out = append(out, "the keys in another order")
	}
	return out
}

// keyTitle names a key by what is written down of it, and by its place among the keys
// where that names none, or more than one.
func keyTitle(keys []register.Key, i int) string {
	called := func(k register.Key) string { return cmp.Or(k.Label, k.Serial, k.ID) }
	name, n := called(keys[i]), 0
	for _, k := range keys {
		if strings.EqualFold(called(k), name) {
			n++
		}
	}
	switch {
	case name == "":
		return fmt.Sprintf("key number %d", i+1)
	case n > 1:
		return fmt.Sprintf("key %q (number %d)", name, i+1)
	}
	return "key " + strconv.Quote(name)
}

// keyStated is a key with all that is written down of it.
func keyStated(keys []register.Key, i int) string {
	k := keys[i]
	if title := cmp.Or(k.Label, k.Serial, k.ID); title == k.Label {
		k.Label = "" // told
	}
	if words := statedColumns(keyColumns(&k)); len(words) > 0 {
		return keyTitle(keys, i) + " (" + strings.Join(words, ", ") + ")"
	}
	return keyTitle(keys, i)
}

func statedColumns(columns []column) []string {
	var out []string
	for _, c := range columns {
		if c.value != "" {
			out = append(out, c.name+" "+plainValue(c.value))
		}
	}
	return out
}

func changedColumns(was, is []column) []string {
	var out []string
	for i := range is {
		if was[i].value != is[i].value {
			out = append(out, fmt.Sprintf("%s %s -> %s", is[i].name, orNone(plainValue(was[i].value)), orNone(plainValue(is[i].value))))
		}
	}
	return out
}

// plainValue puts a value in quotes that could be read as more than one.
func plainValue(value string) string {
	if strings.ContainsAny(value, `,"()`) || strings.Contains(value, "->") || value == "none" {
		return strconv.Quote(value)
	}
	return value
}
