package app

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/notify"
	"halligan/internal/store"
	"halligan/register"
	"halligan/seal"
)

// announcesMost is how many channels a sealed file names (docs/sealed-format.md).
const announcesMost = 8

// announcements are the channels of the register that Halligan itself can tell, as
// they go into a sealed file.
func (a *App) announcements() ([]seal.Announce, error) {
	var out []seal.Announce
	for _, c := range a.Register.Or().Channels {
		if c.Address == "" && c.AddressFile == "" {
			continue
		}
		if c.AddressFile != "" {
			text, err := addressIn(c.AddressFile)
			if err != nil {
				return nil, fmt.Errorf("the address of channel %.80q: %w", c.Name, err)
			}
			c.Address = text
		}
		if err := register.CheckChannel(&c); err != nil {
			hint := "correct it"
			if wrong, is := errors.AsType[*register.ChannelError](err); is {
				hint = wrong.Hint()
			}
			return nil, &hinted{fmt.Errorf("channel %.80q: %w", c.Name, err), hint}
		}
		one := seal.Announce{Kind: c.Kind, Address: c.Address, From: c.Sender, Name: c.Name}
		if mailed(c.Kind) {
			one.To = c.Recipients
		}
		out = append(out, one)
	}
	if len(out) > announcesMost {
		return nil, &hinted{fmt.Errorf("%d channels of the register have an address; a sealed file names at most %d", len(out), announcesMost), "take the address from those that need not hear of an opening at once"}
	}
	return out, nil
}

// mailed reports whether a kind has recipients by address.
func mailed(kind string) bool {
	for _, k := range register.ChannelKinds {
		if k.Name == kind {
			return k.Recipients
		}
	}
	return false
}

const mostAddress = 2 << 10

// addressIn reads an address from a file that nobody else can read.
func addressIn(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", &hinted{errors.New("addressFile is no whole path"), "write the path from the root on: addressFile: /etc/halligan/room.url"}
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", &hinted{fmt.Errorf("read addressFile: %w", err), "write the address of the channel into that file, mode 0600, on the machine on which secrets are sealed"}
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", &hinted{fmt.Errorf("read addressFile %s: others can read it (mode %04o)", path, info.Mode().Perm()), "chmod 600 it; whoever read it can write to the channel, so have the receiver give you a new address"}
	}
	text, err := readMost(path, mostAddress)
	if err != nil {
		return "", &hinted{fmt.Errorf("read addressFile: %w", err), "the file holds one address, and nothing else"}
	}
	address := strings.TrimSpace(string(text))
	if address == "" {
		return "", &hinted{fmt.Errorf("read addressFile: %s holds no address", path), "write the address of the channel into it, and nothing else"}
	}
	return address, nil
}

// announceDetail is a channel as approvers read it. Whoever knows the whole address of
// a webhook can write there; so it stands here by its digest.
type announceDetail struct {
	Name string   `json:"name,omitempty"`
	Kind string   `json:"kind"`
	Host string   `json:"host"`
	To   []string `json:"to,omitempty"`
	Line string   `json:"line"` // SHA-256 of what goes into the file
}

func announceDetails(all []seal.Announce) (out []announceDetail) {
	for _, a := range all {
		out = append(out, announceDetail{a.Name, a.Kind, notifyChannel(&a).Host(), a.To, register.DigestOf([]byte(a.Line()))})
	}
	return out
}

func notifyChannel(a *seal.Announce) *notify.Channel {
	return &notify.Channel{Name: a.Name, Kind: a.Kind, Address: a.Address, To: a.To, From: a.From}
}

// ChannelsOf are the channels of a file in words, without what is secret of them.
func ChannelsOf(all []seal.Announce) (out []string) {
	for i := range all {
		out = append(out, notifyChannel(&all[i]).String())
	}
	return out
}

// announceTime is how long all channels together may take.
const announceTime = 10 * time.Second

// Told is what came of telling one channel that a file was opened.
type Told struct {
	Channel string // in words
	// Who was told: recipients of mail, or the host of a webhook.
	Who []string
	// At and Answer are when the other side took it and what it answered, in letters
	// that can be seen and without the address.
	At     time.Time
	Answer string
	Tries  int
	// Why not, nil when all were told. It carries a hint.
	Why error
}

