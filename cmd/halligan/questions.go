package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"halligan/entra"
	"halligan/register"
)

// question asks for one value that no flag gave, or not well.
type question struct {
	flag     string // as people give it: --kind, or PART
	to       *string
	question string
	asked    func() bool // nil: always; never asked, it is held to check all the same
	// check says why an answer cannot be taken, with a hint, and how it is written; nil
	// takes any.
	check func(given string) (string, error)
	must  string // why there must be an answer; "" none is an answer, too
}

// never is for what is not asked for.
func never() bool { return false }

// asking is for what questions are asked, and what is so when somebody gives up.
type asking struct {
	doing string // ask for the part
	so    string // what is so after Ctrl-C
	hint  string // where nobody answers
}

// wrong checks what stands there, and writes it as it is known.
func (q *question) wrong() error {
	if *q.to == "" || q.check == nil {
		return nil
	}
	known, err := q.check(*q.to)
	if err == nil {
		*q.to = known
	}
	return err
}

// fillIn holds what was given to what there is. On a terminal it asks for what is
// missing, and once more for what cannot be, with the near name; elsewhere it says
// all that is wrong at once.
func (c *console) fillIn(a asking, questions []question) error {
	type fail struct{ flag, text, hint string }
	var wrong []fail
	missing := func(q *question) bool { return *q.to == "" && (q.asked == nil || q.asked()) }
	for i := range questions {
		q := &questions[i]
		err := q.wrong()
		switch {
		case err != nil && c.answers() && q.question != "":
			c.notTaken(q.flag, err)
			*q.to = ""
		case err != nil:
			wrong = append(wrong, fail{q.flag + ": ", err.Error(), hintOf(err)})
			*q.to = ""
		case !c.answers() && q.must != "" && missing(q):
			wrong = append(wrong, fail{"", q.must, "give " + q.flag})
		}
	}
	var texts, hints []string
	for _, w := range wrong {
		if len(wrong) == 1 {
			w.flag = "" // nothing to be told apart
		}
		texts, hints = append(texts, w.flag+w.text), append(hints, w.flag+w.hint)
	}
	if len(wrong) > 0 {
		return misused(strings.Join(hints, "\n"), "%s", strings.Join(texts, "\n"))
	}
	if !c.answers() {
		return nil
	}
	for i := range questions {
		for again := missing(&questions[i]); again; {
			var err error
			if again, err = c.answer(a, &questions[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer asks once. What cannot be taken is told, and has to be asked for again.
func (c *console) answer(a asking, q *question) (again bool, err error) {
	if _, err := fmt.Fprint(c.stderr, q.question+" "); err != nil {
		return false, err
	}
	line, err := c.readLine()
	switch {
	case interrupted(err):
		return false, &interruption{a.so, "give the command again"}
	case err != nil:
		return false, &fault{exitFailed, errors.New(a.doing + ": nobody answered"), a.hint}
	}
	*q.to = strings.TrimSpace(line)
	if err := q.wrong(); err != nil {
		c.notTaken("", err)
		*q.to = ""
		return true, nil
	}
	if *q.to == "" && q.must != "" {
		c.say("error:", red, q.must)
		return true, nil
	}
	return false, nil
}

// notTaken says at a terminal why an answer or a flag was not taken.
func (c *console) notTaken(flag string, err error) {
	text := err.Error()
	if flag != "" {
		text = flag + ": " + text
	}
	c.say("error:", red, text)
	if hint := hintOf(err); hint != "" {
		c.say("hint:", yellow, hint)
	}
}

// The checks of what can be named.

func oneOfThem(what string, possible []string) func(string) (string, error) {
	return func(given string) (string, error) {
		word := strings.ToLower(given)
		return word, oneOf(what, word, possible...)
	}
}

func aDay(given string) (string, error) {
	if !register.Day(given).IsDay() {
		return "", misused("write a day as 2026-12-31", "no day %q", given)
	}
	return given, nil
}

// personIn finds people of a register.
func personIn(r *register.Register) func(string) (string, error) {
	return func(given string) (string, error) {
		if p := r.Person(given); p != nil {
			return p.Name, nil
		}
		var names []string
		for _, p := range r.Or().People {
			names = append(names, p.Name)
		}
		return "", misused(suggest(given, names, "people of the register: "+cmp.Or(listOf(names), "nobody; halligan person add")), "nobody in the register is called %q", given)
	}
}

// placeIn finds places of a register.
func placeIn(r *register.Register) func(string) (string, error) {
	return func(given string) (string, error) {
		if p := r.Place(given); p != nil {
			return p.Name, nil
		}
		var names []string
		for _, p := range r.Or().Places {
			if strings.EqualFold(p.Name, given) {
				return p.Name, nil
			}
			names = append(names, p.Name)
		}
		return "", misused(suggest(given, names, "places of the register: "+cmp.Or(listOf(names), "none; halligan custody place")), "no place of the register is called %q", given)
	}
}

// accountIn finds accounts of a register.
func accountIn(r *register.Register) func(string) (string, error) {
	return func(given string) (string, error) {
		_, err := accountNamed(r, given)
		return given, err
	}
}

// partIn finds parts of a register.
func partIn(r *register.Register) func(string) (string, error) {
	return func(given string) (string, error) {
		i, err := r.FindPart(given)
		if err != nil {
			return "", err
		}
		return r.PartNames()[i], nil
	}
}

// keyOf finds a key of the account that was named. Of an account whose keys are not
// written down, anything may be one.
func keyOf(r *register.Register, account *string) func(string) (string, error) {
	return func(given string) (string, error) {
		a, err := accountNamed(r, *account)
		if err != nil || len(a.Keys) == 0 {
			return given, nil
		}
		var names []string
		for _, k := range a.Keys {
			for _, name := range []string{k.Label, k.Serial, k.ID} {
				if name == given {
					return given, nil
				}
			}
			names = append(names, cmp.Or(k.Label, k.Serial, k.ID))
		}
		return "", misused(suggest(given, names, "its keys in the register: "+listOf(names)), "the account has no key %q", given)
	}
}

// mostListed is how many names a hint lists.
const mostListed = 12

func listOf(names []string) string {
	if n := len(names) - mostListed; n > 0 {
		return strings.Join(names[:mostListed], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return strings.Join(names, ", ")
}

// accountNamed finds an account of the register by id or name.
func accountNamed(r *register.Register, given string) (*register.Account, error) {
	var names []string
	for i := range r.Accounts {
		if a := &r.Accounts[i]; a.ID.Equal(entra.ID(given)) || a.Name != "" && strings.EqualFold(a.Name, given) {
			return a, nil
		}
		names = append(names, cmp.Or(r.Accounts[i].Name, string(r.Accounts[i].ID)))
	}
	all := "the register has no account: write accounts: into halligan.yaml"
	if len(names) > 0 {
		all = "accounts of the register: " + strings.Join(names, ", ")
	}
	return nil, misused(suggest(given, names, all), "no account %q in the register", given)
}

// whoAsks are the questions for who asks and why.
func whoAsks(f *askFlags, r *register.Register) []question {
	return []question{
		{flag: "--by", to: &f.by, question: "Who are you: your name in the register?", check: personIn(r), must: "who asks? A request needs a name of the register"},
		{flag: "--why", to: &f.why, question: "Why? Those who approve read it:", must: "why? Those who approve must know"},
	}
}

// canSign refuses a request that could not be signed, or never approved, before
// anything else is asked for.
func (c *console) canSign(f *askFlags) error {
	switch {
	case f.key != "":
		if _, err := readSome(f.key); err != nil {
			return &fault{exitFailed, fmt.Errorf("read the key: %v", err), nearName(f.key, "--key takes the file of your SSH key")}
		}
	case !f.passkey && f.by != "":
		return twoOthers(f.register, f.by)
	}
	return nil
}
