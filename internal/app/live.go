package app

import (
	"context"

	"halligan/entra"
	"halligan/internal/graph"
	"halligan/register"
)

// Tenant is a live tenant that can be read. *graph.Client is one.
type Tenant interface {
	Read(ctx context.Context, scope graph.Scope) (*entra.Snapshot, error)
}

// read returns what the request is about: a live tenant, else what the sources
// hold.
func (r *ProveRequest) read(ctx context.Context, reg *register.Register) (*entra.Snapshot, error) {
	if r.Tenant == nil {
		r.say("reading")
		return entra.Read(r.Sources...)
	}
	r.say("reading " + r.TenantName)
	return r.Tenant.Read(ctx, r.scope(reg))
}

// scope is what of a live tenant to read for a request.
func (r *ProveRequest) scope(reg *register.Register) graph.Scope {
	s := graph.Scope{Accounts: r.Accounts, Azure: r.Azure}
	known := reg.Or()
	for _, a := range known.Accounts {
		if len(r.Accounts) == 0 {
			s.Accounts = append(s.Accounts, string(a.ID))
		}
		if a.Name != "" {
			s.Names = append(s.Names, entra.ID(a.Name))
		}
		s.Groups = append(s.Groups, a.Groups...)
	}
	for _, g := range known.Groups {
		s.Groups = append(s.Groups, g.ID)
	}
	for _, h := range known.People {
		if h.ID != "" {
			s.People = append(s.People, h.ID)
		}
	}
	s.Discover = len(s.Accounts) == 0
	return s
}
