package evidence

import "golang.org/x/mod/sumdb/note"

// Steps is the number of comparisons that Verify makes.
const Steps = int(steps)

// StepNames are for messages of tests.
var StepNames = []string{"folder", "hash", "cut entries", "cut hashes", "index", "form", "origin", "ascending", "signers", "signature",
	"root", "key chain", "key sealed", "unreached", "covered", "trust", "outside signature", "outside root", "rolled back"}

// Without returns options under which Verify leaves out one comparison.
func (o VerifyOptions) Without(i int) VerifyOptions {
	o.without |= 1 << i
	return o
}

// Remembering returns options under which the same signature is judged once.
func (o VerifyOptions) Remembering() VerifyOptions {
	seen := map[string]bool{}
	o.check = func(v note.Verifier, text, signature []byte) bool {
		id := v.Name() + string(text) + string(signature)
		good, known := seen[id]
		if !known {
			good = v.Verify(text, signature)
			seen[id] = good
		}
		return good
	}
	return o
}
