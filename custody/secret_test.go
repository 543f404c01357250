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
