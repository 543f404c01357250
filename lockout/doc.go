// Package lockout says whether an emergency account gets in whatever happens:
// it proves it, shows the sign-in that fails, or says what is not known.
package lockout
