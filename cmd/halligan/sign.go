package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/internal/app"
)

// signFlags say with what a person signs.
type signFlags struct {
	key, text, signature, textOut string
	passkey                       bool
}

func (f *signFlags) add(flags *pflag.FlagSet, twoSteps bool) {
	flags.StringVar(&f.key, "key", "", "`FILE` of the SSH key to sign with, as for ssh-keygen -Y sign -f: a private key, or a public key whose private half ssh-agent or a security key has")
	flags.BoolVar(&f.passkey, "passkey", false, "sign with a passkey: a page opens in the browser of this machine")
	if twoSteps {
		flags.StringVar(&f.textOut, "text-out", "", "`FILE` to write the text to that is to be signed elsewhere, and end")
		flags.StringVar(&f.text, "text", "", "`FILE` of that text, with --signature")
		flags.StringVar(&f.signature, "signature", "", "`FILE` of the signature that ssh-keygen -Y sign made of it")
	}
}

// errTextOut ends an approval whose text was written to be signed elsewhere.
var errTextOut = errors.New("the text was written")

// signer is how a person signs, and the time that stands in what was signed
// elsewhere.
func (c *console) signer(f *signFlags, registerPath, name string) (app.Sign, time.Time, error) {
	given := 0
	for _, is := range []bool{f.key != "", f.passkey, f.textOut != "", f.signature != "" || f.text != ""} {
		if is {
			given++
		}
	}
	if given > 1 {
		return nil, time.Time{}, misused("choose one of them: halligan approve --help", "--key, --passkey, --text-out and --text with --signature exclude each other")
	}
	switch {
	case f.key != "":
		return func(ctx context.Context, text []byte, _ string) (app.Signature, error) {
			return c.sshSign(ctx, f.key, custody.Namespace, text)
		}, time.Time{}, nil
	case f.passkey:
		r, _, err := requiredRegister(registerPath)
		if err != nil {
			return nil, time.Time{}, err
		}
		return c.passkeySigner(r, name), time.Time{}, nil
	case f.textOut != "":
		return func(_ context.Context, text []byte, _ string) (app.Signature, error) {
			if err := writeNew(f.textOut, text); err != nil {
				return app.Signature{}, &fault{exitFailed, fmt.Errorf("write the text to sign: %v", err), "give a file that is not there yet, in a folder that exists"}
			}
			return app.Signature{}, errTextOut
		}, time.Time{}, nil
	case f.signature != "" || f.text != "":
		return signedElsewhere(f)
	}
	return nil, time.Time{}, misused("--key FILE signs with an SSH key, --passkey in the browser; --text-out FILE writes the text to be signed elsewhere", "with what do you sign?")
}

// signedAt finds the time in a text that was signed elsewhere.
var signedAt = regexp.MustCompile(`(?m)^signed +(\S+)$`)

func signedElsewhere(f *signFlags) (app.Sign, time.Time, error) {
	if f.signature == "" || f.text == "" {
		return nil, time.Time{}, misused("--text-out writes the text; ssh-keygen -Y sign makes the signature beside it", "--text and --signature belong together")
	}
	text, err := readSome(f.text)
	if err != nil {
		return nil, time.Time{}, &fault{exitFailed, fmt.Errorf("read the text that was signed: %v", err), nearName(f.text, "give the file that --text-out wrote")}
	}
	signature, err := readSome(f.signature)
	if err != nil {
		return nil, time.Time{}, &fault{exitFailed, fmt.Errorf("read the signature: %v", err), nearName(f.signature, "give the file that ssh-keygen -Y sign wrote beside the text: its name and .sig")}
	}
	all := signedAt.FindAllSubmatch(text, -1)
	if len(all) != 1 {
		return nil, time.Time{}, misused("give the file that --text-out wrote", "%s is no text that halligan wrote", f.text)
	}
	at, err := time.Parse(time.RFC3339, string(all[0][1]))
	if err != nil {
		return nil, time.Time{}, misused("give the file that --text-out wrote", "%s is no text that halligan wrote", f.text)
	}
	return func(_ context.Context, want []byte, _ string) (app.Signature, error) {
		if !bytes.Equal(want, text) {
			return app.Signature{}, &fault{exitFailed, fmt.Errorf("%s is not the text of this request, this person and this register", f.text), "compare the two: halligan request show; then write it anew with --text-out"}
		}
		return app.Signature{Method: custody.MethodSSH, Text: string(signature)}, nil
	}, at, nil
}

// sshSign has OpenSSH sign: it knows agents, security keys and their PINs, and the
// private key stays with it. The text goes in on stdin, and nothing secret is in
// an argument.
func (c *console) sshSign(ctx context.Context, key, namespace string, text []byte) (app.Signature, error) {
	fail := func(err error) (app.Signature, error) {
		return app.Signature{}, &fault{exitFailed, fmt.Errorf("sign with %s: %w", key, err), "try it by hand: echo test | ssh-keygen -Y sign -f " + key + " -n " + namespace}
	}
	if _, err := os.Stat(key); err != nil {
		return fail(err)
	}
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		return app.Signature{}, &fault{exitFailed, errors.New("sign with an SSH key: ssh-keygen is not here"), "install OpenSSH (openssh-client), or sign on another machine with --text-out"}
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-Y", "sign", "-f", key, "-n", namespace)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), &out, &said
	if isTerminal(c.stderr) {
		cmd.Stderr = c.stderr // it asks for a touch there
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it turns the echo on again
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if line, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n"); line != "" && !endedByCtrlC(err) {
			err = errors.New(line)
		}
		return fail(err)
	}
	return app.Signature{Method: custody.MethodSSH, Text: out.String()}, nil
}
