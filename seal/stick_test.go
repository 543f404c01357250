package seal_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/examples"
	"halligan/internal/testenv"
	"halligan/seal"
)

var update = flag.Bool("update", false, "rewrite the transcripts; read the difference as code")

// machine is a computer of which a person knows nothing but that it has age and
// Python. Halligan is not there.
type machine struct {
	t    *testing.T
	path string
	dir  string
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t, t.TempDir(), t.TempDir()}
	for _, name := range []string{"bash", "age", "python3", "sha256sum", "realpath", "mktemp", "cat", "rm"} {
		program, err := exec.LookPath(name)
		if err != nil {
			testenv.Missing(t, name+" is not here")
		}
		if name == "python3" { // it may be a script that looks for its like
			where, err := exec.CommandContext(t.Context(), program, "-c", "import sys; print(sys.executable)").Output()
			must(t, err)
			program = strings.TrimSpace(string(where))
		}
		must(t, os.Symlink(program, filepath.Join(m.path, name)))
	}
	return m
}

// file puts a file on the stick.
func (m *machine) file(name string, text []byte) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	must(m.t, os.WriteFile(path, text, 0o600))
	return path
}

// run runs a program of the machine and returns what it said.
func (m *machine) run(stdin string, name string, args ...string) (out, said string, err error) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), filepath.Join(m.path, name), args...)
	cmd.Dir, cmd.Env, cmd.Stdin = m.dir, []string{"PATH=" + m.path, "TMPDIR=" + m.dir}, strings.NewReader(stdin)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// stick is the script for people, on the stick.
func (m *machine) stick() string {
	m.t.Helper()
	text, err := examples.FS().Open("custody/stick.sh")
	must(m.t, err)
	defer text.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(text)
	must(m.t, err)
	return m.file("stick.sh", b.Bytes())
}

var chances, digests = regexp.MustCompile(`\b[0-9a-f]{16}\b`), regexp.MustCompile(`\bsha256:[0-9a-f]{64}\b`)

