package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"halligan/entra"
	"halligan/internal/app"
)

// snapshotFlags are the flags of snapshot.
type snapshotFlags struct {
	from, accounts   []string
	output, register string
	pseudonyms       bool
	live             liveFlags
}

func snapshotCommand(c *console) *cobra.Command {
	var f snapshotFlags
	cmd := &cobra.Command{
		Use:   "snapshot -o FILE",
		Short: "keep one reading of the tenant as a file, to judge it later or elsewhere",
		Long: `Read the tenant once, and write what was read: policies, groups, roles and methods as far as they decide about the emergency
accounts, and how much of each part was read. check, prove and explain take the file with --from, without network.

The file tells much about a tenant, and is written for its owner only (mode 0600). With --pseudonyms names, ids, domains and
addresses are replaced, each always by the same, so that it can be shown to others; it is judged alike. Countries, times and
the shape of the policies stay, and by these somebody who knows the tenant may recognise it.`,
		Example: `  halligan snapshot -o today.json
  halligan snapshot --pseudonyms -o for-support.json
  halligan check --from today.json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.snapshot(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export to take in place of the live tenant; repeatable")
	flags.StringArrayVar(&f.accounts, "account", nil, "`ID` or user principal name of an emergency account; repeatable (default: those of the register)")
	flags.StringVar(&f.register, "register", "", "`FILE` of the register (default: "+registerFile+" where there is one)")
	flags.BoolVar(&f.pseudonyms, "pseudonyms", false, "replace names, ids, domains and addresses")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write, or - for stdout")
	f.live.register(flags)
	return cmd
}

func (c *console) snapshot(ctx context.Context, f *snapshotFlags) error {
	if f.output == "" {
		return misused("for example -o today.json, or -o - for stdout", "nowhere to write: give a file with -o")
	}
	reg, _, err := readRegister(f.register)
	if err != nil {
		return err
	}
	req := &app.ProveRequest{Accounts: f.accounts}
	if len(f.from) > 0 {
		from, err := c.open(ctx, "--from", f.from)
		if err != nil {
			return err
		}
		defer from.close()
		req.Sources = from.list
	} else if err := c.readLive(req, &f.live, f.register); err != nil {
		return err
	}
	var key []byte
	if f.pseudonyms {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // does not fail: crypto/rand ends the program instead
	}
	done := c.progress(req)
	s, err := app.Snapshot(ctx, *req, reg, key)
	done()
	if err != nil {
		return asLive(err)
	}
	c.warnOf(ctx, f.register)
	return c.writeSnapshot(f.output, s)
}

func (c *console) writeSnapshot(path string, s *entra.Snapshot) error {
	if path == "-" {
		if _, err := c.stdout.Write(s.JSON()); err != nil {
			return err
		}
	} else if err := writePrivate(path, s.JSON()); err != nil {
		return &fault{exitFailed, fmt.Errorf("write snapshot: %v", err), "give a file in a folder that exists"}
	}
	p := c.page(c.stderr)
	if path != "-" {
		p.line(0, 2, "written to "+path+", taken "+s.View().Taken.Format(time.DateTime)+" UTC, digest "+s.Digest())
	}
	code := exitDone
	for _, info := range entra.PartTable {
		if st := s.Status(info.Part); st.Status == entra.StatusDenied || st.Status == entra.StatusCutShort {
			code = exitUndetermined
			p.line(2, 4, "not read: "+info.What+": "+st.Detail)
		}
	}
	if _, err := fmt.Fprint(c.stderr, p.b.String()); err != nil {
		return err
	}
	return ended(code)
}

// writePrivate writes a file that only its owner may read, whatever was there
// before, in one step.
func writePrivate(path string, data []byte) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, 0o600) // a device or a pipe is written to, never replaced
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".halligan-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name())
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		_ = os.Remove(file.Name())
		return err
	}
	return nil
}
