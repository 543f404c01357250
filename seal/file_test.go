package seal_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/seal"
)

// member is one file of the archive.
func member(t testing.TB, s *seal.Sealed, name string) []byte {
	t.Helper()
	for _, m := range unpack(t, s.Bytes) {
		if m.name == name {
			return m.data
		}
	}
	t.Fatalf("no %s", name)
	return nil
}

type packed struct {
	name string
	data []byte
}

func unpack(t testing.TB, data []byte) (out []packed) {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	for _, f := range r.File {
		in, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(in)
		must(t, err)
		out = append(out, packed{f.Name, text})
	}
	return out
}

// pack makes an archive, with digests that are right.
func pack(t testing.TB, members []packed, method uint16, more ...string) []byte {
	t.Helper()
	var b, sums bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		if m.name == "SHA256SUMS" {
			m.data = append(sums.Bytes(), strings.Join(more, "")...)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(m.data), m.name)
		to, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: method})
		must(t, err)
		_, err = to.Write(m.data)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func TestAFileThatIsNotAsItMustBeIsRefused(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormPair, 2, ana, ben), theSecret)
	good := unpack(t, s.Bytes)
	with := func(change func([]packed) []packed, sums ...string) []byte {
		return pack(t, change(append([]packed{}, good...)), zip.Store, sums...)
	}
	replace := func(name, old, with string) func([]packed) []packed {
		return func(all []packed) []packed {
			for i := range all {
				if all[i].name == name {
					all[i].data = bytes.Replace(all[i].data, []byte(old), []byte(with), 1)
				}
			}
			return all
		}
	}
	if _, err := seal.Parse(with(func(all []packed) []packed { return all })); err != nil {
		t.Fatalf("the same members in another archive: %v", err)
	}
	for name, c := range map[string]struct {
		data   []byte
		reason seal.Reason
	}{
		"nothing":                  {nil, seal.ReasonForm},
		"no archive":               {[]byte("PK but no"), seal.ReasonForm},
		"cut off":                  {s.Bytes[:len(s.Bytes)-40], seal.ReasonForm},
		"too large":                {make([]byte, seal.FileMost+1), seal.ReasonForm},
		"compressed":               {pack(t, good, zip.Deflate), seal.ReasonForm},
		"said to be compressed":    {mislabelled(t, good), seal.ReasonForm},
		"sums of something else":   {with(func(all []packed) []packed { return all }, "0  more\n"), seal.ReasonDamaged},
		"a member more":            {with(func(all []packed) []packed { return append(all, packed{"more.age", nil}) }), seal.ReasonForm},
		"a member less":            {with(func(all []packed) []packed { return all[:len(all)-1] }), seal.ReasonForm},
		"another order":            {with(func(all []packed) []packed { all[0], all[1] = all[1], all[0]; return all }), seal.ReasonForm},
		"a member twice":           {with(func(all []packed) []packed { return append(all, all[0]) }), seal.ReasonForm},
		"a path that leads out":    {with(func(all []packed) []packed { all[2].name = "../x.age"; return all }), seal.ReasonForm},
		"a large member":           {with(func(all []packed) []packed { all[2].data = make([]byte, 200<<10); return all }), seal.ReasonForm},
		"a manifest of this house": {with(replace("manifest.json", `"sealed": 1`, `"sealed":1`)), seal.ReasonForm},
		"another version":          {with(replace("manifest.json", `"sealed": 1`, `"sealed": 2`)), seal.ReasonForm},
		"one is enough":            {with(replace("manifest.json", `"need": 2`, `"need": 1`)), seal.ReasonForm},
		"an unknown field":         {with(replace("manifest.json", `"need": 2`, `"needs": 2`)), seal.ReasonForm},
		"an unknown form":          {with(replace("manifest.json", `"form": "pair"`, `"form": "box"`)), seal.ReasonForm},
		"a holder twice":           {with(replace("manifest.json", `"name": "Ana Weiss"`, `"name": "ben  ode"`)), seal.ReasonForm},
		"a pair that is none":      {with(replace("manifest.json", `"second": 2`, `"second": 3`)), seal.ReasonForm},
		"letters that hide":        {with(replace("manifest.json", "first account", "first\u202eaccount")), seal.ReasonForm},
		"another page":             {with(replace("OPEN.txt", "Ana Weiss", "Eve Weiss")), seal.ReasonDamaged},
		"a bit of what is sealed":  {flipped(s.Bytes, bytes.Index(s.Bytes, []byte("age-encryption.org"))), seal.ReasonDamaged},
		"another sum":              {func() []byte { return swapSums(t, good) }(), seal.ReasonDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Parse(c.data)
			refused(t, err, c.reason)
		})
	}
}

func flipped(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 1
	return out
}

// mislabelled says that its members are compressed, and they are not.
func mislabelled(t *testing.T, members []packed) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(m.data), CompressedSize64: uint64(len(m.data)), UncompressedSize64: uint64(len(m.data))}
		to, err := w.CreateRaw(h)
		must(t, err)
		_, err = to.Write(m.data)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// swapSums has a digest that is not that of the member, and is otherwise right.
