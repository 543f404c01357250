package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// Delta is what changed since a link was given out.
type Delta struct {
	Changed []json.RawMessage // one for each object, as it is now; members@delta of all pages together
	Removed map[string]string // id to reason: "changed" (may be restored) or "deleted"
	Link    string            // for the next time; "" when the delta is incomplete
	Whole   bool              // Changed is all there is, not only what changed: the link was missing or too old
}

// Delta asks what changed. Without a link it reads everything and returns the
// first link. A link that Graph no longer knows (410) leads to reading
// everything again, and Whole says so. Sources: graph-docs "Use delta query to
// track changes in Microsoft Graph data", "Get incremental changes for groups".
func (c *Client) Delta(ctx context.Context, r Request, link string) (Delta, error) {
	r, err := c.checkRequest(r)
	if err != nil {
		return Delta{}, err
	}
	if link == "" {
		return c.delta(ctx, r, c.address(r), true)
	}
	if err := c.CheckLink(r, link); err != nil {
		return Delta{}, err
	}
	d, err := c.delta(ctx, r, link, false)
	if tooOld(err) {
		return c.delta(ctx, r, c.address(r), true)
	}
	return d, err
}

// tooOld reports whether Graph asks to start again.
func tooOld(err error) bool {
	e, is := err.(*Error)
	return is && (e.Status == http.StatusGone || e.Status == http.StatusBadRequest && (strings.EqualFold(e.Code, "syncStateNotFound") || strings.EqualFold(e.Code, "Directory_ExpiredPageToken") || strings.EqualFold(e.Code, "resyncRequired")))
}

func (c *Client) delta(ctx context.Context, r Request, start string, whole bool) (Delta, error) {
	ctx, cancel := context.WithTimeout(ctx, c.limits.List)
	defer cancel()
	d := Delta{Removed: map[string]string{}, Whole: whole}
	list, err := c.walk(ctx, r, start, nil, true)
	if err != nil {
		return d, err
	}
	if list.DeltaLink == "" {
		return d, &Error{Operation: r.Operation, Kind: KindMalformed, Permission: r.Permission, Message: "the last page has no link for the next time", cause: ErrNoValue}
	}
	if err := c.CheckLink(r, list.DeltaLink); err != nil {
		return d, err
	}
	d.merge(list.Items)
	d.Link = list.DeltaLink
	return d, nil
}

// merge puts together what came of the same object: what is later wins, and
// lists of members, which Graph spreads over pages, are joined.
func (d *Delta) merge(items []json.RawMessage) {
	place := map[string]int{}
	var objects []map[string]json.RawMessage
	var raw []json.RawMessage
	for _, item := range items {
		var o map[string]json.RawMessage
		id := idOf(item)
		if json.Unmarshal(item, &o) != nil || id == "" {
			objects, raw = append(objects, nil), append(raw, item) // given as it is: unknown is not nothing
			continue
		}
		if removed, is := o["@removed"]; is && string(removed) != "null" {
			var why struct {
				Reason string `json:"reason"`
			}
			_ = json.Unmarshal(removed, &why) // without a reason it is removed all the same
			d.Removed[id] = clean(why.Reason, 40)
			if at, was := place[id]; was {
				objects[at], raw[at] = nil, nil
				delete(place, id)
			}
			continue
		}
		delete(d.Removed, id) // it came back
		at, again := place[id]
		if !again {
			place[id] = len(objects)
			objects, raw = append(objects, o), append(raw, item)
			continue
		}
		for name, value := range o {
			if strings.HasSuffix(name, "@delta") {
				value = joined(objects[at][name], value)
			}
			objects[at][name] = value
		}
		raw[at] = nil
	}
	for i, o := range objects {
		switch {
		case raw[i] != nil:
			d.Changed = append(d.Changed, raw[i])
		case o != nil:
			if merged, err := json.Marshal(o); err == nil {
				d.Changed = append(d.Changed, merged)
			}
		}
	}
}

// joined puts two lists one after the other.
func joined(a, b json.RawMessage) json.RawMessage {
	var x, y []json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return b
	}
	both, err := json.Marshal(append(x, y...))
	if err != nil {
		return b
	}
	return both
}
