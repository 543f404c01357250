package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/register"
)

// undecidableAfter is an error for a change of the register after which nobody could
// decide anything any more.
func undecidableAfter(name string, was *register.Register, text []byte) error {
	is, err := app.ReadRegister(name, text)
	if err != nil {
		return err
	}
	return app.StillDecidable(was, is)
}

func personChangeCommand(c *console) *cobra.Command {
	var f personFlags
	cmd := &cobra.Command{
		Use:   "change NAME",
		Short: "change the roles, keys, manager or ways of a person in the register",
		Long: `Change a person of the register. What no flag names stays as it is; --role and --reach replace all that the person has, and an empty
value takes something away (--manager ""). The name stays: parts and places refer to it.

What it changes of roles and keys counts once it is approved, as for a new person. It is refused where nobody could decide anything
after it. With another signing key the person's approvals of open requests count no more; what was sealed to the old receiving key
stays so until halligan reseal.`,
		Example: `  halligan person change "Carl Roe" --role approver --role custodian
  halligan person change "Ana Weiss" --signing new.pub
  halligan person change "Ben Ode" --manager "" --reach "phone +351 900 000 001" --reach ben@home.example`,
		Args: takes("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.personChange(cmd.Context(), &f, cmd.Flags().Changed, args[0])
		},
	}
	f.add(cmd)
	return cmd
}

func (c *console) personChange(ctx context.Context, f *personFlags, given func(string) bool, name string) error {
	change, err := c.personWish(ctx, f, given, name)
	if err != nil {
		return err
	}
	var was *register.Register
	var before register.Person
	if err := editRegister(ctx, f.register, func(text []byte, r *register.Register) ([]byte, error) {
		next, err := register.ChangePerson(text, name, func(p *register.Person) {
			before = *p
			change(p)
		})
		if err != nil {
			return nil, err
		}
		was = r
		return next, undecidableAfter(f.register, was, next)
	}); err != nil {
		return err
	}
	is, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	after := is.Person(before.Name)
	if after == nil { // somebody took the person out meanwhile
		after = &before
	}
	out := c.page(c.stdout)
	lines := personLines(&before, after)
	if len(lines) == 0 {
		out.line(0, 2, f.register+": "+before.Name+" is so already; nothing was changed.")
		_, err = fmt.Fprint(c.stdout, out.b.String())
		return err
	}
	out.line(0, 2, f.register+": "+before.Name)
	for _, l := range lines {
		out.line(2, 4, l)
	}
	if before.Receiving != "" && after.Receiving != before.Receiving {
		out.line(0, 2, "note: what was sealed to the old key stays sealed to it: halligan request seal --reseals FILE, then halligan reseal")
	}
	if len(after.Roles) > 0 && after.Signing == "" && after.Passkey.CredentialID == "" {
		out.line(0, 2, "note: without a key "+after.Name+" can neither ask nor approve: --signing or --passkey")
	}
	_, decided := was.Deciding()
	if _, now := is.Deciding(); now == decided {
		out.line(0, 2, "It decides nothing, and needs no approval.")
	} else {
		out.line(0, 2, "It counts once it is approved: halligan request register, or halligan request begin where nothing was approved yet.")
	}
	_, err = fmt.Fprint(c.stdout, out.b.String())
	return err
}

// personWish is the change that the flags say.
func (c *console) personWish(ctx context.Context, f *personFlags, given func(string) bool, name string) (func(*register.Person), error) {
	if !slices.ContainsFunc([]string{"role", "title", "manager", "reach", "signing", "receiving", "passkey", "id"}, given) {
		return nil, misused(`for example --role approver, or --signing new.pub: halligan person change --help`, "what of %s is changed?", name)
	}
	if f.signing != "" && f.passkey {
		return nil, misused("each person signs with one key", "--signing and --passkey exclude each other")
	}
	var to register.Person
	for _, r := range f.roles {
		if r == "" && len(f.roles) == 1 {
			break // no role any more
		}
		if err := oneOf("role", r, roleNames...); err != nil {
			return nil, err
		}
		to.Roles = append(to.Roles, register.Role(r))
	}
	to.Reach = slices.DeleteFunc(slices.Clone(f.reach), func(s string) bool { return s == "" })
	var err error
	if to.Signing, err = keyOrFile("--signing", f.signing); err != nil {
		return nil, err
	}
	if to.Receiving, err = keyOrFile("--receiving", f.receiving); err != nil {
		return nil, err
	}
	if f.passkey {
		r, _, err := requiredRegister(f.register)
		if err != nil {
			return nil, err
		}
		who := r.Person(name)
		if who == nil { // told before a page opens
			var names []string
			for _, p := range r.People {
				names = append(names, p.Name)
			}
			return nil, &app.NoPersonError{Name: name, Near: register.Nearest(name, names)}
		}
		made, err := c.passkeyMake(ctx, who.Name)
		if err != nil {
			return nil, err
		}
		to.Passkey = *made
	}
	return func(p *register.Person) {
		for _, one := range []struct {
			flag string
			set  func()
		}{
			{"role", func() { p.Roles = to.Roles }}, {"title", func() { p.Title = f.title }}, {"manager", func() { p.Manager = f.manager }}, {"reach", func() { p.Reach = to.Reach }},
			{"id", func() { p.ID = entra.ID(f.id) }}, {"receiving", func() { p.Receiving = to.Receiving }},
			{"signing", func() { p.Signing, p.Passkey = to.Signing, register.Passkey{} }}, {"passkey", func() { p.Signing, p.Passkey = "", to.Passkey }},
		} {
			if given(one.flag) {
				one.set()
			}
		}
	}, nil
}

