package app_test

import (
	"reflect"
	"testing"

	"halligan/internal/app"
	"halligan/register"
)

// Whoever approves a change of custody sees every field that may have changed: a
// command of a place that is not told would be approved unseen.
func TestEverythingOfAPartAndAPlaceIsToldToWhoApproves(t *testing.T) {
	part, place, key, account := app.ColumnsTold()
	if want := reflect.TypeFor[register.Part]().NumField() - 1; part != want {
		t.Errorf("of a part %d things are told, and it has %d beside its name", part, want)
	}
	if want := reflect.TypeFor[register.Place]().NumField() - 1; place != want {
		t.Errorf("of a place %d things are told, and it has %d beside its name", place, want)
	}
	if want := reflect.TypeFor[register.Key]().NumField(); key != want {
		t.Errorf("of a key %d things are told, and it has %d", key, want)
	}
	const notOfCustody = 3 // keys, which are told one by one; groups; what is supposed
	if want := reflect.TypeFor[register.Account]().NumField() - notOfCustody; account != want {
		t.Errorf("of an account %d things are told, and it has %d", account, want)
	}
}
