package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/seal"
)

func resealCommand(c *console) *cobra.Command {
	var f sealFlags
	var k keyFlags
	cmd := &cobra.Command{
		Use:   "reseal FILE --request HASH --out NEW",
		Short: "seal what a file holds for other people, and make the old set void",
		Long: `Open a sealed file with the keys or shares of its holders, and seal what is in it for the people of an approved request (halligan
request seal --reseals FILE). The new file names the old set as void, and so does the evidence: its shares are refused by name.

The secret stays the same: after it was changed, the new one is sealed by halligan request seal --replaces FILE, and halligan seal.
Whoever kept the old file and enough old keys or shares still has the secret. Where that matters, change the secret itself.`,
		Example: "  halligan reseal account-1.sealed --request 5f0c2a71b9d4 --out account-1b.sealed --identity ana.key --identity ben.key",
		Args:    takes("FILE"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.reseal(cmd.Context(), &f, &k, args[0]) },
	}
	f.add(cmd.Flags())
	k.placeFlags = placeFlags{}
	cmd.Flags().StringArrayVarP(&k.identities, "identity", "i", nil, "`FILE` of a private key of a holder of the old file; once for each")
	cmd.Flags().StringArrayVar(&k.shares, "share", nil, "`FILE` with a share of the old file; - asks for it")
	cmd.Flags().StringArrayVar(&k.sign, "sign", nil, "`FILE` of the SSH key with which an opener signs the record of the opening")
	return cmd
}

func (c *console) reseal(ctx context.Context, f *sealFlags, k *keyFlags, path string) (err error) {
	harden()
	if err := f.required(); err != nil {
		return err
	}
	k.placeFlags = f.placeFlags
	old, err := app.ReadSealed(path)
	if err != nil {
		return err
	}
	a, end, err := c.writing(ctx, &f.placeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if err := a.Resealable(ctx, old); err != nil { // before anybody brings a key
		return err
	}
	job, err := c.sealJob(ctx, a, f)
	if err != nil {
		return err
	}
	if err := a.TrySeal(ctx, f.request, job); err != nil { // nor is anything opened for nothing
		return notSealed(err)
	}
	opened, err := c.openWith(old, k)
	if err != nil {
		return notSealed(err)
	}
	defer opened.Wipe()
	if len(opened.Altered) > 0 {
		return &fault{exitTrouble, fmt.Errorf("reseal %s: %s", path, opened.Altered[0]), "treat it as an incident; take another copy of the file"}
	}
	o := app.OpeningOf(old, opened, time.Now(), "sealed anew by request "+strings.TrimPrefix(f.request, "sha256:"), account())
	for _, key := range k.sign {
		s, err := c.sshSign(ctx, key, app.OpeningNamespace, o.Text())
		if err != nil {
			return err
		}
		o.Signatures = append(o.Signatures, s.Text)
	}
	if _, against, err := a.RecordOpening(ctx, o); err != nil {
		return err
	} else if against != "" {
		c.say("WARNING:", red, against)
	}
	job.Reseals = old.Manifest.Set
	job.Secret = printable(f.envelopes.how, func(_ context.Context, t *app.SealTask) ([]custody.Secret, error) { return c.again(t, opened) })
	done, err := a.Seal(ctx, f.request, job)
	if done == nil {
		return notSealed(err)
	}
	defer done.Wipe()
	if err := errors.Join(err, c.tellSealed(f, done)); err != nil {
		return err
	}
	p := c.page(c.stderr)
	p.line(0, 0, "Whoever kept "+path+" and enough of its old keys or shares still has the secret. Destroy the old file and the old papers. If somebody left in anger, or you cannot be sure, change the secret itself, and seal the new one: halligan request seal --replaces "+f.out+".")
	_, err = fmt.Fprint(c.stderr, p.b.String())
	return err
}

// again is what was opened, as the new form takes it.
func (c *console) again(t *app.SealTask, o *seal.Opened) ([]custody.Secret, error) {
	if !strings.EqualFold(o.Account, t.Account) {
		return nil, &fault{exitFailed, fmt.Errorf("seal %s anew: inside it is of account %s", t.Account, o.Account), "ask with the account that the old file is of; if it was renamed, seal its secret as a new one"}
	}
	parts := secretsOf(o)
	for i, s := range parts {
		if s.Empty() {
			typed, err := c.typedTwice(fmt.Sprintf("half %d, from the paper of %s", i+1, o.Halves[i].Holder))
			if err != nil {
				return nil, err
			}
			parts[i] = typed
		}
	}
	if t.Form == seal.FormHalves == (len(parts) == 2) {
		return parts, nil
	}
	var whole []byte
	for _, s := range parts {
		whole = append(whole, s.Reveal()...)
	}
	if t.Form != seal.FormHalves {
		return []custody.Secret{custody.NewSecret(whole)}, nil
	}
	half := len(whole) / 2
	return []custody.Secret{custody.NewSecret(whole[:half:half]), custody.NewSecret(whole[half:])}, nil
}