// AnnounceOpening tells the channels of a file that it was opened, all at once and
// without waiting. What came of each comes out in the order in which it came, and the
// end of the last one closes the result, after ten seconds at the latest or when ctx
// ends. Roots nil: the authorities of the system are believed.
func AnnounceOpening(ctx context.Context, o *Opening, all []seal.Announce, roots *x509.CertPool) <-chan Told {
	ctx, cancel := context.WithTimeout(ctx, announceTime)
	results := make(chan Told, len(all))
	m := o.message(rand.Text())
	var sending sync.WaitGroup
	for i := range all {
		c := notifyChannel(&all[i])
		sending.Go(func() { // ends with ctx
			r, err := (&notify.Sender{Roots: roots}).Send(ctx, c, m)
			if repeats(saidIn(err), c.Address) {
				err = &hinted{fmt.Errorf("tell %s: it answers with its address, which is not repeated", c), "tell them yourself, and look at the channel when there is time"}
			}
			answer := r.Answer
			if repeats(r.Said, c.Address) {
				answer = "(it repeats the address)"
			}
			results <- Told{Channel: c.String(), Who: r.Told, At: r.At, Answer: answer, Tries: r.Tries, Why: err}
		})
	}
	go func() { // ends with the last of them
		sending.Wait()
		cancel()
		close(results)
	}()
	return results
}

// saidIn is what of an error the other side said. Words of ours, of the host and of the
// channel's name may well be in the address, too: they tell nothing of it.
func saidIn(err error) string {
	if wrong, is := errors.AsType[*notify.Error](err); is {
		return wrong.Said
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// repeats reports whether what another side answered has something of what is secret of
// its address: the evidence has no addresses.
func repeats(answer, address string) bool {
	low := strings.ToLower(answer)
	_, rest, _ := strings.Cut(address, "://")
	_, rest, _ = strings.Cut(rest, "/") // behind the host
	for _, part := range strings.FieldsFunc(strings.ToLower(rest), func(r rune) bool { return strings.ContainsRune("/?&=#", r) }) {
		if len(part) >= 6 && strings.Contains(low, part) {
			return true
		}
	}
	return false
}

// message is what is told of an opening: nothing that was sealed, and not the name to
// sign in with.
func (o *Opening) message(id string) *notify.Message {
	m := &notify.Message{ID: id, At: o.At, Severity: notify.SeverityAlarm, Title: "Halligan: opened: " + o.What + " of " + o.Label,
		Text: "Somebody has opened an emergency credential that several people together can open. If nobody told you of it before, call those who opened it now, by a number that you know, and treat it as an incident until they answer. This message is not signed: it is a claim of the machine on which it was opened.",
		Fields: []notify.Field{
			{Name: "opened", Value: o.What + " of " + o.Label},
			{Name: "with the keys or shares of", Value: strings.Join(o.Openers, ", ")},
			{Name: "why, as they say", Value: o.Why},
			{Name: "at", Value: o.At.Format(time.RFC3339)},
			{Name: "on, as it says", Value: o.Account},
			{Name: "set", Value: o.Set},
			{Name: "SHA-256 of the file", Value: strings.TrimPrefix(o.File, "sha256:")},
		}}
	if o.Why == "" {
		m.Fields[2].Value = "nothing is said"
	}
	for _, a := range o.Altered {
		m.Fields = append(m.Fields, notify.Field{Name: "WARNING", Value: a})
	}
	return m
}

// announcedData is the data of an entry about who was told of an opening.
type announcedData struct {
	Set  string          `json:"set"`
	Told []announcedTold `json:"told"`
	Not  []announcedNot  `json:"not"`
}

// announcedTold is the receipt of a channel.
type announcedTold struct {
	Channel string    `json:"channel"`
	Who     []string  `json:"who"`
	At      time.Time `json:"at,omitzero"`
	Answer  string    `json:"answer,omitempty"`
	Tries   int       `json:"tries,omitempty"`
}

type announcedNot struct {
	Channel string `json:"channel"`
	Why     string `json:"why"`
}

// RecordTold puts into the log who was told of an opening, and who was not.
func (a *App) RecordTold(ctx context.Context, o *Opening, all []Told) (index uint64, err error) {
	d := announcedData{Set: o.Set, Told: []announcedTold{}, Not: []announcedNot{}}
	for _, t := range all {
		if len(t.Who) > 0 {
			one := announcedTold{Channel: custody.Visible(t.Channel), At: t.At.Truncate(time.Second), Answer: custody.Visible(t.Answer), Tries: t.Tries}
			for _, who := range t.Who {
				one.Who = append(one.Who, custody.Visible(who))
			}
			d.Told = append(d.Told, one)
		}
		if t.Why != nil {
			d.Not = append(d.Not, announcedNot{custody.Visible(t.Channel), custody.Visible(t.Why.Error())})
		}
	}
	data, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	entries, err := a.Ledger.Append(ctx, func(store.View) ([]evidence.Entry, error) {
		return []evidence.Entry{{Kind: evidence.KindAnnounced, Tenant: a.tenant(), Time: a.Now(), Who: []string{o.Account}, What: "tell of an opening", On: o.What + " of " + o.Label, Subject: o.File, Data: data}}, nil
	})
	if err != nil {
		return 0, fmt.Errorf("record who was told: %w", err)
	}
	return entries[0].Index, nil
}
