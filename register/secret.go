package register

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// noSecrets is the hint on every secret: what is in the register is read by many
// and kept in version control.
const noSecrets = "the register holds no secrets: write where it is kept, never what it is; what stood here must be changed, since it may be known now"

var (
	ageKey     = regexp.MustCompile(`(?i)AGE-SECRET-KEY-(?:PQ-)?1`)
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|b3BlbnNzaC1rZXktdjEA|PuTTY-User-Key-File-|Private-Lines:`) // the second is how OpenSSH's body begins
	webToken   = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.`)
	otpLink    = regexp.MustCompile(`(?i)otpauth://`)
	guid       = regexp.MustCompile(`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`)
	spokenPIN  = regexp.MustCompile(`(?i)\b(?:pin|puk|passcode|kennwort|passwor[td]|combination)\s*(?:code|no\.?|number)?\s*(?:[:=]|\bis\b|\bist\b)?\s*["']?\d{4,12}\b`)
	toldSecret = regexp.MustCompile(`(?i)(?:password|passwort|kennwort|passphrase|passcode|pin|secret|tap|token)\s*[:=]\s*\S|\b(?:password|passwort|kennwort|passphrase|passcode|secret)\s+(?:is|was|ist|lautet)\s+\S*[0-9!@#$%^&*?~+]`)
)

// tellsSecret reports whether a note or a reason goes on to say what a secret is.
// Only in such prose is the form telling; that the PIN is kept apart may be said.
func tellsSecret(f *Field, text string) bool {
	return (f.Key == "note" || f.Key == "reason") && toldSecret.MatchString(text)
}

// secretIn returns what kind of secret a text holds, or nothing.
func secretIn(text string) string {
	switch {
	case ageKey.MatchString(text):
		return "a secret key of age"
	case privateKey.MatchString(text):
		return "a private key"
	case webToken.MatchString(text):
		return "an access token"
	case otpLink.MatchString(text):
		return "the seed of one-time passwords"
	case spokenPIN.MatchString(text):
		return "a PIN or combination"
	}
	return ""
}

// secretKeys are names under which people write secrets, in lower case and
// without separators.
var secretKeys = map[string]bool{"password": true, "passwort": true, "kennwort": true, "passphrase": true, "passcode": true, "pin": true, "puk": true,
	"secret": true, "tap": true, "otp": true, "totp": true, "seed": true, "privatekey": true, "recoverycode": true, "recoverycodes": true,
	"clientsecret": true, "apikey": true, "accesstoken": true, "refreshtoken": true, "combination": true}

func isSecretKey(key string) bool {
	return secretKeys[strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(key))]
}

// mentionsSecret is weaker: it asks only when no known key is near.
func mentionsSecret(key string) bool {
	key = strings.ToLower(key)
	for _, part := range []string{"password", "secret", "passphrase", "privatekey", "pincode"} {
		if strings.Contains(key, part) {
			return true
		}
	}
	return false
}

// randomLeast is the length from which a word can be told from a serial number.
const randomLeast = 20

// randomIn reports whether a text holds a word that looks made by chance: long,
// of many kinds of letters that do not form words. GUIDs, hashes in hexadecimal
// digits, addresses, paths and the names of policies are none.
func randomIn(text string) bool {
	for word := range strings.FieldsSeq(guid.ReplaceAllString(text, "")) {
		if strings.Contains(word, "://") {
			for piece := range strings.FieldsFuncSeq(word, func(r rune) bool { return strings.ContainsRune("/?&=#:", r) }) {
				if isRandom(piece) {
					return true
				}
			}
		} else if isRandom(word) {
			return true
		}
	}
	return false
}

func isRandom(word string) bool {
	if utf8.RuneCountInString(word) < randomLeast || strings.Trim(word, "0123456789abcdefABCDEF-:{}(),;.") == "" {
		return false
	}
	kinds := map[kindOfLetter]bool{}
	for _, r := range word {
		kinds[kindOf(r)] = true
	}
	total, inWords := 0, 0
	for _, r := range runs(word) {
		total += r.length
		if r.readable() {
			inWords += r.length
		}
	}
	return len(kinds) >= 3 && inWords*100 < total*55
}

type kindOfLetter int

const (
	lower kindOfLetter = iota
	upper
	digit
	other // marks; letters without case
)

func kindOf(r rune) kindOfLetter {
	switch {
	case unicode.IsDigit(r):
		return digit
	case unicode.IsUpper(r):
		return upper
	case unicode.IsLetter(r):
		return lower
	}
	return other
}

type run struct {
	kind   kindOfLetter
	length int
}

// readable: a run of letters as in words, or of digits as in a date.
func (r run) readable() bool { return r.length >= 3 && r.kind != other || r.length >= 4 }

// runs cuts a word where the kind of its letters changes. A capital that begins a
// word belongs to it.
func runs(word string) []run {
	var out []run
	for _, r := range word {
		kind := kindOf(r)
		last := len(out) - 1
		switch {
		case last >= 0 && out[last].kind == kind:
			out[last].length++
		case last >= 0 && out[last] == (run{upper, 1}) && kind == lower:
			out[last] = run{lower, 2}
		default:
			out = append(out, run{kind, 1})
		}
	}
	return out
}
