package app

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"filippo.io/age"

	"halligan/examples"
	"halligan/lockout"
	"halligan/seal"
)

// DemoStep is one line of an act that does something.
type DemoStep struct {
	Does, Tells string
}

// demoHolders are the three for whom the demo seals; the second is lost.
var demoHolders = []string{"Ana Ribeiro", "Ben Okoro", "Chiara Neri"}

// demoSeal seals a password for three people, loses one of them, and opens it with
// the two that are left. The keys are made for it and forgotten with it; nothing is
// written anywhere.
func demoSeal(now lockout.Date) (*Act, error) {
	day, err := time.Parse(time.DateOnly, string(now))
	if err != nil {
		return nil, err
	}
	combine, err := examples.Combiner()
	if err != nil {
		return nil, err
	}
	plan := &seal.Plan{Form: seal.FormShares, Need: 2, Account: demoNorth, Label: "account 1", What: "the password", Made: day, Combine: combine}
	var keys []seal.Key
	for _, name := range demoHolders {
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		public := identity.Recipient().String()
		plan.Holders = append(plan.Holders, seal.To{Name: name, Key: public, Recipient: identity.Recipient()})
		keys = append(keys, seal.Key{From: "the key of " + name, Identity: identity, Public: public})
	}
	secret, err := seal.Make(rand.Reader, &seal.Alphabets[0], 32)
	if err != nil {
		return nil, err
	}
	defer clear(secret.Reveal())
	sealed, err := seal.Seal(rand.Reader, plan, secret)
	if err != nil {
		return nil, err
	}
	file, err := seal.Parse(sealed.Bytes)
	if err != nil {
		return nil, err
	}
	if _, err = seal.Open(file, keys[:1], nil); !errors.Is(err, seal.ReasonTooFew) {
		return nil, fmt.Errorf("one of three opened it alone: %v", err)
	}
	alone := err.Error()
	left := []seal.Key{keys[0], keys[2]}
	opened, err := seal.Open(file, left, nil)
	if err != nil {
		return nil, err
	}
	defer opened.Wipe()
	if string(opened.Secret.Reveal()) != string(secret.Reveal()) || opened.Account != demoNorth {
		return nil, errors.New("what was opened is not what was sealed")
	}
	return &Act{Title: "A password for three, and one of them is gone", Tells: "It is sealed so that any two open it and nobody alone. It takes no network and no server, and not even this program.",
		Command: "halligan request seal --account " + demoNorth + " --need 2 --holder '" + strings.Join(demoHolders, "' --holder '") + "' --make 32 …",
		Steps: []DemoStep{
			{"Sealed", fmt.Sprintf("for %s: any 2. %d kB, with a page and a program to open it without Halligan", strings.Join(demoHolders, ", "), (len(sealed.Bytes)+999)/1000)},
			{demoHolders[0] + " alone", "refused: " + alone},
			{demoHolders[1], "has left, with the key"},
			{demoHolders[0] + " with " + demoHolders[2], "opened: the password of " + opened.Account + ", the same as was sealed"},
		}}, nil
}
