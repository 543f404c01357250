package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// whoamiView is who is signed in, as it is written.
type whoamiView struct {
	Tenant      string    `json:"tenant"`
	Name        string    `json:"name,omitempty"`
	Object      string    `json:"object"`
	App         string    `json:"app"`
	Application bool      `json:"application"`
	Method      string    `json:"method"`
	Cloud       string    `json:"cloud"`
	Expires     time.Time `json:"expires"`
	Granted     []string  `json:"granted"`
	Missing     []string  `json:"missing"`
}

func whoamiCommand(c *console) *cobra.Command {
	var l liveFlags
	var format string
	cmd := &cobra.Command{
		Use:     "whoami",
		Short:   "who is signed in, and with which permissions",
		Long:    "Say who is signed in, to which tenant, and which permissions the token has and lacks. The token itself is never shown.",
		Example: "  halligan whoami\n  halligan whoami --format json",
		Args:    takes(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.whoami(cmd.Context(), &l, format) },
	}
	cmd.Flags().StringVar(&l.profile, "profile", "", "`NAME` of the sign-in")
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) whoami(ctx context.Context, l *liveFlags, format string) error {
	if err := oneOf("format", format, "terminal", "json"); err != nil {
		return err
	}
	p, err := c.profile(l.profile)
	if err != nil {
		return err
	}
	reg, _, err := readRegister("")
	if err != nil {
		return err
	}
	t, err := c.tenant(l, reg, nil)
	if err != nil {
		return err
	}
	claims, err := t.client.Claims(ctx)
	if err != nil {
		return asLive(err)
	}
	v := whoamiView{Tenant: claims.Tenant, Name: claims.Name, Object: claims.Object, App: claims.App, Application: claims.IsApplication(), Method: string(p.Method), Cloud: p.Cloud,
		Expires: claims.Expires, Granted: claims.Granted(), Missing: claims.Missing(p.Permissions)}
	if format == "json" {
		return indented(c.stdout, v)
	}
	o := c.page(c.stdout)
	o.styled(0, 2, bold, ifElse(v.Application, "application "+v.App, v.Name), "in tenant "+v.Tenant+", signed in by "+v.Method+", cloud "+v.Cloud)
	o.line(2, 2, "token until "+v.Expires.Local().Format("15:04:05")+", renewed by itself")
	o.line(2, 2, "may: "+strings.Join(v.Granted, ", "))
	if len(v.Missing) > 0 {
		o.line(2, 2, "lacks: "+strings.Join(v.Missing, ", "))
	}
	_, err = fmt.Fprint(c.stdout, o.b.String())
	return err
}
