package store

// Name says for people where a store is: the path, or the address of the database
// without whoever signs in there, and without what the address asks for.
func (o Options) Name() string { return nameOf(o.URL) }
