package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"halligan/entra"
	"halligan/register"
	"halligan/seal"
)

// LiveSet is a sealed set that is not void, as the log has it.
type LiveSet struct {
	Set     string
	Account entra.ID
	What    string
	On      register.Day
	// Files are the SHA-256 of what was sealed for it, most often one.
	Files []string
	// Opens says who opens it, Holders are their names.
	Opens   string
	Holders []string
}

// Live are the sealed sets that are not void, the oldest first; of one account where one
// is given.
func (h *Held) Live(r *register.Register, account *register.Account) []LiveSet {
	if h == nil {
		return nil
	}
	var out []LiveSet
	for _, id := range slices.Sorted(maps.Keys(h.sets)) {
		s := h.sets[id]
		of := accountOfSet(r, s)
		if s.void != "" || len(s.files) == 0 || account != nil && (of == nil || !of.ID.Equal(account.ID)) {
			continue
		}
		one := LiveSet{Set: id, What: s.what, On: register.DayOf(s.on), Files: s.files, Opens: s.opens.rule()}
		if of != nil {
			one.Account = of.ID
		}
		for _, holder := range s.opens.Holders {
			one.Holders = append(one.Holders, holder.Name)
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b LiveSet) int { return cmp.Compare(a.On, b.On) })
	return out
}

// accountOfSet is the account of the register that a set is of, nil none.
func accountOfSet(r *register.Register, s *sealedSet) *register.Account {
	all := r.Or().Accounts
	for i := range all {
		if s.account != "" && (all[i].ID.Equal(entra.ID(s.account)) || strings.EqualFold(all[i].Name, s.account)) {
			return &all[i]
		}
	}
	return nil
}

// rule says who opens a set, "" it is not known.
func (o *opensSet) rule() string {
	var names []string
	for _, h := range o.Holders {
		names = append(names, h.Name)
	}
	switch {
	case len(names) == 0:
		return ""
	case o.Form == seal.FormHalves:
		return "the two halves of " + strings.Join(names, ", ")
	case o.Form == seal.FormPair && len(o.Pairs) > 0 && len(o.Pairs) < len(names)*(len(names)-1)/2:
		var pairs []string
		for _, p := range o.Pairs {
			if min(p[0], p[1]) >= 1 && max(p[0], p[1]) <= len(names) {
				pairs = append(pairs, names[p[0]-1]+" with "+names[p[1]-1])
			}
		}
		return strings.Join(pairs, ", or ")
	}
	return fmt.Sprintf("%d of %s", o.Need, strings.Join(names, ", "))
}

// setOn is a set and its day, for people.
func (l *LiveSet) setOn() string { return fmt.Sprintf("set %s of %s", l.Set, l.On) }

// SetID reports whether a text is the id of a set.
func SetID(text string) bool {
	text = setKey(text)
	return len(text) == 16 && strings.Trim(text, "0123456789abcdef") == ""
}

// replaced finds the sets that a wish makes void with their holders, as the log has
// them. Nothing is opened for it: the new secret is another.
func (h *Held) replaced(r *register.Register, w *SealWish, account *register.Account, day string) error {
	for i, id := range w.Replaces {
		id = setKey(id)
		w.Replaces[i] = id
		s := h.set(id)
		at := slices.IndexFunc(w.Void, func(v seal.Void) bool { return v.Set == id })
		switch {
		case slices.Contains(w.Replaces[:i], id):
			return &hinted{fmt.Errorf("replace set %.40s: it is named twice", id), "name each set once"}
		case (s == nil || len(s.files) == 0) && at < 0:
			return &hinted{fmt.Errorf("replace set %.40s: the log has sealed none of that id", id), "the sets of the account that are live: " + cmp.Or(idsOf(h.Live(r, account)), "none; leave --replaces out")}
		case s == nil || len(s.files) == 0: // from its file alone
		case s.void != "":
			return &hinted{fmt.Errorf("replace set %s: %s", id, s.void), "the sets of the account that are live: " + cmp.Or(idsOf(h.Live(r, account)), "none; leave --replaces out")}
		case s.account != "" && (accountOfSet(r, s) == nil || !accountOfSet(r, s).ID.Equal(account.ID)):
			return &hinted{fmt.Errorf("replace set %s: it is of account %.80s, and not of %s", id, s.account, cmp.Or(account.Name, string(account.ID))), "a secret takes the place of one of the same account"}
		}
		if at < 0 {
			v := seal.Void{Set: id, On: day}
			for _, holder := range s.opens.Holders {
				v.Holders = append(v.Holders, holder.Name)
			}
			w.Void = append(w.Void, v)
		}
	}
	if err := h.voided(r, w, account); err != nil {
		return err
	}
	if len(w.Void) > mostVoid {
		w.Void = w.Void[len(w.Void)-mostVoid:]
	}
	if n := len(w.Replaces); n > mostVoid {
		return &hinted{fmt.Errorf("replace %d sets", n), fmt.Sprintf("at most %d at once", mostVoid)}
	}
	return nil
}

