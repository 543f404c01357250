package custody_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"halligan/custody"
)

func TestASecretIsNeverShown(t *testing.T) {
	s := custody.NewSecret([]byte("hunter2"))
	text, err := json.Marshal(struct{ S custody.Secret }{s})
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(text), s.String(), fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%v %+v", struct{ S custody.Secret }{s}, &struct{ S custody.Secret }{s}), fmt.Errorf("sign in: %v", s).Error()}
	for _, out := range shown {
		if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) || strings.Contains(out, "104 117") {
			t.Errorf("the secret shows: %s", out)
		}
		if !strings.Contains(out, "secret") {
			t.Errorf("nothing says that a secret stands here: %s", out)
		}
	}
	if string(s.Reveal()) != "hunter2" || s.Empty() || !(custody.Secret{}).Empty() {
		t.Error("the secret is lost")
	}
}

// Package fmt looks into private fields without asking.
func TestASecretInAPrivateFieldIsNotShown(t *testing.T) {
	type keeper struct{ hidden custody.Secret }
	type holder struct {
		keeper keeper
		all    []custody.Secret
		byName map[string]custody.Secret
	}
	s := custody.NewSecret([]byte("hunter2"))
	h := holder{keeper{s}, []custody.Secret{s}, map[string]custody.Secret{"a": s}}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, v := range []any{h, &h, h.keeper} {
			text := fmt.Sprintf(form, v)
			if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") || strings.Contains(text, "104 117 110") {
				t.Errorf("%s shows %s", form, text)
			}
		}
	}
}
