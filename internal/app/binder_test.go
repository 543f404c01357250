package app_test

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
)

func TestEachRecordedPrintHasTheNextNumber(t *testing.T) {
	w := begun(t)
	day := time.Date(2027, 2, 1, 23, 59, 0, 0, time.UTC)
	for want := 1; want <= 3; want++ {
		b, err := w.Binder(t.Context(), day)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.Binder(t.Context(), day); err != nil || again.Version != b.Version {
			t.Errorf("what is not recorded counts: %s, %s, %v", b.Version, again.Version, err)
		}
		if b.Version != strconv.Itoa(want) || b.Digest != w.Register.Digest() || b.LogKey != w.Ledger.(app.Owned).Key.Public() || b.Date != day.Truncate(24*time.Hour) {
			t.Errorf("print %d: version %s, digest %s, key %q, day %s", want, b.Version, b.Digest, b.LogKey, b.Date)
		}
		if _, err := w.Record(t.Context(), app.RecordOfBinder(w.Register, b.Version)); err != nil {
			t.Fatal(err)
		}
	}
	entries := w.entries(evidence.KindBinderPrinted, "")
	if len(entries) != 3 {
		t.Fatalf("%d entries", len(entries))
	}
	var d app.BinderData
	if err := json.Unmarshal(entries[2].Data, &d); err != nil || d.Version != "3" || d.Digest != w.Register.Digest() {
		t.Errorf("%s: %v", entries[2].Data, err)
	}
}

func TestABinderWithoutALogHasItsDayForVersion(t *testing.T) {
	b, err := app.Binder(t.Context(), &register.Register{}, time.Date(2027, 2, 1, 23, 0, 0, 0, time.FixedZone("", -7200)))
	if err != nil {
		t.Fatal(err)
	}
	if b.Version != "2027-02-02" || b.LogKey != "" || len(b.Runbooks) == 0 || len(b.Opening) == 0 || len(b.First) == 0 {
		t.Errorf("%+v", b)
	}
}
