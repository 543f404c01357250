package app

import "halligan/internal/store"

// Name says for people where the evidence is, with nothing in it that signs in.
func (p *Place) Name() string { return store.Options{URL: p.Store}.Name() }
