package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// consents has a person at a terminal say that they have read what they sign: a key
// without a passphrase would sign at once. A script has read it elsewhere.
func (c *console) consents(as string) error {
	if !c.answers() {
		return nil
	}
	fmt.Fprintf(c.stderr, "\nSign this as %s? Type yes: ", escape(custody.Visible(as))) // what counts is the answer
	line, err := c.readLine()
	switch {
	case interrupted(err):
		return &interruption{"nothing was signed, and the request waits as before", "read it, and give the command again"}
	case err != nil || strings.TrimSpace(line) != "yes":
		return &fault{exitFailed, errors.New("approve: you did not say yes, and nothing was signed"), "read it, and give the command again"}
	}
	return nil
}

// showText shows what is about to be signed: the sentence of the text, and the request.
func (c *console) showText(text []byte) {
	p := c.page(c.stderr)
	_, rest, _ := strings.Cut(string(text), "\n")
	sentence, _, _ := strings.Cut(rest, "\n")
	p.line(2, 2, sentence)
	p.askedFor(string(text))
	fmt.Fprint(c.stderr, p.b.String()) // for people; what counts comes after it
}

// askedColumn is where the values of a request stand.
const askedColumn = 12

// leftUnsaid are the words of a signed text that tell nothing to whoever decides: which
// log it is for, digests, and times of the signature. What was asked is compared with
// them by the program; request show --format canonical and approve --text-out have
// them.
var leftUnsaid = map[string]bool{"store": true, "made": true, "register": true, "signed": true, "request": true}

// renamed are words of a signed text as people read them here.
var renamed = map[string]string{"by": "asked by", "expires": "until", "person": "you are"}

// askedFor shows a text that people sign: what would be done, in the lines that say
// what changes, why, who asks, until when. Every other detail is told as it stands.
func (p *page) askedFor(text string) {
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimRight(line, "\n"), " ")
		rest = strings.TrimSpace(rest)
		switch {
		case leftUnsaid[word] || rest == "" || !strings.HasPrefix(line, fmt.Sprintf("%-9s ", word)):
		case word == "details":
			p.details(rest)
		case word == "expires":
			p.asked(renamed[word], utcMinute(rest))
		case renamed[word] != "":
			p.asked(renamed[word], rest)
		default:
			p.asked(word, rest)
		}
	}
}

// utcMinute is a time of a signed text as people read it.
func utcMinute(text string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.UTC().Format("2006-01-02 15:04") + " UTC"
}

// asked writes one word of a request and what it says.
func (p *page) asked(word, text string) {
	p.b.WriteString("  " + fmt.Sprintf("%-*s", askedColumn-2, escape(word)) + wrap(escape(text), p.columns-askedColumn, strings.Repeat(" ", askedColumn)) + "\n")
}

// toldByChanges are the details that are told by the lines of changes: digests of before and
// after, and the people whom the changes name.
var toldByChanges = map[string]bool{"from": true, "to": true, "holders": true, "receivers": true}

// detailWords are the words for details that have their own place.
var detailWords = map[string]string{"changes": "change", "notes": "warning", "alone": "warning", "beware": "warning", "marks": "marked"}

// details shows the details of a request, one line of JSON: first what changes, last
// what to beware of.
func (p *page) details(text string) {
	var fields map[string]any
	if json.Unmarshal([]byte(text), &fields) != nil {
		p.asked("details", text)
		return
	}
	rank := map[string]int{"changes": -1, "alone": 1, "beware": 1, "notes": 2, "marks": 3}
	keys := slices.SortedFunc(maps.Keys(fields), func(a, b string) int {
		if rank[a] != rank[b] {
			return rank[a] - rank[b]
		}
		return strings.Compare(a, b)
	})
	_, changes := fields["changes"]
	first := true // of the details that have no place of their own
	for _, key := range keys {
		if changes && toldByChanges[key] {
			continue
		}
		list, is := fields[key].([]any)
		if !is {
			list = []any{fields[key]}
		}
		for _, one := range list {
			word, said := detailWords[key], custody.Visible(detail(one))
			if word == "" { // under its own name it could pass for a line of the request
				word, said, first = ifElse(first, "details", ""), custody.Visible(key)+": "+said, false
			}
			p.asked(word, said)
		}
	}
}

