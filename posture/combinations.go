package posture

import (
	"cmp"
	"slices"
	"time"

	"halligan/custody"
	"halligan/register"
)

// Knower is somebody who could open a place until a time: who left, or who stayed and
// was taken out of the access, or gave away the combination. The combination is to be
// changed since then.
type Knower struct {
	Place  string // name
	Person string
	At     time.Time
	// Left: the person is not among the people any more.
	Left bool
}

// StaleCombination is a place that still opens for somebody who should not open it.
type StaleCombination struct {
	Knower
	Of *register.Place
	// Known: there is a combination: it is a part, or somebody wrote down when it was
	// changed. Other places may be opened by a key or a badge.
	Known bool
	// Future: the recorded change lies in the future.
	Future bool
}

// PlaceOpeners are those who can open a place, as custody.Circle.Reachers names them:
// who has access, who holds its combination, and whoever could get at that.
func PlaceOpeners(c *custody.Circle, place string) []string {
	return c.Reachers(&register.Part{Place: place})
}

// StaleCombinations lists the places whose combination was not changed since somebody
// could open them, by the last such time for each person and place. Who can open a
// place now is none of these. What is dated after now has not happened.
func StaleCombinations(r *register.Register, records *Records, now time.Time) []StaleCombination {
	r = r.Or()
	circle := custody.CircleOf(r)
	type about struct{ place, person string }
	last := map[about]Knower{}
	for _, k := range records.Knew {
		key := about{register.NameKey(k.Place), register.NameKey(k.Person)}
		if before, is := last[key]; !k.At.After(now) && (!is || !k.At.Before(before.At)) {
			last[key] = k
		}
	}
	var out []StaleCombination
	for key, k := range last {
		at := circle.Place(k.Place)
		if at == nil || r.Person(k.Person) != nil && slices.Contains(PlaceOpeners(circle, at.Name), key.person) {
			continue // gone; or came back, and may open it
		}
		one := StaleCombination{Knower: k, Of: at, Future: at.CombinationChanged > register.DayOf(now), Known: at.CombinationChanged != ""}
		for i := range r.Parts {
			one.Known = one.Known || r.Parts[i].Kind == register.PartCombination && register.NameKey(r.Parts[i].Opens) == key.place
		}
		if one.Future || at.CombinationChanged < register.DayOf(k.At) {
			out = append(out, one)
		}
	}
	slices.SortFunc(out, func(a, b StaleCombination) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Person, b.Person))
	})
	return out
}
