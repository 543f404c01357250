package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"halligan/internal/testbrowser"
)

// A person registers a key in a real browser, and `halligan login` opens that
// browser, in which the key signs in, consents and comes back with a code:
// everything but the finger is real.
func TestLoginByBrowserWithAPasskey(t *testing.T) {
	s := serve(t, filepath.Join(t.TempDir(), "login.jsonl"), "--tenant", "contoso-p2")
	ca, err := os.ReadFile(s.CA)
	if err != nil {
		t.Fatal(err)
	}
	gaia, err := s.somebody("gaia.rune@contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	b := testbrowser.Open(t, ca, s.URL+"/security-info")
	fill := func(field, value, want string) {
		t.Helper()
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		b.Do(fmt.Sprintf("document.querySelector(%q).value = %s; document.querySelector('form').requestSubmit()", field, text), want)
	}
	b.Do("", "User name")
	fill("#user", gaia.who.UPN, "Password")
	fill("#secret", gaia.who.Password, "Code from your authenticator app")
	code, err := gaia.code()
	if err != nil {
		t.Fatal(err)
	}
	fill("#secret", code, "The methods with which you sign in")
	b.Do(`document.querySelector("button[value=key]").click()`, "Add the passkey")
	fill("#name", "Ring", "Your passkey was added")
	b.Do(`document.querySelector("button[value=leave]").click()`, "User name")

	// halligan asks the desktop to open a browser; this desktop has a pipe.
	tools := t.TempDir()
	pipe := filepath.Join(tools, "address")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tools, "xdg-open"), []byte("#!/bin/sh\nprintf '%s' \"$1\" > '"+pipe+"'\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "halligan", "login", "--cloud", s.URL, "--ca", s.CA, "--tenant", s.Tenant)
	cmd.Env = append(os.Environ(), "HALLIGAN_HOME="+s.home, "XDG_CACHE_HOME="+t.TempDir(), "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ended by ctx
	asked := make(chan string, 1)
	go func() { // ended by the opener, or by what follows
		address, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		asked <- string(address)
	}()
	var address string
	select {
	case address = <-asked:
	case err := <-ended:
		release(t, pipe)
		t.Fatalf("login ended before it opened a browser: %v: %s", err, out.String())
	}
	for _, want := range []string{s.URL + "/", "code_challenge=", "code_challenge_method=S256"} {
		if !strings.Contains(address, want) {
			t.Errorf("login opens %q, want it to hold %q", address, want)
		}
	}
	b.Visit(address, "User name")
	b.Do(`document.querySelector("button[value=passkey]").click()`, "Use my passkey")
	b.Do(`document.querySelector("form").requestSubmit()`, "Authentication")
	if err := <-ended; err != nil {
		t.Fatalf("login ended with %v: %s", err, out.String())
	}
	if !strings.Contains(out.String(), "Signed in as "+gaia.who.UPN) && !strings.Contains(out.String(), "Signed in as "+gaia.who.Name) {
		t.Errorf("login says:\n%s", out.String())
	}
}

// release ends whoever reads from the pipe.
func release(t *testing.T, pipe string) {
	file, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return // nobody reads
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
