package sandbox_test

import (
	"encoding/pem"
	"testing"

	. "halligan/internal/sandbox"
	"halligan/internal/testbrowser"
)

func openBrowser(t *testing.T, s *site) *testbrowser.Browser {
	t.Helper()
	return testbrowser.Open(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.CA}), s.URL+"/security-info")
}

func byName(b *testbrowser.Browser) {
	b.Do("", "User name")
	b.Do(`document.querySelector("#user").value = "ana@contoso.onmicrosoft.com"; document.querySelector("form").requestSubmit()`, "Temporary Access Pass")
}

// The ceremony is real: Chromium makes the key and signs, the page verifies.
func TestChromiumRegistersAPasskeyAndSignsInWithIt(t *testing.T) {
	s := newSite(t, peopled(t, "tap"))
	b := openBrowser(t, s)
	byName(b)
	b.Do(`document.querySelector("button[value=tap]").click()`, "Sign in another way")
	b.Do(`document.querySelector("#secret").value = "`+pass+`"; document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	b.Do(`document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.Do(`document.querySelector("#name").value = "Safe"; document.querySelector("form").requestSubmit()`, "Your passkey was added")
	var method Object
	s.View(func(state *State) {
		for _, m := range state.All("users/" + ana + "/authentication/methods") {
			if m["@odata.type"] == "#microsoft.graph.fido2AuthenticationMethod" {
				method = m
			}
		}
	})
	if method["displayName"] != "Safe" || method["aaGuid"] == "" || method["passkeyType"] != "deviceBound" {
		t.Fatalf("Graph would show the key as %v", method)
	}

	// The same key cannot be registered twice.
	b.Do(`document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.Do(`document.querySelector("#name").value = "Again"; document.querySelector("form").requestSubmit()`, "registered already")
	b.Do(`location = "/security-info"`, "The methods with which you sign in")
	b.Do(`document.querySelector("button[value=leave]").click()`, "User name")

	// Without a name: the key says who it belongs to.
	b.Do(`document.querySelector("button[value=passkey]").click()`, "Use my passkey")
	b.Do(`document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	if record := s.last(t); code(record) != 0 || record["authenticationRequirement"] != "multiFactorAuthentication" {
		t.Errorf("the sign-in is logged as code %d, %v", code(record), record["authenticationRequirement"])
	}

	// A key that does not check who holds it is refused.
	b.Do(`document.querySelector("button[value=leave]").click()`, "User name")
	b.StopVerifying()
	b.Do(`document.querySelector("button[value=passkey]").click()`, "Use my passkey")
	b.Do(`document.querySelector("form").requestSubmit()`, "The key was not used")
}

func TestChromiumKeyOfAForbiddenModelIsNotRegistered(t *testing.T) {
	state := peopled(t, "tap")
	methods(t, state, `{"id":"Fido2","state":"enabled","includeTargets":[{"id":"all_users"}],"keyRestrictions":{"isEnforced":true,"enforcementType":"allow","aaGuids":["`+keyModel+`"]}}`)
	s := newSite(t, state)
	b := openBrowser(t, s)
	byName(b)
	b.Do(`document.querySelector("button[value=tap]").click()`, "Sign in another way")
	b.Do(`document.querySelector("#secret").value = "`+pass+`"; document.querySelector("form").requestSubmit()`, "The methods with which you sign in")
	b.Do(`document.querySelector("button[value=key]").click()`, "Add the passkey")
	b.Do(`document.querySelector("#name").value = "Safe"; document.querySelector("form").requestSubmit()`, "does not allow this model of key")
}
