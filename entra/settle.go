package entra

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// settle makes the content independent of the order and the repetition in which
// it was read: ids for policies that have none, one copy of what was read
// twice, a fixed order.
func (c *Content) settle() {
	c.Parts = maps.Clone(c.Parts)
	if c.Parts == nil {
		c.Parts = map[Part]PartState{}
	}
	c.namePolicies()
	c.Policies = settleList(c, c.Policies, listOf[Policy]{"policy", func(p *Policy) thing {
		return thing{p.ID, p.Label(), &p.Origin, p.Raw}
	}, samePolicy})
	c.Locations = settleList(c, c.Locations, listOf[NamedLocation]{"named location", func(l *NamedLocation) thing {
		return thing{l.ID, l.DisplayName, &l.Origin, l.Raw}
	}, nil})
	c.Strengths = settleList(c, c.Strengths, listOf[AuthStrength]{"authentication strength", func(s *AuthStrength) thing {
		return thing{s.ID, s.DisplayName, &s.Origin, s.Raw}
	}, nil})
}

// thing is what settling asks of an object.
type thing struct {
	id     ID
	label  string
	origin *Origin
	raw    json.RawMessage
}

// listOf says how to settle a list of one kind of object.
type listOf[T any] struct {
	name string
	of   func(*T) thing
	// same reports whether two objects of one id mean the same although their
	// JSON differs; nil: never.
	same func(a, b *T) bool
}

// settleList sorts by id, drops what was read twice, and names objects that
// share an id and differ: nobody can say which of them is in force, so all stay.
func settleList[T any](c *Content, list []T, k listOf[T]) []T {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b T) int {
		x, y := k.of(&a), k.of(&b)
		return cmp.Or(strings.Compare(x.id.Key(), y.id.Key()), bytes.Compare(x.raw, y.raw),
			strings.Compare(x.origin.File, y.origin.File), cmp.Compare(x.origin.Line, y.origin.Line), strings.Compare(x.origin.Path, y.origin.Path))
	})
	out := list[:0]
	for i := range list {
		now := k.of(&list[i])
		if now.id == "" || len(out) == 0 || !k.of(&out[len(out)-1]).id.Equal(now.id) {
			out = append(out, list[i])
			continue
		}
		last := k.of(&out[len(out)-1])
		equal := bytes.Equal(last.raw, now.raw) || k.same != nil && k.same(&out[len(out)-1], &list[i])
		at := Trouble{File: now.origin.File, Line: now.origin.Line}
		if equal {
			at.What = fmt.Sprintf("%s %s (%q) is also in %s; read once", k.name, now.id, now.label, place(last.origin))
			c.Notes = append(c.Notes, at)
			continue
		}
		at.What = fmt.Sprintf("%s %s (%q) is also in %s with other content; both are kept", k.name, now.id, now.label, place(last.origin))
		c.Troubles = append(c.Troubles, at)
		out = append(out, list[i])
	}
	clear(list[len(out):])
	return out
}

func place(o *Origin) string {
	switch {
	case o.File == "":
		return "the same source"
	case o.Line == 0:
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// samePolicy reports whether two readings of a policy say the same, for example
// one by PowerShell and one by Graph.
func samePolicy(a, b *Policy) bool { return reflect.DeepEqual(meaning(a), meaning(b)) }

func meaning(p *Policy) Policy {
	m := *p
	m.Raw, m.Origin, m.Foreign, m.ID = nil, Origin{}, nil, ""
	if s := m.Grant.Strength; s != nil {
		c := *s
		c.Raw, c.Origin = nil, Origin{}
		m.Grant.Strength = &c
	}
	return m
}

// namePolicies gives policies without an id one of their own, the same whenever
// the same files are read: "file:NAME" when the policy is alone in its file,
// else "policy-" and a hash of its display name or, without one, of its JSON.
func (c *Content) namePolicies() {
	c.Policies = slices.Clone(c.Policies)
	perFile, taken := map[string]int{}, map[string]bool{}
	for i := range c.Policies {
		perFile[c.Policies[i].Origin.File]++
		taken[c.Policies[i].ID.Key()] = true
	}
	for i := range c.Policies {
		p := &c.Policies[i]
		if p.ID != "" {
			continue
		}
		name := "file:" + strings.TrimSuffix(path.Base(strings.ReplaceAll(p.Origin.File, `\`, "/")), path.Ext(p.Origin.File))
		if p.Origin.File == "" || perFile[p.Origin.File] > 1 {
			from := []byte(p.DisplayName)
			if len(from) == 0 {
				from = p.Raw
			}
			sum := sha256.Sum256(from)
			name = "policy-" + hex.EncodeToString(sum[:4])
		}
		id := ID(name)
		for n := 2; taken[id.Key()]; n++ {
			id = ID(name + "-" + strconv.Itoa(n))
		}
		taken[id.Key()] = true
		p.ID = id
	}
}
