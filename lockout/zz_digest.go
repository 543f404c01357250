package lockout

import "halligan/entra"

func digestOf(s *entra.Snapshot) string {
	if d, ok := any(s).(interface{ Digest() string }); ok {
		return d.Digest()
	}
	return ""
}
