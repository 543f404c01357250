package entra

import "strings"

// ID is the id of a directory object, policy, location, role template or
// application as the source spells it. Graph compares ids without case, so use
// Equal or Key, never ==.
type ID string

// Key returns the form of the id under which it may be used as a map key.
func (id ID) Key() string { return strings.ToLower(strings.TrimSpace(string(id))) }

// Equal reports whether two ids name the same object.
func (id ID) Equal(other ID) bool { return id.Key() == other.Key() }

// IsGUID reports whether the id has the form of a GUID. Exports hold names,
// placeholders and template literals where ids belong; those are kept, but
// they cannot be matched to an object that is known by its GUID.
func (id ID) IsGUID() bool {
	s := string(id)
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
