package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/internal/print"
	"halligan/seal"
)

// envelopeFlags are how papers are printed as envelopes.
type envelopeFlags struct {
	form, paper string
	fonts       []string
	how         *printing // nil: no envelopes
}

func (f *envelopeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.form, "envelopes", "", "`FORM` of envelopes, with --papers-to-stdout: pdf, html; all papers in one document")
	flags.StringVar(&f.paper, "paper", string(print.A4), "`SIZE` of the envelopes: a4, letter")
	flags.StringArrayVar(&f.fonts, "font", nil, "TrueType `FILE` (.ttf) with letters that the built-in font lacks, for the envelopes; repeatable")
}

// envelopes resolves the flags.
func (c *console) envelopes(f *sealFlags) (err error) {
	e := &f.envelopes
	if e.form == "" {
		return nil
	}
	if !f.papersToStdout {
		return misused("for example --papers-to-stdout --envelopes pdf | lp", "--envelopes goes with --papers-to-stdout")
	}
	if err := oneOf("envelopes", e.form, "pdf", "html"); err != nil {
		return err
	}
	if isTerminal(c.stdout) {
		return misused("send it to a printer: --papers-to-stdout --envelopes pdf | lp", "envelopes are nothing for a terminal")
	}
	e.how, err = c.paper(&paperFlags{format: e.form, paper: e.paper, output: "-", fonts: e.fonts})
	return err
}

// envelopesOf are the papers of a set, each as an envelope.
func envelopesOf(m *seal.Manifest, numbers map[string]string, papers []seal.Paper) []*print.Envelope {
	var all []*print.Envelope
	for _, p := range papers {
		e := &print.Envelope{Account: m.Label, Part: fmt.Sprintf("share %d of %d", p.Number, len(m.Holders)), Holder: p.Holder, Seal: numbers[p.Holder],
			Rule: ruleOfSet(m), Form: m.Opens, Set: m.Set, Date: m.Made, QR: p.QR, Words: p.Words}
		if p.Half > 0 {
			e.Part, e.Words = fmt.Sprintf("half %d", p.Half), p.QR
			e.Typing = "Type it exactly so; capitals count, and nothing checks it. The number before a row is not part of it. The password is half 1 and, right behind it without a blank, half 2."
		}
		all = append(all, e)
	}
	return all
}

// ruleOfSet says by whom together a set is opened.
func ruleOfSet(m *seal.Manifest) string {
	names := func(half int) string {
		var out []string
		for _, h := range m.Holders {
			if h.Half == half {
				out = append(out, h.Name)
			}
		}
		return strings.Join(out, " or ")
	}
	const when = ", in an emergency or a drill that was approved."
	if m.Form == seal.FormHalves {
		return "by " + names(1) + " with half 1 and " + names(2) + " with half 2, together" + when
	}
	return fmt.Sprintf("by any %d of %s, together", m.Need, strings.ReplaceAll(names(0), " or ", ", ")) + when
}

// writeEnvelopes writes all papers as one document. Nothing of it is kept.
func (c *console) writeEnvelopes(how *printing, m *seal.Manifest, numbers map[string]string, papers []seal.Paper) error {
	var out bytes.Buffer
	defer func() { clear(out.Bytes()) }()
	spelled, err := how.form.Write(print.Envelopes(envelopesOf(m, numbers, papers)), &out, how.options)
	if err != nil {
		return err
	}
	if spelled != "" {
		c.say("warning:", yellow, "the fonts have no picture for "+spelled+"; it stands there as its number")
	}
	_, err = c.stdout.Write(out.Bytes())
	return err
}

// tryEnvelopes prints the envelopes of a task to nowhere, with something else in place
// of the secret: a name that cannot be printed is told while the request is still good.
func tryEnvelopes(how *printing, t *app.SealTask) error {
	m := &seal.Manifest{Set: strings.Repeat("0", 16), Form: t.Form, Need: t.Need, Label: t.Label, Seal: t.Seal, Opens: "age", Holders: t.Holders, Made: time.Unix(0, 0)}
	var papers []seal.Paper
	for _, h := range t.Holders {
		if h.Kind == seal.KindPaper {
			papers = append(papers, seal.Paper{Holder: h.Name, Set: m.Set, Number: h.Number, Half: h.Half, QR: custody.NewSecret([]byte("0"))})
		}
	}
	if len(papers) == 0 {
		return nil
	}
	_, err := how.form.Write(print.Envelopes(envelopesOf(m, t.Seals, papers)), io.Discard, how.options)
	if err != nil {
		return fmt.Errorf("print the envelopes: %w", err)
	}
	return nil
}

// printable asks for the secrets of a task and refuses halves that cannot be printed
// as they are, before the request is used. The error does not say which letter it is.
func printable(how *printing, ask func(context.Context, *app.SealTask) ([]custody.Secret, error)) func(context.Context, *app.SealTask) ([]custody.Secret, error) {
	if how == nil {
		return ask
	}
	return func(ctx context.Context, t *app.SealTask) ([]custody.Secret, error) {
		secrets, err := ask(ctx, t)
		if err != nil || t.Form != seal.FormHalves {
			return secrets, err
		}
		for _, s := range secrets {
			one := &print.Document{Title: "x", Blocks: []print.Block{print.Code{Content: s, Size: 60}, print.Rows{Lines: s}}}
			if spelled, err := how.form.Write(one, io.Discard, how.options); err == nil && spelled == "" {
				continue
			}
			for _, s := range secrets {
				s.Wipe()
			}
			return nil, &fault{exitFailed, errors.New("print the envelopes: a half is too long, or has a letter that cannot be printed"), "give a font that has it (--font), or --envelopes html, or leave --envelopes out; nothing was sealed, and the request stays approved"}
		}
		return secrets, nil
	}
}
