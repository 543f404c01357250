package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"halligan/internal/app"
)

// sideFlags say where a command that answers from the register alone finds the
// tenant's side of it. Nothing is read from a network unless somebody asks for that:
// on the day the network may be what is gone.
type sideFlags struct {
	from []string
	live bool
	who  liveFlags
}

// sidePatience is how long a live reading may take here by default: the register
// alone tells most, and whoever asks may be in a hurry.
const sidePatience = 2 * time.Minute

func (f *sideFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export or snapshot of the tenant: file, folder, zip, or - for stdin; repeatable (default: the register alone)")
	flags.BoolVar(&f.live, "live", false, "also read the tenant you are signed in to; one that cannot be read leaves the answer of the register alone, which says so")
	flags.StringVar(&f.who.profile, "profile", "", "`NAME` under which you signed in (halligan login --profile), with --live")
	flags.DurationVar(&f.who.timeout, "timeout", sidePatience, "`TIME` after which a reading with --live ends with what it has")
}

// asked reports whether the tenant's side was asked for.
func (f *sideFlags) asked() bool { return f.live || len(f.from) > 0 }

// side lets a request read what was asked for. unread says why a live tenant cannot
// be read at all; the caller answers without it. The caller calls close.
func (c *console) side(ctx context.Context, f *sideFlags, req *app.ProveRequest, registerPath string) (unread error, closed func(), err error) {
	switch {
	case f.live && len(f.from) > 0:
		return nil, nil, misused("give one of them", "--live reads the tenant, and --from gives an export")
	case !f.live && f.who.profile != "":
		return nil, nil, misused("add --live, or leave --profile out", "--profile says which tenant is read, and none is")
	case f.live:
		unread = c.readLive(req, &f.who, registerPath)
		return unread, func() {}, nil
	}
	from, err := c.open(ctx, "--from", f.from)
	if err != nil {
		return nil, nil, err
	}
	req.Sources = from.list
	return nil, from.close, nil
}

// tellUnread says that the tenant was not read, and what to do about that.
func (c *console) tellUnread(unread error) {
	if unread == nil {
		return
	}
	c.say("warning:", yellow, "the tenant was not read: "+unread.Error())
	if hint := hintOf(unread); hint != "" {
		c.say("hint:", bold, hint)
	}
}
