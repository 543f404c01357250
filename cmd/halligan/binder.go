package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/internal/app"
	"halligan/internal/print"
	"halligan/register"
)

// paperFlags are how something is put on paper.
type paperFlags struct {
	format, paper, output string
	fonts                 []string
}

func (f *paperFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "`FORM`: pdf, html (default: by the name of the file, else pdf)")
	flags.StringVar(&f.paper, "paper", string(print.A4), "`SIZE`: a4, letter")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write to, for you alone to read; - is stdout (default: stdout, unless it is a terminal)")
	flags.StringArrayVar(&f.fonts, "font", nil, "TrueType `FILE` (.ttf) with letters that the built-in font lacks, such as Chinese ones; repeatable")
	complete(cmd, "format", "pdf", "html")
	complete(cmd, "paper", "a4", "letter")
}

func binderCommand(c *console) *cobra.Command {
	var registerPath string
	var card bool
	var paper paperFlags
	var record recordFlags
	cmd := &cobra.Command{
		Use:   "binder",
		Short: "print the emergency binder, or the card of the first ten minutes",
		Long: `Print what must be on paper: who decides, whom to call, where each part lies and under which seal, a runbook for each
scenario, how to open a sealed file without Halligan, and lists to be signed at each review. It holds no secret.

Every page says its version and the digest of the register. Where the register is not what was approved, each page says so, and
--record is refused. With --record the print is recorded, and halligan custody verify
tells whether a copy is current. The same register printed on the same day gives the same bytes.`,
		Example: "  halligan binder -o binder.pdf --record\n  halligan binder --card -o card.pdf --paper letter\n  halligan binder --format html -o - | lp",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.binder(cmd.Context(), registerPath, card, &paper, &record)
		},
	}
	cmd.Flags().StringVar(&registerPath, "register", "", "`FILE` of the register (default: "+registerFile+")")
	cmd.Flags().BoolVar(&card, "card", false, "print the card instead: one page, to be kept at hand")
	paper.add(cmd)
	record.add(cmd.Flags())
	return cmd
}

func (c *console) binder(ctx context.Context, registerPath string, card bool, paper *paperFlags, record *recordFlags) error {
	if card && record.on {
		return misused("print the binder with --record; the card has the same version", "--card and --record exclude each other")
	}
	how, err := c.paper(paper)
	if err != nil {
		return err
	}
	r, _, err := requiredRegister(registerPath)
	if err != nil {
		return err
	}
	b, err := c.binderOf(ctx, r, registerPath, record)
	if err != nil {
		return err
	}
	for _, w := range b.Unapproved {
		c.say("warning:", yellow, w)
	}
	switch {
	case record.on && len(b.Unapproved) > 0:
		unapproved := &app.UnapprovedError{What: []string{"a binder that is recorded as current must be approved"}}
		return &fault{exitFailed, fmt.Errorf("record the binder: %w", unapproved), unapproved.Hint()}
	case b.Uncompared != "":
		c.say("warning:", yellow, "the binder was not compared with what was approved: "+b.Uncompared)
	}
	document := b.Document()
	if card {
		document = b.Card()
	}
	var out bytes.Buffer
	spelled, err := how.form.Write(document, &out, how.options)
	if err != nil {
		return err
	}
	if spelled != "" {
		c.say("warning:", yellow, "the fonts have no picture for "+spelled+"; it stands there as its number")
	}
	if err := c.deliverPaper(paper.output, out.Bytes()); err != nil {
		return err
	}
	c.say("printed", bold, fmt.Sprintf("version %s of the register with digest %s", b.Version, b.Digest))
	if !record.on {
		return nil
	}
	printed := app.RecordOfBinder(r, b.Version)
	printed.After = register.DigestOf(out.Bytes())
	return c.record(ctx, registerPath, record, printed)
}