func idsOf(live []LiveSet) string {
	var out []string
	for _, l := range live {
		out = append(out, l.setOn())
	}
	return strings.Join(out, ", ")
}

// noPassword are the patterns by which no password is a way in.
var noPassword = map[register.Pattern]bool{register.PatternFIDO2: true, register.PatternCertificate: true, register.PatternAccountReset: true}

// voided refuses a wish whose void sets are not void by the log, or not held by those
// whom the log names: a file that somebody made may say so. What the log has not sealed
// is not refused.
func (h *Held) voided(r *register.Register, w *SealWish, account *register.Account) error {
	for i, v := range w.Void {
		s := h.set(v.Set)
		if s == nil || len(s.files) == 0 {
			continue
		}
		of := accountOfSet(r, s)
		if foreign := s.account != "" && (of == nil || !of.ID.Equal(account.ID)); foreign && (s.void == "" || i == len(w.Void)-1 && len(w.Replaces) == 0) {
			return &hinted{fmt.Errorf("take set %s for void: it is of account %.80s, and not of %s", v.Set, s.account, cmp.Or(account.Name, string(account.ID))), "give the file of a set of the same account"}
		}
		var names []string
		for _, holder := range s.opens.Holders {
			names = append(names, holder.Name)
		}
		if len(names) > 0 && !slices.Equal(names, v.Holders) {
			return &hinted{fmt.Errorf("take set %s for void: its holders are said to be %.200s, and by the log they are %.200s", v.Set, strings.Join(v.Holders, ", "), strings.Join(names, ", ")), "somebody may have replaced the file: take another copy, and compare its SHA-256 with the binder"}
		}
	}
	return nil
}

// beware are what approvers must know of a wish beside the people: that the register
// knows no way in by a password, and which other sets of the same are live.
func (h *Held) beware(r *register.Register, w *SealWish, account *register.Account) []string {
	out := noWayIn(w, account, account.Pattern)
	if stay := h.stay(r, w, account); len(stay) > 0 {
		out = append(out, idsOf(stay)+ifMany(len(stay), " is", " are")+" live and of the same account. If the new secret takes the place of the old one, ask with "+replacesFlags(stay))
	}
	return out
}

// noWayIn says that a password of an account is no way in by the pattern of it.
func noWayIn(w *SealWish, account *register.Account, pattern register.Pattern) []string {
	name := cmp.Or(account.Name, string(account.ID))
	switch ofPassword := strings.Contains(strings.ToLower(w.What), "password"); {
	case ofPassword && noPassword[pattern]:
		return []string{fmt.Sprintf("the register says that %s signs in by %s (pattern:), which takes no password: halligan survive will not count this set as a way in", name, pattern)}
	case ofPassword && pattern == register.PatternUnknown:
		return []string{fmt.Sprintf("the register does not say how %s signs in (pattern:): until it does, halligan survive will not count this set as a way in", name)}
	}
	return nil
}

// stay are the live sets of the same that a wish leaves live.
func (h *Held) stay(r *register.Register, w *SealWish, account *register.Account) (out []LiveSet) {
	going := slices.Clone(w.Replaces)
	if n := len(w.Void); n > 0 && len(w.Replaces) == 0 {
		going = append(going, w.Void[n-1].Set)
	}
	for _, l := range h.Live(r, account) {
		if strings.EqualFold(l.What, w.What) && !slices.Contains(going, l.Set) {
			out = append(out, l)
		}
	}
	return out
}