// personLines tell what is different about a person.
func personLines(was, is *register.Person) []string {
	var out []string
	roles := func(p *register.Person) string {
		var names []string
		for _, r := range p.Roles {
			names = append(names, string(r))
		}
		return strings.Join(names, ", ")
	}
	signs := func(p *register.Person) string {
		switch {
		case p.Signing != "":
			return app.Fingerprint(p.Signing)
		case p.Passkey.CredentialID != "":
			return app.PasskeyFingerprint(p.Passkey.PublicKey)
		}
		return ""
	}
	for _, l := range []struct{ what, was, is string }{
		{"roles", roles(was), roles(is)}, {"signs with", signs(was), signs(is)}, {"receives by", app.Fingerprint(was.Receiving), app.Fingerprint(is.Receiving)},
		{"title", was.Title, is.Title}, {"manager", was.Manager, is.Manager}, {"reach", strings.Join(was.Reach, ", "), strings.Join(is.Reach, ", ")}, {"id", string(was.ID), string(is.ID)},
	} {
		if l.was != l.is {
			out = append(out, custody.Visible(l.what+": "+ifElse(l.was == "", "none", l.was)+" -> "+ifElse(l.is == "", "none", l.is)))
		}
	}
	return out
}

// privateKeys are how private keys begin, and how the public one is had from a file
// that holds it.
var privateKeys = []struct{ begins, is, get string }{
	{"AGE-SECRET-KEY-", "a private key of age", "age-keygen -y %s"},
	{"AGE-PLUGIN-", "the identity of a plugin of age", "the line in it that says recipient, as a rule age1…"},
	{"PRIVATE KEY-----", "a private SSH key", "ssh-keygen -y -f %s"},
	{"PuTTY-User-Key-File-", "a private key of PuTTY", "puttygen -L %s"},
}

// keyOrFile takes a public key, or the file that holds it. A private key is put
// nowhere, and not repeated.
func keyOrFile(flag, given string) (string, error) {
	for _, k := range privateKeys {
		if strings.Contains(strings.ToUpper(given), strings.ToUpper(k.begins)) {
			return "", misused("make a new one: this one stands in the history of your shell, and whoever else was on this machine could see it. Give "+flag+" the public key, or the file that holds it",
				"read key: %s was given %s itself, and it was put nowhere", flag, k.is)
		}
	}
	if given == "" || strings.ContainsAny(given, " ") || strings.HasPrefix(given, "age1") {
		return given, nil
	}
	text, err := readSome(given)
	if err != nil {
		return "", &fault{exitFailed, fmt.Errorf("read key: %v", err), "give the public key itself in quotation marks, or its file: id_ed25519.pub"}
	}
	for _, k := range privateKeys {
		if strings.Contains(string(text), k.begins) {
			return "", &fault{exitMisused, fmt.Errorf("read key: %s holds %s, and it was put nowhere; the public one is wanted", given, k.is), publicOf(given, k.get)}
		}
	}
	return strings.TrimSpace(string(text)), nil
}

// publicOf says how the public key of a private one is had.
func publicOf(file, get string) string {
	how := get
	if strings.Contains(get, "%s") {
		how = fmt.Sprintf(get, posixQuoted(file)) + " prints it"
	}
	beside := file + ".pub"
	if _, err := os.Stat(beside); err == nil {
		return "give " + beside + ", which lies beside it. The private key stays with its owner"
	}
	return "have its owner give the public key (" + how + "), and give that, or a file that holds it; often it lies in " + filepath.Base(file) + ".pub. The private key stays with its owner"
}
