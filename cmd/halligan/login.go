package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"halligan/custody"
	"halligan/internal/graph"
)

// loginFlags are the flags of login.
type loginFlags struct {
	tenant, cloud, ca, client, method, profile, certificate, secretFile, tokenFile, register string
	deviceCode                                                                               bool
	features                                                                                 []string
	timeout                                                                                  time.Duration
}

func loginCommand(c *console) *cobra.Command {
	var f loginFlags
	var names []string
	for _, m := range graph.Methods {
		names = append(names, string(m.Method))
	}
	cmd := &cobra.Command{
		Use:   "login",
		Short: "sign in to a tenant, to read it",
		Long: `Sign in, so that check, prove, init and snapshot can read the tenant. Every permission that is asked for reads; none writes.

A person signs in with the browser, or with --device-code on another machine. The application is Microsoft Graph Command Line
Tools, which every tenant knows, unless --client-id names another. Before the consent page the permissions are listed.

An application signs in with --method certificate, workload, managedidentity or secret; it needs --tenant and --client-id, and
its permissions are granted by an administrator beforehand (halligan permissions).

What is kept: a file without secrets (who, which tenant, how), and tokens in the platform's own encrypted store where there is
one. Where there is none, tokens stay in memory, and each command asks again. halligan logout removes both.

` + methodsHelp() + `
Exit codes: 0 signed in, 1 failed, 2 misused, 4 not signed in: refused, denied or not finished.`,
		Example: `  halligan login
  halligan login --tenant contoso.onmicrosoft.com --device-code
  halligan login --method certificate --tenant TENANT-ID --client-id APP-ID --certificate reader.pem
  halligan login --cloud https://localhost:8443 --ca sandbox-ca.pem --tenant TENANT-ID`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.login(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.tenant, "tenant", "", "`ID` or domain of the tenant (default: the tenant of whoever signs in)")
	flags.StringVar(&f.method, "method", "", "`WAY` to sign in: "+strings.Join(names, ", ")+" (default: browser)")
	flags.BoolVar(&f.deviceCode, "device-code", false, "the same as --method devicecode")
	flags.StringVar(&f.client, "client-id", "", "`ID` of the application (default: Microsoft Graph Command Line Tools)")
	flags.StringVar(&f.cloud, "cloud", "", "`CLOUD`: public, usgov, china, or the https address of a sandbox (default: public)")
	flags.StringVar(&f.ca, "ca", "", "`FILE` of the certificate authority of a sandbox")
	flags.StringVar(&f.certificate, "certificate", "", "`FILE` with certificate and key, PEM or PFX, mode 0600")
	flags.StringVar(&f.secretFile, "secret-file", "", "`FILE` with the client secret, mode 0600 (default: asked for on the terminal)")
	flags.StringVar(&f.tokenFile, "token-file", "", "`FILE` with a federated token")
	flags.StringArrayVar(&f.features, "feature", []string{string(graph.FeatureRead)}, "`NAME` of what is to be used, and so of the permissions to ask for: "+strings.Join(featureNames(), ", ")+"; repeatable")
	flags.StringVar(&f.profile, "profile", "", "`NAME` to keep the sign-in under, when there are several tenants")
	flags.StringVar(&f.register, "register", "", "`FILE` of the register, for its proxy and ca_bundle (default: "+registerFile+" where there is one)")
	flags.DurationVar(&f.timeout, "timeout", 5*time.Minute, "`TIME` to finish the sign-in")
	complete(cmd, "method", names...)
	complete(cmd, "cloud", "public", "usgov", "china")
	complete(cmd, "feature", featureNames()...)
	return cmd
}

func methodsHelp() string {
	var b strings.Builder
	b.WriteString("Ways to sign in:\n\n")
	for _, m := range graph.Methods {
		fmt.Fprintf(&b, "  %-16s %s\n", m.Method, m.Says)
	}
	return b.String()
}

// signIn makes a sign-in and the profile to keep of the flags.
func (f *loginFlags) signIn() (graph.Profile, graph.MethodRule, error) {
	method := f.method
	switch {
	case f.deviceCode && method != "" && method != string(graph.MethodDeviceCode):
		return graph.Profile{}, graph.MethodRule{}, misused("leave one of them out", "--device-code and --method %s do not go together", method)
	case f.deviceCode:
		method = string(graph.MethodDeviceCode)
	case method == "" && f.certificate != "":
		method = string(graph.MethodCertificate)
	case method == "" && f.secretFile != "":
		method = string(graph.MethodSecret)
	case method == "" && f.tokenFile != "":
		method = string(graph.MethodWorkload)
	case method == "":
		method = string(graph.MethodBrowser)
	}
	rule, err := graph.RuleOf(graph.Method(method))
	if err != nil {
		return graph.Profile{}, rule, err
	}
	p := graph.Profile{Method: rule.Method, Cloud: f.cloud, Tenant: f.tenant, ClientID: f.client}
	if p.Cloud == "" {
		p.Cloud = "public"
	}
	if strings.Contains(f.cloud, "://") {
		p.Cloud, p.Base = "custom", strings.TrimSuffix(f.cloud, "/")
	}
	if f.ca != "" && p.Cloud != "custom" {
		return p, rule, misused("for a proxy that looks into TLS write ca_bundle: FILE in "+registerFile, "--ca is for a sandbox, with --cloud https://…")
	}
	for to, path := range map[*string]string{&p.CAFile: f.ca, &p.CertificateFile: f.certificate, &p.SecretFile: f.secretFile, &p.TokenFile: f.tokenFile} {
		if path == "" {
			continue
		}
		whole, err := filepath.Abs(path) // the next command may run elsewhere
		if err != nil {
			return p, rule, fmt.Errorf("find %s: %v", path, err)
		}
		*to = whole
	}
	return p, rule, nil
}

func (c *console) login(ctx context.Context, f *loginFlags) error {
	p, rule, err := f.signIn()
	if err != nil {
		return err
	}
	var features []graph.Feature
	for _, name := range f.features {
		if !slices.Contains(featureNames(), name) {
			return misused(suggest(name, featureNames(), "features: "+strings.Join(featureNames(), ", ")), "no feature %q", name)
		}
		features = append(features, graph.Feature(name))
	}
	reg, _, err := readRegister(f.register)
	if err != nil {
		return err
	}
	if p.Tenant == "" && reg != nil {
		p.Tenant = string(reg.Tenant.ID)
	}
	p.Permissions = graph.Scopes(features...)
	keeps, where, why := graph.Store()
	if rule.Person && keeps && rule.Method != graph.MethodAzureCLI {
		p.Store = graph.NewStoreName()
	}
	s, err := p.SignIn()
	if err != nil {
		return err
	}
	if err := network(&s, reg); err != nil {
		return err
	}
	s.Prompt = c.showCode
	if rule.Method == graph.MethodSecret && p.SecretFile == "" {
		text, err := c.typed("Client secret: ", "give --secret-file FILE, mode 0600")
		if err != nil {
			return err
		}
		s.Secret = custody.NewSecret(text)
	}
	c.announce(&p, rule, keeps, where, why)
	if rule.Method == graph.MethodBrowser {
		_, _ = fmt.Fprintf(c.stderr, "Waiting for the browser, for %s at most; Ctrl-C ends it. Without a browser here: halligan login --device-code\n", f.timeout)
	}
	waiting, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	credential, record, err := s.Login(waiting, p.Permissions)
	if err != nil {
		return asLive(err)
	}
	if record.Username != "" {
		p.Account, p.Username = &record, record.Username
	}
	client, err := c.clientFor(s, p.Permissions, credential, nil)
	if err != nil {
		return err
	}
	claims, err := client.Claims(waiting)
	if err != nil {
		return asLive(err)
	}
	p.Tenant = ifElse(claims.Tenant != "", claims.Tenant, p.Tenant)
	if err := c.keepProfile(f.profile, p); err != nil {
		return err
	}
	if rule.Method == graph.MethodSecret && p.SecretFile == "" {
		c.say("note:", bold, "the secret is not kept: each command asks for it on the terminal, or give --secret-file")
	}
	return c.tellWho(claims, &p)
}

// keepProfile replaces an earlier sign-in of that name, tokens and all.
func (c *console) keepProfile(name string, p graph.Profile) error {
	dir, err := c.home()
	if err != nil {
		return err
	}
	if err := graph.RemoveProfile(dir, name); err != nil && !errors.Is(err, graph.ErrNoProfile) && !errors.Is(err, os.ErrNotExist) {
		c.say("warning:", yellow, "the earlier sign-in was not removed whole: "+err.Error())
	}
	return graph.SaveProfile(dir, name, p)
}

// announce says before the consent page what will be asked, what it cannot do,
// where the tokens go and how to undo it.
func (c *console) announce(p *graph.Profile, rule graph.MethodRule, keeps bool, where, why string) {
	o := c.page(c.stderr)
	if rule.Warning != "" {
		c.say("warning:", yellow, rule.Warning)
	}
	if !rule.Person {
		return
	}
	if rule.Method != graph.MethodAzureCLI {
		app := "the application " + p.ClientID
		if p.ClientID == "" {
			app = "Microsoft Graph Command Line Tools (" + graph.DefaultClientID + "), an application of Microsoft's"
		}
		o.line(0, 2, "You are asked to let "+app+" read, in your name. None of these permissions writes:")
		o.line(2, 2, strings.Join(p.Permissions, ", "))
	}
	switch {
	case rule.Method == graph.MethodAzureCLI:
		o.line(0, 2, "Tokens: the Azure CLI's own; nothing is kept here.")
	case keeps:
		o.line(0, 2, "Tokens: "+where+".")
	default:
		o.line(0, 2, "Tokens stay in memory, and each command asks you to sign in again: "+why+".")
	}
	consented := "Microsoft Graph Command Line Tools"
	if p.ClientID != "" {
		consented = "the application " + p.ClientID
	}
	o.line(0, 2, "To undo it: halligan logout; and for the consent: Entra admin center > Enterprise applications > "+consented+" > Permissions.")
	_, _ = fmt.Fprint(c.stderr, o.b.String())
}

// typed asks for a secret on the terminal; elsewhere is the hint where there is none.
func (c *console) typed(prompt, elsewhere string) ([]byte, error) {
	file, is := c.stdin.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return nil, misused(elsewhere, "there is no terminal on which to ask for the secret")
	}
	fd := int(file.Fd())
	was, wasErr := term.GetState(fd)
	defer quiet(fd)()
	_, _ = fmt.Fprint(c.stderr, prompt)
	text, err := awaits(c, func() ([]byte, error) { return term.ReadPassword(fd) })
	if interrupted(err) && wasErr == nil { // the reading has not ended, so it does not restore it
		_ = term.Restore(fd, was)
	}
	if interrupted(err) {
		return nil, err
	}
	_, _ = fmt.Fprintln(c.stderr)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	return text, nil
}

