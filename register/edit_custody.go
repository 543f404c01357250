package register

import (
	"fmt"
	"reflect"
)

// AddPart does for a part what AddAttestation does for an attestation.
func AddPart(text []byte, p Part) ([]byte, error) {
	return add(text, "parts", reflect.ValueOf(p), func(r *Register) { r.Parts = append(r.Parts, p) })
}

// AddPlace does for a place what AddAttestation does for an attestation.
func AddPlace(text []byte, p Place) ([]byte, error) {
	return add(text, "places", reflect.ValueOf(p), func(r *Register) { r.Places = append(r.Places, p) })
}

// SetPart returns the text of a halligan.yaml in which the part of a name
// (PartNames) is another: moved, handed over, under another seal. Every byte of
// what stays is kept, the name too: a part that had none of its own stays without.
func SetPart(text []byte, name string, to Part) ([]byte, error) {
	want, d, errs := parse("halligan.yaml", text)
	if len(errs) > 0 {
		return nil, errs
	}
	i, err := want.FindPart(name)
	if err != nil {
		return nil, err
	}
	was := want.Parts[i]
	to.Name = was.Name
	if to.Account.Equal(was.Account) {
		to.Account = was.Account // as it is spelled there
	}
	want.Parts[i] = to
	return setElement(text, "parts", i, "change part "+shown(name), reflect.ValueOf(was), reflect.ValueOf(to), want, d)
}

// SetCombinationChanged returns the text of a halligan.yaml with another day on
// which the combination of a place was changed.
func SetCombinationChanged(text []byte, place string, day Day) ([]byte, error) {
	want, d, errs := parse("halligan.yaml", text)
	if len(errs) > 0 {
		return nil, errs
	}
	p := want.Place(place)
	if p == nil {
		var all []string
		for _, p := range want.Places {
			all = append(all, p.Name)
		}
		return nil, &EditError{fmt.Sprintf("find place %s: the register has none", shown(place)), placeHint(place, all)}
	}
	was := *p
	p.CombinationChanged = day
	for i := range want.Places {
		if &want.Places[i] == p {
			return setElement(text, "places", i, "change place "+shown(place), reflect.ValueOf(was), reflect.ValueOf(*p), want, d)
		}
	}
	return nil, &EditError{"change place " + shown(place) + ": it was not found", "change it with an editor"}
}

func placeHint(name string, all []string) string {
	if near := Nearest(name, all); near != "" {
		return fmt.Sprintf("did you mean %s?", shown(near))
	}
	return "halligan custody list shows the places"
}