// showRequest tells where a request stands, in the lines that approvers read.
func (c *console) showRequest(reg *register.Register, r *app.RequestReport) error {
	p := c.page(c.stdout)
	p.styled(0, 2, bold, "Request "+shortDigest(r.Hash), "– "+requestState(r))
	shown := r.Request.Shown()
	p.askedFor(shown.Text)
	for _, odd := range shown.Odd {
		p.asked("warning", odd)
	}
	for _, w := range append(append([]string{}, r.Refused...), r.Warnings...) {
		p.asked("warning", w)
	}
	if !strings.Contains(string(r.Request.Details), `"changes":`) && r.Proposal != "" {
		p.asked("brings", custody.Visible(r.Proposal))
	}
	p.asked("asked on", r.Request.Made.UTC().Format("2006-01-02 15:04")+" UTC")
	p.asked("approved", ifElse(len(r.Approved) > 0, "by "+custody.Visible(strings.Join(r.Approved, ", ")), "by nobody yet"))
	p.missing(reg, r)
	if len(r.Marks) > 0 {
		p.asked("marked", strings.Join(r.Marks, "; "))
	}
	next := map[app.RequestState]string{
		app.RequestOpen:    "halligan approve " + shortDigest(r.Hash) + " --as NAME --key FILE",
		app.RequestReady:   app.NextStep(r.Request),
		app.RequestExpired: "ask anew: it can no longer be approved",
		app.RequestRefused: "ask anew: it can no longer be used",
	}[r.State]
	if next != "" {
		p.asked("next", next)
	}
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}

// quoteName is a name as it stands in a command.
func quoteName(name string) string { return `"` + custody.Visible(name) + `"` }

// requestState is where a request stands, in words.
func requestState(r *app.RequestReport) string {
	switch r.State {
	case app.RequestOpen:
		return fmt.Sprintf("open, %d of %d approved", len(r.Approved), r.Needed)
	case app.RequestReady:
		return "approved, not carried out"
	case app.RequestUsed:
		return "carried out, entry " + number(*r.Used)
	case app.RequestRefused, app.RequestOvertaken:
		return "no longer good: " + r.Why
	}
	return string(r.State)
}

// missing says what an open request still takes, and who could give it.
func (p *page) missing(reg *register.Register, r *app.RequestReport) {
	if r.State != app.RequestOpen {
		return
	}
	if n := r.Needed - len(r.Approved); n > 0 {
		text := plural(n, "approval", "approvals")
		var can []string
		for i := range reg.Or().People {
			one := &reg.Or().People[i]
			alone := reg.Or().Quorum.People == 1
			switch {
			case !custody.May(one, custody.VerbApprove) || one.Signing == "" && one.Passkey.CredentialID == "":
			case register.SamePerson(one.Name, r.Request.By) && !alone:
			case slices.ContainsFunc(r.Approved, func(name string) bool { return register.SamePerson(name, one.Name) }):
			default:
				can = append(can, custody.Visible(one.Name))
			}
		}
		p.asked("missing", text+ifElse(len(can) > 0, ", from "+strings.Join(can, " or "), ": nobody else in the register may approve and has a key"))
	}
	for _, name := range r.Unsigned {
		p.asked("missing", "the signature of "+custody.Visible(name)+", who receives")
	}
	for _, name := range r.Holders {
		p.asked("receipt", custody.Visible(name)+" is to hold it, and should sign before the last approval: halligan approve "+shortDigest(r.Hash)+" --as "+quoteName(name)+" --key FILE")
	}
}
