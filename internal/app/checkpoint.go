package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"halligan/evidence"
	"halligan/internal/store"
)

// GivenCheckpoint is a checkpoint that leaves the machine.
type GivenCheckpoint struct {
	Store string    `json:"store"` // id
	Size  uint64    `json:"size"`
	Root  string    `json:"root"` // lower-case hexadecimal
	Time  time.Time `json:"time"` // of its signature
	Key   string    `json:"key"`  // public log key
	Note  string    `json:"checkpoint"`
}

// Text is the checkpoint for a sheet of paper or a mail.
func (g *GivenCheckpoint) Text() string {
	return fmt.Sprintf("Checkpoint of the evidence of Halligan: %d entries, signed %s.\n"+
		"Keep it where whoever can write the store cannot. It proves later that nothing of these was changed or taken away:\n"+
		"  halligan evidence verify FOLDER --key KEY --checkpoint THIS-FILE\n\n%s\nPublic log key (KEY; compare it with the binder):\n%s\n", g.Size, g.Time.Format(time.RFC3339), g.Note, g.Key)
}

// Checkpoint returns the newest checkpoint of the log.
func (a *App) Checkpoint(ctx context.Context) (*GivenCheckpoint, error) {
	out := &GivenCheckpoint{Store: a.Ledger.Identity().ID}
	err := a.Ledger.View(ctx, func(v store.View) error {
		if v.Size() == 0 {
			return &hinted{errors.New("give a checkpoint: the log is empty"), "halligan init begins it"}
		}
		key, err := lastWord(v)
		if err != nil {
			return err
		}
		c, err := evidence.OpenCheckpoint(v.Checkpoint(), key)
		if err != nil {
			return err
		}
		out.Size, out.Root, out.Time, out.Key, out.Note = c.Size, hex.EncodeToString(c.Root[:]), c.Time, key, string(v.Checkpoint())
		return nil
	})
	return out, err
}

// Given records where a checkpoint went, and keeps it for exports.
func (a *App) Given(ctx context.Context, g *GivenCheckpoint, places []string) error {
	on := strings.Join(places, ", ")
	if owned, is := a.Ledger.(Owned); is {
		if _, err := owned.Give(ctx, on); err != nil {
			return err
		}
	}
	_, err := a.Record(ctx, Record{Kind: evidence.KindCheckpoint, What: "give a checkpoint away", On: on, After: Digest(g.Root), Data: map[string]any{"size": g.Size, "places": places}})
	return err
}