func ifMany(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func replacesFlags(live []LiveSet) string {
	var out []string
	for _, l := range live {
		out = append(out, "--replaces "+l.Set)
	}
	return strings.Join(out, " ")
}

// tookPlace says by which set another became void.
func tookPlace(by, of string, index uint64, anew bool) string {
	if anew {
		return fmt.Sprintf("the set is void: the secret of set %s took the place of that of set %s (entry %d)", by, of, index)
	}
	return fmt.Sprintf("the set is void: set %s took the place of set %s (entry %d)", by, of, index)
}

// successors are the sets that took the place of each.
type successors map[string][]successor

type successor struct {
	set   string
	index uint64
	anew  bool // it holds another secret
}

// take goes on by one set that was sealed.
func (s successors) take(d *outcomeOfSeal, index uint64) {
	ids, anew := d.voids()
	for _, id := range ids {
		if setKey(d.Set) != "" && setKey(d.Set) != setKey(id) {
			s[setKey(id)] = append(s[setKey(id)], successor{setKey(d.Set), index, anew})
		}
	}
}

// last are the live sets at the end of what took the place of a set, and whether another
// secret came in on the way.
func (s successors) last(id string) (live []successor, anew bool) {
	seen, way := map[string]bool{setKey(id): true}, slices.Clone(s[setKey(id)])
	for len(way) > 0 {
		next := way[0]
		way, anew = way[1:], anew || next.anew
		if seen[next.set] {
			continue
		}
		seen[next.set] = true
		if len(s[next.set]) == 0 {
			live = append(live, next)
		}
		way = append(way, s[next.set]...)
	}
	return live, anew
}

// against says that a set is void and which to open in its place; "" it is not void.
func (s successors) against(id string) string {
	if len(s[setKey(id)]) == 0 {
		return ""
	}
	live, anew := s.last(id)
	var names, entries []string
	for _, l := range live {
		names, entries = append(names, "set "+l.set), append(entries, fmt.Sprint(l.index))
	}
	stale := ""
	if anew {
		stale = ", with a new secret: if that was set in Entra, the secret of this file is out of date"
	}
	if len(live) == 0 {
		return fmt.Sprintf("set %s is void, and by the log every set that took its place is void as well%s. Ask those who seal for this account which one holds (halligan custody list)", id, stale)
	}
	return fmt.Sprintf("set %s is void: %s took its place (%s %s)%s. Open %s", id, strings.Join(names, " and "), ifMany(len(live), "entry", "entries"), strings.Join(entries, " and "), stale, ifMany(len(live), "that one", "one of those"))
}

// liveSets finds accounts of which several sets of one thing are live: one of them
// opens nothing any more, or two secrets do.
func (c *clocks) liveSets() {
	type key struct{ account, what string }
	several := map[key][]LiveSet{}
	for _, l := range c.held.Live(c.r, nil) {
		if l.Account != "" {
			k := key{l.Account.Key(), strings.ToLower(l.What)}
			several[k] = append(several[k], l)
		}
	}
	for _, sets := range several {
		if len(sets) < 2 {
			continue
		}
		name := string(sets[0].Account)
		if a := c.r.Account(sets[0].Account); a != nil {
			name = cmp.Or(a.Name, name)
		}
		c.add(sets[len(sets)-1].On, "find out which of them opens the account (halligan request open FILE, for a drill). Set and seal a new secret in their place: halligan request seal --account "+quote(name)+" --what "+quote(sets[0].What)+" "+replacesFlags(sets)+" --holder NAME…"+asking,
			"%s of %s is sealed %d times, and no set is void: %s", sets[0].What, name, len(sets), idsOf(sets))
	}
}

// Voids are the sets that are void once it is sealed.
func (t *SealTask) Voids() []string {
	if t.reseals != "" {
		return []string{t.reseals}
	}
	return t.Replaces
}

// dayOf is a day as a set has it.
func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }
