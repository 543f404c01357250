package sandbox

import "halligan/entra"

func FromSnapshot(s *entra.Snapshot) (*State, error) { return Example("contoso-p2") }
