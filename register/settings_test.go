package register_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"halligan/register"
)

// The table and the struct hold each other: every field is documented, in its
// place, and nothing else is.
func TestSettingsTableAndStructAgree(t *testing.T) {
	table := register.SettingsTable()
	fields := reflect.TypeFor[register.Settings]()
	if len(table) != fields.NumField() {
		t.Fatalf("the table has %d settings, the struct %d fields", len(table), fields.NumField())
	}
	settled := reflect.ValueOf(register.Settings{}.Settled())
	for i, s := range table {
		f := fields.Field(i)
		if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != s.Key {
			t.Errorf("field %d is %s, and the table has %s there", i, key, s.Key)
		}
		if s.Doc == "" || len(s.Sides) == 0 {
			t.Errorf("%s: doc %q, %d sides; want both", s.Key, s.Doc, len(s.Sides))
		}
		if s.Conflict != "" && len(s.Sides) < 2 {
			t.Errorf("%s decides %s, and only one side is stated", s.Key, s.Conflict)
		}
		switch s.Kind {
		case register.KindNumber:
			n, err := strconv.Atoi(s.Default)
			if err != nil || n < s.Least || n > s.Most || s.Least < 1 || f.Type.Kind() != reflect.Int {
				t.Errorf("%s: default %q, range %d to %d, field %s", s.Key, s.Default, s.Least, s.Most, f.Type)
			}
			if got := settled.Field(i).Int(); got != int64(n) {
				t.Errorf("%s: settled to %d, want %d", s.Key, got, n)
			}
		case register.KindWord:
			if !slices.Contains(s.Words, s.Default) || f.Type.Kind() != reflect.String {
				t.Errorf("%s: default %q, words %q, field %s", s.Key, s.Default, s.Words, f.Type)
			}
			if got := settled.Field(i).String(); got != s.Default {
				t.Errorf("%s: settled to %q, want %q", s.Key, got, s.Default)
			}
		default:
			t.Errorf("%s: kind %q", s.Key, s.Kind)
		}
	}
}

func TestEveryContradictionHasASetting(t *testing.T) {
	var got []string
	for _, s := range register.SettingsTable() {
		if s.Conflict != "" {
			got = append(got, s.Conflict)
		}
	}
	if want := []string{"C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSettledKeepsWhatIsGiven(t *testing.T) {
	given := register.Settings{Names: "any", DrillDays: 30}
	got := given.Settled()
	if got.Names != "any" || got.DrillDays != 30 || got.MFA != "required" || got.PasswordLength != 40 {
		t.Errorf("got %+v", got)
	}
	if given.MFA != "" {
		t.Error("Settled changed its receiver")
	}
	if again := got.Settled(); again != got {
		t.Errorf("settled twice: %+v, once: %+v", again, got)
	}
	for _, s := range register.SettingsTable() {
		want := s.Default
		switch s.Key {
		case "names":
			want = "any"
		case "drillDays":
			want = "30"
		}
		if v := s.In(given); v != want {
			t.Errorf("%s is %q, want %q", s.Key, v, want)
		}
	}
}
