//go:build race

package evidence_test

// slow reports that the race detector makes everything slower.
const slow = true
