package main

import (
	"errors"

	"halligan/register"
)

// asRegisterFault makes the errors of a register into one with all its lines.
func asRegisterFault(err error) error {
	hint := ""
	if hinted, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is {
		hint = hinted.Hint()
	}
	return &fault{exitFailed, err, hint}
}

func accountLine(a register.Account) string {
	text := string(a.ID)
	if a.Name != "" {
		text = a.Name + " (" + text + ")"
	}
	if a.Pattern != "" {
		text += ", " + string(a.Pattern)
	}
	if len(a.Keys) > 0 {
		text += ", " + plural(len(a.Keys), "key", "keys")
	}
	return text
}