func swapSums(t *testing.T, all []packed) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range all {
		if m.name == "SHA256SUMS" {
			m.data = append([]byte("0"), m.data[1:]...)
			if m.data[0] == all[len(all)-1].data[0] {
				m.data[0] = '1'
			}
		}
		to, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		must(t, err)
		_, err = to.Write(m.data)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

// Whoever can write the file can write other telephone numbers into it, with digests
// that are right. What was encrypted knows the manifest.
func TestAnotherManifestIsNoticedWhenItIsOpened(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormPair, 2, ana, ben), theSecret)
	all := unpack(t, s.Bytes)
	all[0].data = bytes.Replace(all[0].data, []byte("shift lead"), []byte("eve's own "), 1)
	f, err := seal.Parse(pack(t, all, zip.Store))
	must(t, err)
	o, err := seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
	if err != nil || len(o.Altered) != 1 || string(o.Secret.Reveal()) != theSecret {
		t.Errorf("%+v %v", o, err)
	}
	if f.Digest == s.Digest {
		t.Error("the digest of the file is the same")
	}
}

// A file for the same holders, put together of two, is no file.
func TestWhatIsInsideMustBeOfTheSet(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	p := plan(t, seal.FormPair, 2, ana, ben)
	s, other := unpack(t, sealed(t, p, theSecret).Bytes), unpack(t, sealed(t, p, "another").Bytes)
	s[2] = other[2]
	f, err := seal.Parse(pack(t, s, zip.Store))
	must(t, err)
	_, err = seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
	refused(t, err, seal.ReasonPayload, f.Manifest.Set)
	s[2].data = bytes.Clone(s[2].data)
	s[2].data[len(s[2].data)-1] ^= 1
	f, err = seal.Parse(pack(t, s, zip.Store))
	must(t, err)
	_, err = seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
	refused(t, err, seal.ReasonDamaged)
}

// The manifest says that a file is for ana, and her key does not open it: that is not
// told as somebody missing.
func TestAFileThatIsNotForItsHolderIsNoticed(t *testing.T) {
	ana, ben, carl := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), classic(t, "Carl Roe")
	all := unpack(t, sealed(t, plan(t, seal.FormPair, 2, ana, ben, carl), theSecret).Bytes)
	all[2].data, all[4].data = all[4].data, all[2].data
	f, err := seal.Parse(pack(t, all, zip.Store))
	must(t, err)
	_, err = seal.Open(f, []seal.Key{ana.key(), ben.key()}, nil)
	refused(t, err, seal.ReasonKey, "pair-1-2-ana-weiss-ben-ode.age", "Ben Ode")
}

func TestTheSameMembersAreTheSameFile(t *testing.T) {
	ana, ben := classic(t, "Ana Weiss"), classic(t, "Ben Ode")
	s := sealed(t, plan(t, seal.FormPair, 2, ana, ben), theSecret)
	for _, want := range []string{"It takes 2 of these people", "Ana Weiss (a key file of age)", "Operations centre (pager): shift lead", "pair-1-2-ana-weiss-ben-ode.age", "Seal number 4411", "age 1.1.1 or newer"} {
		if !strings.Contains(string(member(t, s, "OPEN.txt")), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(s.Bytes) > 8<<10 {
		t.Errorf("a file of two has %d bytes", len(s.Bytes))
	}
}

func FuzzParse(f *testing.F) {
	ana, ben, paper := classic(f, "Ana Weiss"), classic(f, "Ben Ode"), onPaper("Carl Roe")
	for _, p := range []*seal.Plan{plan(f, seal.FormPair, 2, ana, ben), plan(f, seal.FormShares, 2, ana, ben, paper)} {
		f.Add(sealed(f, p, theSecret).Bytes)
	}
	f.Add(sealed(f, plan(f, seal.FormHalves, 2, ana, ben), "one", "two").Bytes)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := seal.Parse(data)
		if err != nil {
			return
		}
		_, _ = seal.Open(file, []seal.Key{ana.unknown(), ben.key()}, []seal.Given{{From: "x", Text: custody.NewSecret([]byte("lusab"))}})
	})
}

// FuzzManifest changes the manifest within an archive that is otherwise right.
func FuzzManifest(f *testing.F) {
	ana, ben, paper := classic(f, "Ana Weiss"), classic(f, "Ben Ode"), onPaper("Carl Roe")
	var archives [][]packed
	for _, p := range []*seal.Plan{plan(f, seal.FormPair, 2, ana, ben), plan(f, seal.FormShares, 2, ana, ben, paper)} {
		s := sealed(f, p, theSecret)
		f.Add(member(f, s, "manifest.json"), byte(len(archives)))
		archives = append(archives, unpack(f, s.Bytes))
	}
	f.Fuzz(func(t *testing.T, manifest []byte, which byte) {
		all := append([]packed{}, archives[int(which)%len(archives)]...)
		all[0].data = manifest
		file, err := seal.Parse(pack(t, all, zip.Store))
		if err != nil {
			return
		}
		_, _ = seal.Open(file, []seal.Key{ana.unknown(), ben.unknown()}, nil)
	})
}
