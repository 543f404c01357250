package register_test

import (
	"fmt"
	"strings"
	"testing"

	"halligan/register"
)

// What stands in the register is read by many and stays in the evidence for ever: an
// address that lets whoever knows it write there does not belong there.
func TestAnAddressThatTellsASecretIsRefused(t *testing.T) {
	for address, refused := range map[string]bool{
		"https://localhost:18443/hook/SECRETTOKEN": true, "https://hooks.example.com/SECRETTOKEN": true, "https://hooks.example.com/hook/a1b2": true,
		"https://hooks.example.com/a?key=1": true, "https://hooks.example.com/?": true, "https://hooks.example.com/correcthorsebattery": true,
		"https://hooks.example.com/%73ecret": true, "https://hooks.example.com/123456": true,
		"https://hooks.example.com": false, "https://hooks.example.com/": false, "https://hooks.example.com/halligan": false, "http://localhost:8080/alert/": false,
	} {
		text := fmt.Sprintf("version: 1\ntenant:\n  id: 8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b\nchannels:\n  - name: room\n    kind: webhook\n    address: %q\n", address)
		_, err := register.Parse("halligan.yaml", []byte(text))
		if (err != nil) != refused {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), address) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}
