package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"halligan/internal/app"
	"halligan/register"
)

// asRegisterFault makes the errors of a register into one with all its lines.
func asRegisterFault(err error) error {
	if f, is := errors.AsType[*fault](err); is {
		return f
	}
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

// editRegister changes the register in its place, under its lock. Either all of it is
// written or nothing.
func editRegister(ctx context.Context, name string, edit func(text []byte, r *register.Register) ([]byte, error)) error {
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		return &fault{exitFailed, fmt.Errorf("read register: %v", err), "halligan init writes one"}
	}
	return locked(ctx, path, func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return &fault{exitFailed, fmt.Errorf("read register: %v", err), "halligan init writes one"}
		}
		r, err := app.ReadRegister(name, text)
		if err != nil {
			return asRegisterFault(err)
		}
		changed, err := edit(text, r)
		if err != nil {
			return asRegisterFault(err)
		}
		if err := replaceFile(path, changed); err != nil {
			return &fault{exitFailed, fmt.Errorf("write register: %v", err), "nothing was changed"}
		}
		return nil
	})
}

// registerOnDisk is halligan.yaml for what changes it through the corridor.
type registerOnDisk string

// Read implements app.RegisterFile.
func (f registerOnDisk) Read() ([]byte, error) { return os.ReadFile(string(f)) }

// Edit implements app.RegisterFile.
func (f registerOnDisk) Edit(ctx context.Context, edit func([]byte) ([]byte, error)) error {
	return editRegister(ctx, string(f), func(text []byte, _ *register.Register) ([]byte, error) { return edit(text) })
}

// replaceFile writes a file as a whole or not at all, with the rights that it had.
// The path is that of the file itself, not of a link to it.
func replaceFile(path string, text []byte) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".halligan-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // gone when it was renamed
	if _, err := file.Write(text); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		_ = file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if err := os.Chmod(file.Name(), info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