// binderOf makes the binder with the log, where one is begun. Without --record a log
// that does not answer keeps nobody from printing.
func (c *console) binderOf(ctx context.Context, r *register.Register, registerPath string, record *recordFlags) (b *print.Binder, err error) {
	place := record.place
	place.register = registerPath
	plain, err := app.Binder(ctx, r, time.Now())
	if err != nil {
		return nil, err
	}
	if !record.on && r.Tenant.ID == "" && r.Evidence.Store == "" && place.store == "" {
		return plain, nil // there is no place for a log
	}
	a, end, err := c.reading(ctx, &place)
	if err == nil {
		b, err = a.Binder(ctx, plain.Date)
		err = errors.Join(err, end())
	}
	if err == nil && !record.on {
		b.Version = plain.Version + ", not recorded" // a number is of one print alone
	}
	if err == nil || record.on {
		return b, err
	}
	if _, none := errors.AsType[*app.NoStoreError](err); !none {
		c.say("warning:", yellow, "the evidence does not answer, so the version is the day, and the key of the log is missing: "+err.Error())
	}
	return plain, nil
}

// printing is how a document is written.
type printing struct {
	form    *print.Form
	options print.Options
}

// paper resolves the flags.
func (c *console) paper(f *paperFlags) (*printing, error) {
	how := &printing{options: print.Options{Paper: print.Paper(strings.ToLower(f.paper))}}
	if err := oneOf("paper", string(how.options.Paper), string(print.A4), string(print.Letter)); err != nil {
		return nil, err
	}
	var forms []form[*print.Document]
	for i := range print.Forms {
		forms = append(forms, form[*print.Document]{name: print.Forms[i].Name, extensions: []string{print.Forms[i].Extension}})
	}
	named := f.output
	if named == "-" {
		named = ""
	}
	chosen, err := chooseForm(forms, f.format, named)
	if err != nil {
		return nil, err
	}
	for i := range print.Forms {
		if print.Forms[i].Name == chosen.name {
			how.form = &print.Forms[i]
		}
	}
	if isTerminal(c.stdout) && (f.output == "" || f.output == "-" && how.form.Name == "pdf") {
		name := "binder" + how.form.Extension
		return nil, misused("name a file: -o "+name+"; or send it to a printer: -o - | lp", "where to? A terminal cannot show what is printed here (%s)", strings.ToUpper(how.form.Name))
	}
	for _, name := range f.fonts {
		font, err := readFont(name)
		if err != nil {
			return nil, err
		}
		how.options.Fonts = append(how.options.Fonts, font)
	}
	return how, nil
}

// mostOfFont bounds a font; those with every Chinese letter have some 20 MB.
const mostOfFont = 64 << 20

func readFont(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && (info.IsDir() || info.Size() > mostOfFont) {
		err = errors.New("it is no font")
	}
	var font []byte
	if err == nil {
		font, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, &fault{exitFailed, fmt.Errorf("read font: %v", err), "give the path of a .ttf file"}
	}
	return font, nil
}

// deliverPaper writes what goes to a printer: to stdout, or to a file for its owner
// alone.
func (c *console) deliverPaper(path string, data []byte) error {
	if path == "" || path == "-" {
		if _, err := c.stdout.Write(data); err != nil {
			return &fault{exitFailed, fmt.Errorf("write to standard output: %v", err), "whatever reads it has ended; write a file instead: -o FILE"}
		}
		c.say("written", bold, fmt.Sprintf("to standard output, %d bytes, for the program behind the pipe; -o FILE keeps it", len(data)))
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		if info, statErr := file.Stat(); statErr == nil && info.Mode().IsRegular() {
			err = file.Chmod(0o600) // one that was there may be open to others
		}
		if err == nil {
			_, err = file.Write(data)
		}
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return &fault{exitFailed, fmt.Errorf("write %s: %v", path, err), unwritable(path, err)}
	}
	_, err = fmt.Fprintf(c.stderr, "written to %s\n", escape(path))
	return err
}

// unwritable says what to do about a file that cannot be written.
func unwritable(path string, err error) string {
	folder := filepath.Dir(path)
	info, statErr := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the folder " + folder + " is not there: make it, or give a file in a folder that exists"
	case statErr == nil && info.IsDir():
		return "that is a folder: give the name of a file in it, as " + filepath.Join(path, "binder.pdf")
	case statErr == nil && errors.Is(err, fs.ErrPermission):
		return "you may not write over that file: give another name with -o"
	}
	return "nothing can be written in the folder " + folder + ": give a file in another with -o"
}
