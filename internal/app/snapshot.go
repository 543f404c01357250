package app

import (
	"context"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
	"halligan/register"
)

// Snapshot reads a tenant for keeping. With a key, names and ids in it are
// replaced.
func Snapshot(ctx context.Context, req ProveRequest, reg *register.Register, key []byte) (*entra.Snapshot, error) {
	s, err := req.read(ctx, reg)
	if err != nil || key == nil {
		return s, err
	}
	return s.Pseudonyms(key, sameEverywhere())
}

// sameEverywhere reports which ids are the same in every tenant: roles, built-in
// strengths, Microsoft's applications.
func sameEverywhere() func(entra.ID) bool {
	known := map[string]bool{}
	for _, r := range facts.Roles() {
		known[r.ID.Key()] = true
	}
	for _, g := range facts.GroupMembers() {
		known[g.App.Key()] = true
	}
	for _, g := range facts.Goals() {
		for _, id := range slices.Concat(g.Audiences, []entra.ID{g.Client}) {
			known[id.Key()] = true
		}
	}
	return func(id entra.ID) bool {
		return known[id.Key()] || strings.HasPrefix(id.Key(), "0000000") || id.Key() == "28c10230-6103-485e-b985-444c60001490"
	}
}