// tellWho says who is signed in, and what that person or application may not
// read.
func (c *console) tellWho(claims graph.Claims, p *graph.Profile) error {
	o := c.page(c.stdout)
	who := claims.Name
	if claims.IsApplication() {
		who = "application " + claims.App
	}
	o.styled(0, 2, bold, "Signed in", "as "+who+" to tenant "+claims.Tenant)
	if missing := claims.Missing(p.Permissions); len(missing) > 0 {
		o.line(2, 2, "Not granted, so what needs them stays unknown: "+strings.Join(missing, ", "))
	}
	o.line(2, 2, "Next: halligan check")
	_, err := fmt.Fprint(c.stdout, o.b.String())
	return err
}

func logoutCommand(c *console) *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "forget who is signed in, and remove the tokens",
		Long: `Remove the tokens from the platform's store, and the file that says who signed in. Tokens that a running program holds end by
themselves, within a day at most; Entra admin center > Users > Revoke sessions ends them at once.`,
		Example: "  halligan logout",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			dir, err := c.home()
			if err != nil {
				return err
			}
			err = graph.RemoveProfile(dir, profile)
			if errors.Is(err, graph.ErrNoProfile) {
				_, err = fmt.Fprintln(c.stdout, "Nobody was signed in.")
				return err
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.stdout, "Signed out: the tokens and the profile are removed.")
			return err
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "`NAME` of the sign-in to forget")
	return cmd
}
