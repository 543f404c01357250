package custody

import (
	"cmp"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// model is what tells the models of keys apart: the AAGUID, or a name where that is all
// there is. Without both it was not recorded.
type model struct{ aaguid, name string }

// modelNames are the AAGUIDs that are written together with a name, and the reverse.
type modelNames struct{ aaguids, names map[string][]string }

func aaguidOf(k register.Key) string { return strings.ToLower(strings.TrimSpace(k.AAGUID)) }

// namesOf reads how a register, and more keys, call models.
func namesOf(r *register.Register, more ...register.Key) modelNames {
	m := modelNames{map[string][]string{}, map[string][]string{}}
	add := func(to map[string][]string, key, what string) {
		if !slices.Contains(to[key], what) {
			to[key] = append(to[key], what)
		}
	}
	keys := slices.Clone(more)
	for _, a := range r.Accounts {
		keys = append(keys, a.Keys...)
	}
	for _, k := range keys {
		if id, name := aaguidOf(k), register.NameKey(k.Model); id != "" && name != "" {
			add(m.aaguids, name, id)
			add(m.names, id, name)
		}
	}
	return m
}

// of is the model of a key: a name that is written with one AAGUID means that.
func (m modelNames) of(k register.Key) model {
	out := model{aaguid: aaguidOf(k), name: register.NameKey(k.Model)}
	if known := m.aaguids[out.name]; out.aaguid == "" && out.name != "" && len(known) == 1 {
		out.aaguid = known[0]
	}
	if out.aaguid != "" {
		out.name = ""
	}
	return out
}

// differ reports whether two models are not the same. Two AAGUIDs under one name may be
// one model in two firmwares; a name may be any AAGUID with which it is written, and
// one that is written with none may be any.
func (m modelNames) differ(a, b model) Answer {
	if a == b && a != (model{}) {
		return No
	}
	if a == (model{}) || b == (model{}) {
		return Maybe
	}
	both := func(x, y []string) bool {
		return slices.ContainsFunc(x, func(s string) bool { return slices.Contains(y, s) })
	}
	may := false
	switch {
	case a.aaguid != "" && b.aaguid != "":
		may = both(m.names[a.aaguid], m.names[b.aaguid])
	case a.aaguid == "" && b.aaguid == "":
		may = both(m.aaguids[a.name], m.aaguids[b.name])
	default:
		known := m.aaguids[cmp.Or(a.name, b.name)]
		may = len(known) == 0 || slices.Contains(known, cmp.Or(a.aaguid, b.aaguid))
	}
	if may {
		return Maybe
	}
	return Yes
}

// TwoModels reports whether some keys are of two models or more, by what the register
// and they themselves say of models.
func (c *Circle) TwoModels(keys ...register.Key) Answer {
	out, names := No, namesOf(c.reg, keys...)
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			out = Either(out, names.differ(names.of(a), names.of(b)))
		}
	}
	return out
}

// modelOf is the loss of the model of a key.
func (c *Circle) modelOf(k register.Key) Loss {
	m := c.models.of(k)
	switch {
	case m == model{}:
		return Loss{LossModel, "", "that was not recorded"}
	case m.aaguid == "":
		return Loss{LossModel, m.name, strings.TrimSpace(k.Model)}
	}
	name := strings.TrimSpace(k.Model)
	for _, a := range c.reg.Accounts {
		for _, other := range a.Keys {
			if name == "" && aaguidOf(other) == m.aaguid {
				name = strings.TrimSpace(other.Model)
			}
		}
	}
	return Loss{LossModel, m.aaguid, cmp.Or(name, strings.TrimSpace(k.AAGUID))}
}

func serialOf(k register.Key) string {
	return strings.ToLower(strings.Join(strings.Fields(k.Serial), ""))
}

// keyLost is the loss of a key by all that the register says: a serial number of which
// one AAGUID is known is one key, whether or not that stands beside it everywhere. may
// are further losses that may be of the same key, where two are known.
func (c *Circle) keyLost(account entra.ID, k register.Key, at int) (own Loss, may []string) {
	own = KeyLost(account, k, at)
	serial := serialOf(k)
	if serial == "" {
		return own, nil
	}
	var known []string
	open := false
	for _, a := range c.reg.Accounts {
		for _, other := range a.Keys {
			id := c.models.of(other).aaguid
			if serialOf(other) != serial {
				continue
			}
			open = open || id == ""
			if id != "" && !slices.Contains(known, id) {
				known = append(known, id)
			}
		}
	}
	id := c.models.of(k).aaguid
	switch {
	case id == "" && len(known) == 1:
		id = known[0]
	case id == "":
		for _, other := range known {
			may = append(may, serial+"/"+other)
		}
	case open && len(known) > 1:
		may = []string{serial + "/"}
	}
	own.ID = serial + "/" + id
	return own, may
}
