package posture

import "slices"

// catalogue is every check: the tables of the themes, one after the other.
var catalogue = func() []*Check {
	var out []*Check
	for _, theme := range [][]Check{checksIdentity, checksRoles, checksMethods, checksPasswords, checksPolicies, checksRisk, checksGroups, checksMonitoring,
		checksCustody, checksDrills, checksGovernance, checksAbuse} {
		for i := range slices.Clone(theme) {
			out = append(out, &theme[i])
		}
	}
	return out
}()
