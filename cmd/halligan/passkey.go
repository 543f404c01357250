package main

import (
	"context"
	"fmt"

	"github.com/pkg/browser"

	"halligan/internal/app"
	"halligan/register"
)

// passkeyPage opens the page for passkeys in the browser of this machine. The
// address and the code are for the eyes of this person: the browser gets a file.
func (c *console) passkeyPage() *app.PasskeyPage {
	return &app.PasskeyPage{Port: app.PasskeyPort, Open: func(v app.PasskeyVisit) error {
		p := c.page(c.stderr)
		p.line(0, 2, "Opening a page in the browser of this machine. If none comes, open this yourself, and show it to nobody:")
		p.b.WriteString("  " + v.Address + "\n") // whole, to be copied
		p.styled(0, 2, bold, "Code:", v.Code+". Type it in there; if that page asks for none, it is not ours.")
		_, err := fmt.Fprint(c.stderr, p.b.String())
		if err == nil {
			// Where no browser opens, the person does it with the address.
			_ = c.openBrowser(v.File)
		}
		return err
	}}
}

func (c *console) openBrowser(file string) error {
	if c.browse != nil {
		return c.browse(file)
	}
	return browser.OpenFile(file)
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
