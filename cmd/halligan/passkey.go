package main

import (
	"context"
	"fmt"

	"github.com/pkg/browser"

	"halligan/internal/app"
	"halligan/register"
)

// passkeyPage opens the page for passkeys in the browser of this machine.
func (c *console) passkeyPage() *app.PasskeyPage {
	return &app.PasskeyPage{Port: app.PasskeyPort, Open: func(address string) error {
		_, err := fmt.Fprintf(c.stderr, "Opening %s in the browser of this machine.\n", address)
		if err == nil {
			// Where no browser opens, the person does it with the address.
			_ = c.openBrowser(address)
		}
		return err
	}}
}

func (c *console) openBrowser(address string) error {
	if c.browse != nil {
		return c.browse(address)
	}
	return browser.OpenURL(address)
}

func (c *console) passkeyMake(ctx context.Context, name string) (*register.Passkey, error) {
	return c.passkeyPage().Make(ctx, name)
}

// passkeySigner signs with the passkey that the register has of a person.
func (c *console) passkeySigner(r *register.Register, name string) app.Sign {
	return func(ctx context.Context, text []byte, challenge string) (app.Signature, error) {
		p := r.Person(name)
		if p == nil || p.Passkey.CredentialID == "" {
			return app.Signature{}, &fault{exitFailed, fmt.Errorf("sign with a passkey: %s has none in the register", name), "halligan person list; or sign with --key"}
		}
		return c.passkeyPage().Sign(ctx, p.Passkey, text, challenge)
	}
}
