package seal

import (
	"fmt"
	"strings"
	"time"
)

// guide is the page OPEN.txt: how to open this file with other people's tools.
func guide(m *Manifest) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "HOW TO OPEN THIS WITHOUT HALLIGAN\n\n%s: %s. Set %s, made %s.\n", m.Label, m.What, m.Set, m.Made.Format(time.DateOnly))
	if m.Seal != "" {
		fmt.Fprintf(&b, "Seal number %s.\n", m.Seal)
	}
	fmt.Fprintf(&b, "It takes %d of these people:\n", m.Need)
	for _, h := range m.Holders {
		fmt.Fprintf(&b, "  %d  %s (%s)\n", h.Number, h.Name, holds[h.Kind])
	}
	if len(m.Call) > 0 {
		b.WriteString("\nTell these people that you open it:\n")
		for _, c := range m.Call {
			fmt.Fprintf(&b, "  %s\n", c)
		}
	}
	fmt.Fprintf(&b, `
Work on a machine that you trust, with nobody looking on, and write nothing to a disk.
You need %s (https://age-encryption.org; Debian and Ubuntu: apt install age).

1. Unpack the archive:       python3 -m zipfile -e THIS-FILE folder; cd folder
   or with:                  unzip THIS-FILE -d folder
2. Is all of it as it was?   sha256sum -c SHA256SUMS
`, m.Opens)
	ruleOf(m.Form).guide(m, &b)
	b.WriteString(`
What comes out begins with HALLIGAN SEALED 1 and names the account to sign in with. The secret
is what stands behind the line "secret:".

Write down who opened it, when and why: opened so, it leaves no other record than the
broken seal. Afterwards the secret must be changed and sealed anew.
`)
	return []byte(b.String())
}

// holds is what people have of each kind.
var holds = map[Kind]string{KindAge: "a key file of age", KindHybrid: "a post-quantum key file of age", KindSSH: "an SSH key", KindPlugin: "a key that a plugin of age uses, such as a YubiKey", KindPaper: "a page of paper"}

func pairGuide(m *Manifest, b *strings.Builder) {
	b.WriteString("3. Take the line of the two people who are here. Each gives their key file in place of its name:\n")
	for _, p := range m.Pairs {
		fmt.Fprintf(b, "   age -d -i KEY-%d %s | age -d -i KEY-%d\n", p.Second, p.File, p.First)
	}
	b.WriteString("   KEY-1 is the key file of person 1, and so on.\n")
}

func sharesGuide(m *Manifest, b *strings.Builder) {
	b.WriteString("3. Who has a key file gets their share out of the file with their name. It is a secret:\n")
	for _, h := range m.Holders {
		if h.File != "" {
			fmt.Fprintf(b, "   age -d -i KEY-%d %s\n", h.Number, h.File)
		}
	}
	fmt.Fprintf(b, `   Who has a page types the words that stand on it, or scans the QR code.
4. Put %d shares together and open the secret; the first program asks for the shares:
   python3 combine.py | age -d -i - %s
   Shares may also be files: python3 combine.py FILE... | age -d -i - %s
   In bash a share need not become a file: python3 combine.py <(age -d -i KEY-1 FILE) | ...
`, m.Need, secretName, secretName)
}

func halvesGuide(m *Manifest, b *strings.Builder) {
	b.WriteString("3. The password is half 1 and, right behind it, half 2. Each types their own and shows it to nobody:\n")
	for _, h := range m.Holders {
		how := "on paper"
		if h.File != "" {
			how = fmt.Sprintf("age -d -i KEY-%d %s", h.Number, h.File)
		}
		fmt.Fprintf(b, "   half %d, %s: %s\n", h.Half, h.Name, how)
	}
}
