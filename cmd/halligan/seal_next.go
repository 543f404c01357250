package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// keepingKinds are the kinds under which the holders of each form have their part.
var keepingKinds = map[seal.Form]register.PartKind{seal.FormPair: register.PartShare, seal.FormShares: register.PartShare, seal.FormHalves: register.PartPasswordHalf}

// commandsToKeep are the commands that write down where a sealed file and the parts of its
// holders lie, with everything that is known here.
func commandsToKeep(m *seal.Manifest, t *app.SealTask, put string) []string {
	add := func(name string, kind register.PartKind, rest string) string {
		return "halligan custody add " + posixQuoted(name) + " --kind " + string(kind) + " --account " + posixQuoted(t.Account) + " --set " + m.Set + rest + " --by NAME --why TEXT --key FILE"
	}
	place := func(known string) string { return " --place " + ifElse(known == "", "PLACE", posixQuoted(known)) }
	number := ifElse(m.Seal == "", "", " --seal "+posixQuoted(m.Seal))
	var out []string
	byKey := func(h seal.Holder) bool { return h.Kind != seal.KindPaper }
	if m.Form != seal.FormHalves || slices.ContainsFunc(m.Holders, byKey) { // a half on paper needs no file
		out = append(out, add(m.Label+" sealed "+m.Set[:4], register.PartPassword, place(put)+number))
	}
	for _, h := range m.Holders {
		kind := keepingKinds[m.Form]
		what := ifElse(h.Half > 0, "half "+strconv.Itoa(h.Half), "share "+strconv.Itoa(h.Number))
		needed := ifElse(kind == register.PartShare, " --needed "+strconv.Itoa(m.Need), "")
		out = append(out, add(m.Label+" "+what+" "+m.Set[:4]+" "+h.Name, kind, needed+" --holder "+posixQuoted(h.Name)+place("")+ifElse(t.Seals[h.Name] == "", "", " --seal "+posixQuoted(t.Seals[h.Name]))))
	}
	return out
}

// setIt says what opens nothing yet: a secret that was made, and that nobody was shown,
// is set nowhere.
func (p *page) setIt(f *sealFlags, done *app.SealDone) {
	t := done.Task
	if t.Make == nil || len(t.Voids()) > len(t.Replaces) { // typed, or the one that was sealed before
		return
	}
	old := ""
	if len(t.Replaces) > 0 {
		old = "; until then the old secret does"
	}
	if f.show || f.secretToStdout {
		p.line(0, 2, "First: see that "+t.What+" which was just made is set for "+t.Account+". Until it is, it opens nothing"+old+".")
		p.blank()
		return
	}
	p.line(0, 2, "First: set "+t.What+" for "+t.Account+" in Entra, today. It was made here, and nobody has set it or seen it: until it is set it opens nothing"+old+". "+plural(done.Sealed.Manifest.Need, "holder opens", "holders open")+" the file and set what it shows (another time, --show gives it out while it is sealed):")
	p.b.WriteString("  " + escape("halligan open "+posixQuoted(f.out)+" -i KEY "+ifElse(t.Form == seal.FormShares && t.Papers > 0, "--share -", "-i KEY")) + "\n")
	p.b.WriteString("  " + escape("Connect-MgGraph -Scopes User-PasswordProfile.ReadWrite.All") + "\n")
	p.b.WriteString("  " + escape("Update-MgUser -UserId "+posixQuoted(t.Account)+" -PasswordProfile @{ Password = (Read-Host -MaskInput); ForceChangePasswordNextSignIn = $false }") + "\n")
	p.line(2, 2, "Then sign in with it once.")
	p.blank()
}

// tellKeeping says what comes next after sealing: until it is written down where the
// parts lie, nobody can say what survives.
func (c *console) tellKeeping(to io.Writer, f *sealFlags, done *app.SealDone) error {
	if done.Sealed == nil || done.Task == nil {
		return nil
	}
	p := c.page(to)
	p.blank()
	if m := done.Sealed.Manifest; done.Task.Papers > 0 && !f.papersToStdout || f.show { // the screen was cleared since
		p.styled(0, 2, bold, "Sealed", "in "+f.out+"; set "+m.Set)
		p.line(2, 4, "SHA-256, for the binder: "+strings.TrimPrefix(done.Sealed.Digest, "sha256:"))
		p.blank()
	}
	p.setIt(f, done)
	p.line(0, 2, "Next: write down where the file and the part of each person lie (whoever opens it by a key has a part, too: where the key lies). Each is a request that others approve:")
	for _, command := range commandsToKeep(done.Sealed.Manifest, done.Task, f.put) {
		p.b.WriteString("  " + escape(command) + "\n") // on one line, to be copied
	}
	_, err := fmt.Fprint(to, p.b.String())
	return err
}
