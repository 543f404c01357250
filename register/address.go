package register

import (
	"net/url"
	"strings"
)

// AddressError says what is wrong with the address of a store. It never repeats
// the address: a password may stand in it.
type AddressError struct{ what, hint string }

func (e *AddressError) Error() string { return e.what }

// Hint says what to do next.
func (e *AddressError) Hint() string { return e.hint }

// CheckStoreAddress reports what is wrong with where evidence is said to be kept:
// the path of a file, or the address of a PostgreSQL database without a password
// (PostgreSQL 15, 34.1.1.2). An argument is seen by every account of the machine, and the
// register by everybody who can read it.
func CheckStoreAddress(text string) error {
	if !strings.Contains(text, "://") {
		return nil
	}
	no := &AddressError{"the store is no address of one", "write it as postgres://halligan@db.example/halligan, or a path"}
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return no
	}
	u, err := url.Parse(text)
	if err != nil {
		return no
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Host == "" && query.Get("host") == "" {
		return no
	}
	_, has := u.User.Password()
	if has || query.Has("password") || query.Has("sslpassword") {
		return &AddressError{"the address of the store holds a password", "put the password into ~/.pgpass of whoever runs halligan, mode 0600"}
	}
	return nil
}