// transcript compares what a person saw with what is kept.
func transcript(t *testing.T, name, got string) {
	t.Helper()
	got = digests.ReplaceAllString(chances.ReplaceAllString(got, "0123456789abcdef"), "sha256:…")
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// keyFile is a key of age as age-keygen writes it.
func keyFile(p *person) []byte { return []byte("# " + p.name + "\n" + p.private + "\n") }

func TestAPairIsOpenedWithStockAge(t *testing.T) {
	m := newMachine(t)
	ana, ben, carl := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Carl Roe")
	s := sealed(t, plan(t, seal.FormPair, 2, ana, ben, carl), theSecret)
	file := m.file("account.sealed", s.Bytes)
	out, said, err := m.run("", "bash", m.stick(), "pair", file, "pair-1-3-ana-weiss-carl-roe.age", m.file("ana.key", keyFile(ana)), m.file("carl.key", keyFile(carl)))
	if err != nil {
		t.Fatal(err, out, said)
	}
	transcript(t, "stick-pair.txt", out)
	if out, said, err = m.run("", "bash", m.stick(), "pair", file, "pair-1-3-ana-weiss-carl-roe.age", m.file("ana.key", keyFile(ana)), m.file("ben.key", keyFile(ben))); err == nil || strings.Contains(out, theSecret) {
		t.Errorf("ben opened what is for ana and carl: %s %s", out, said)
	}
}

func TestSharesAreOpenedWithStockAgeAndTheSecondCombiner(t *testing.T) {
	m := newMachine(t)
	ana := classic(t, "Ana Weiss")
	s := sealed(t, plan(t, seal.FormShares, 3, ana, onPaper("Ben Ode"), onPaper("Carl Roe"), onPaper("Dora Ek")), theSecret)
	file, words := m.file("account.sealed", s.Bytes), ""
	for _, p := range s.Papers[:2] {
		words += string(p.Words.Reveal()) + "\n"
	}
	// Ana's share comes out of the file with her key; the others type theirs.
	_, _, err := m.run("", "python3", "-m", "zipfile", "-e", file, "unpacked")
	must(t, err)
	share, said, err := m.run("", "age", "-d", "-i", m.file("ana.key", keyFile(ana)), "unpacked/share-1-ana-weiss.age")
	if err != nil {
		t.Fatal(err, said)
	}
	out, said, err := m.run(words, "bash", m.stick(), "shares", file, m.file("ana.share", []byte(share)))
	if err != nil {
		t.Fatal(err, out, said)
	}
	transcript(t, "stick-shares.txt", out+said)
}

// combiner runs combine.py with shares in files.
func (m *machine) combiner(manifest []byte, shares ...custody.Secret) (out, said string, err error) {
	m.t.Helper()
	text, err := examples.Combiner()
	must(m.t, err)
	args := []string{m.file("combine.py", text)}
	if manifest != nil {
		m.file("manifest.json", manifest)
	}
	for i, s := range shares {
		args = append(args, m.file("share"+string(rune('1'+i)), s.Reveal()))
	}
	return m.run("", "python3", args...)
}

// What Python splits, the program combines, and the other way round.
func TestTheTwoCombinersAgree(t *testing.T) {
	m := newMachine(t)
	const splitter = `
import sys, secrets
sys.argv = sys.argv[:1]
sys.stdin = open("/dev/null")
source = open("combine.py").read().replace("main(sys.argv[1:])", "")
exec(source)
key, k, n, set_id, version = secrets.token_bytes(32), 3, 5, secrets.token_bytes(8), VERSION
coefficients = [secrets.token_bytes(32) for _ in range(k - 1)]
print(bech32("age-secret-key-pq-" if version == 2 else "age-secret-key-", key).upper())
for x in range(1, n + 1):
    y = []
    for i in range(32):
        value, power = key[i], 1
        for c in coefficients:
            power = times(power, x)
            value ^= times(power, c[i])
        y.append(value)
    raw = bytes([version]) + set_id + bytes([k, n, x]) + bytes(y)
    raw += hashlib.sha256(raw).digest()[:4]
    print(PREFIX + base64.b32encode(raw).decode().rstrip("="))
`
	program, err := examples.Combiner()
	must(t, err)
	m.file("combine.py", program)
	for _, version := range []string{"1", "2"} {
		out, said, err := m.run("", "python3", "-c", strings.Replace(splitter, "VERSION", version, 1))
		if err != nil {
			t.Fatal(err, said)
		}
		lines := strings.Fields(out)
		var shares []*seal.Share
		for _, i := range []int{5, 2, 3} {
			s, err := seal.ParseShare(secret(lines[i]))
			must(t, err)
			shares = append(shares, s)
		}
		if got, err := seal.Join(shares); err != nil || string(got.Reveal()) != lines[0] {
			t.Errorf("version %s: got another key: %v", version, err)
		}
	}
	for _, make := range []func(testing.TB, string) *person{classic, hybrid} {
		s := sealed(t, plan(t, seal.FormShares, 2, make(t, "Ana Weiss"), onPaper("Ben Ode"), onPaper("Carl Roe")), theSecret)
		out, said, err := m.combiner(nil, s.Papers[1].Words, s.Papers[0].QR)
		if err != nil {
			t.Fatal(err, said)
		}
		var both []*seal.Share
		for _, p := range s.Papers {
			one, err := seal.ParseShare(p.Words)
			must(t, err)
			both = append(both, one)
		}
		if got, err := seal.Join(both); err != nil || string(got.Reveal()) != strings.TrimSpace(out) {
			t.Errorf("the two combiners make different keys: %v", err)
		}
	}
}

func TestTheSecondCombinerNamesTheBadShare(t *testing.T) {
	m := newMachine(t)
	people := []*person{onPaper("Ana Weiss"), onPaper("Ben Ode"), onPaper("Carl Roe")}
	s := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	other := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	next := plan(t, seal.FormShares, 2, people...)
	next.Voided = []seal.Void{{Set: s.Manifest.Set, On: "2026-12-01", Holders: []string{"Ana Weiss", "Ben Ode", "Carl Roe"}}}
	after := sealed(t, next, theSecret)
	words := string(s.Papers[1].Words.Reveal())
	wrong := "b"
	if words[0] == 'b' {
		wrong = "d"
	}
	for name, c := range map[string]struct {
		manifest []byte
		shares   []custody.Secret
		says     string
	}{
		"altered":         {member(t, s, "manifest.json"), []custody.Secret{s.Papers[0].QR, forged(t, s.Papers[1].QR)}, "share 2, of Ben Ode, was altered"},
		"checksum":        {nil, []custody.Secret{changed(s.Papers[1].QR, 60)}, "the checksum is not right"},
		"another set":     {nil, []custody.Secret{s.Papers[0].QR, other.Papers[1].QR}, "is of set " + other.Manifest.Set},
		"a void set":      {member(t, after, "manifest.json"), []custody.Secret{s.Papers[0].QR}, "void since 2026-12-01"},
		"twice":           {nil, []custody.Secret{s.Papers[0].QR, s.Papers[0].Words}, "share 1 is given twice"},
		"a letter":        {nil, []custody.Secret{secret(wrong + words[1:])}, "row 1, word 1, letter 1 is mistyped; " + words[:1] + " fits"},
		"too few":         {nil, []custody.Secret{s.Papers[0].QR}, "1 shares, and it takes 2"},
		"nothing of that": {nil, []custody.Secret{secret("lorem ipsum")}, "row 1: 2 words; a row has 4"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{t, m.path, t.TempDir()}
			out, said, err := m.combiner(c.manifest, c.shares...)
			if err == nil || out != "" || !strings.Contains(said, c.says) {
				t.Errorf("got %q %q, want %q", out, said, c.says)
			}
		})
	}
	program, err := examples.Combiner()
	must(t, err)
	if n := bytes.Count(program, []byte("\n")); n > 150 {
		t.Errorf("the second combiner has %d lines: whoever audits it reads 150", n)
	}
}
