package evidence_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"halligan/evidence"
)

// keyTricks are logs whose keys are not what they should be.
func keyTricks(t testing.TB, l *fakeLog) []damage {
	var all []damage
	one, two, three, mallory := newKey(t, "log-1", 1), newKey(t, "log-2", 2), newKey(t, "log-3", 3), newKey(t, "log-1", 66)
	add := func(name string, spoil func(*recipe), want string, keys ...string) {
		r := sixty(t)
		spoil(&r)
		all = append(all, damage{name: name, files: r.build(t).files(), keys: keys, want: want})
	}
	note := func(size int, k *evidence.LogKey) func(*recipe) {
		return func(r *recipe) {
			r.checkNote = func(i int, _ *evidence.Checkpoint, usual *evidence.LogKey) *evidence.LogKey {
				if i == size-1 {
					return k
				}
				return usual
			}
		}
	}
	add("another key throughout", func(r *recipe) { r.keys = []*evidence.LogKey{mallory, two, mallory} }, bad(40, evidence.OtherKey), one.Public())
	add("another key throughout, and no loss", func(r *recipe) {
		r.keys, r.changes = []*evidence.LogKey{mallory}, nil
	}, bad(0, evidence.OtherKey), one.Public())
	add("the new key was not given after the loss", func(*recipe) {}, bad(40, evidence.OtherKey), one.Public(), two.Public())
	add("a replaced key claims that the old was lost", func(r *recipe) {
		r.keys = []*evidence.LogKey{one, two, mallory}
	}, bad(40, evidence.OtherKey), one.Public(), two.Public(), three.Public())
	add("a later key that is known vouches for the lost one", func(r *recipe) {
		r.keys = append(r.keys, newKey(t, "log-4", 4))
		r.changes[50] = "rotated"
	}, "good", newKey(t, "log-4", 4).Public())
	add("a checkpoint by another key", note(7, mallory), bad(1, evidence.OtherKey))
	add("a checkpoint by the key that comes later", note(25, two), bad(16, evidence.OtherKey))
	add("a checkpoint by the key that was before", note(40, one), bad(31, evidence.OtherKey))
	add("a checkpoint by two where one signs", note(25, two.After(one)), bad(16, evidence.OtherKey))
	add("a new key that the old one did not agree to", note(31, two), bad(25, evidence.OtherKey))
	add("a new key that did not sign itself", note(31, one), bad(25, evidence.OtherKey))
	add("a new key, signed in the wrong order", note(31, one.After(two)), bad(25, evidence.OtherKey))
	add("a new key without a checkpoint", note(31, nil), bad(25, evidence.OtherKey))
	add("a lost key without a checkpoint", note(46, nil), bad(40, evidence.OtherKey))
	add("a lost key that signs on", note(46, two), bad(40, evidence.OtherKey))
	spoil := func(kind evidence.Kind, old, new string) func(*recipe) {
		return func(r *recipe) {
			r.keyEntry = func(e *evidence.Entry) {
				if e.Kind == kind {
					e.Data = []byte(strings.NewReplacer(two.Public(), new, one.Public(), old).Replace(string(e.Data)))
				}
			}
		}
	}
	add("a new key in place of one that never signed", spoil(evidence.KindLogKey, mallory.Public(), two.Public()), bad(30, evidence.OtherKey))
	add("a new key that is the old one", spoil(evidence.KindLogKey, one.Public(), one.Public()), bad(30, evidence.OtherKey))
	add("a new key that is none", spoil(evidence.KindLogKey, one.Public(), "log-2+00000000+AAAA"), bad(30, evidence.Malformed))
	add("a new key under a name in capitals", func(r *recipe) {
		r.keyEntry = func(e *evidence.Entry) {
			if e.Kind == evidence.KindLogKey {
				e.Data = bytes.Replace(e.Data, []byte(`"new"`), []byte(`"New"`), 1)
			}
		}
	}, bad(30, evidence.Malformed))
	add("a first key that is none", spoil(evidence.KindLogBegun, "log-1", ""), bad(0, evidence.Malformed))
	add("a lost key in place of one that never signed", spoil(evidence.KindLogKeyLost, "", mallory.Public()), bad(45, evidence.OtherKey))
	add("an entry about the key in place of a beginning", func(r *recipe) {
		r.keyEntry = func(e *evidence.Entry) {
			if e.Kind == evidence.KindLogBegun {
				e.Kind = evidence.KindNote
			}
		}
	}, bad(0, evidence.Malformed))
	add("a second beginning", func(r *recipe) {
		r.keyEntry = func(e *evidence.Entry) {
			if e.Kind == evidence.KindLogKey {
				*e = evidence.Begin(two.Public())
			}
		}
	}, bad(30, evidence.Malformed))
	add("no data about the key", func(r *recipe) { r.keyEntry = func(e *evidence.Entry) { e.Data = nil } }, bad(0, evidence.Malformed))
	add("a key that is no text", func(r *recipe) {
		r.keyEntry = func(e *evidence.Entry) { e.Data = json.RawMessage(`{"key":7,"new":7,"old":7}`) }
	}, bad(0, evidence.Malformed))
	add("a checkpoint of another log under our key", func(r *recipe) {
		r.checkNote = func(i int, c *evidence.Checkpoint, k *evidence.LogKey) *evidence.LogKey {
			if i == 24 {
				c.Origin = evidence.OriginPrefix + strings.Repeat("f", 32)
			}
			return k
		}
	}, bad(16, evidence.Malformed))
	add("a checkpoint of a wrong root under our key", func(r *recipe) {
		r.checkNote = func(i int, c *evidence.Checkpoint, k *evidence.LogKey) *evidence.LogKey {
			if i == 24 {
				c.Root[31] ^= 1
			}
			return k
		}
	}, bad(16, evidence.Altered))
	add("a checkpoint of the same size twice", func(r *recipe) {
		r.checkNote = func(i int, c *evidence.Checkpoint, k *evidence.LogKey) *evidence.LogKey {
			if i == 24 {
				c.Size = 16
			}
			return k
		}
	}, bad(16, evidence.Malformed))
	add("a log that was restored", func(r *recipe) {
		r.checkNote = func(i int, c *evidence.Checkpoint, k *evidence.LogKey) *evidence.LogKey {
			c.Generation = uint64(i / 20)
			return k
		}
	}, good(l))
	return all
}

// strangeFiles are folders that do not hold what they should.
func strangeFiles(t testing.TB, l *fakeLog) []damage {
	var all []damage
	add := func(name string, files map[string][]byte, want string) {
		all = append(all, damage{name: name, files: files, want: want})
	}
	whole := l.files()
	for _, name := range []string{"README.md", ".hidden", "entries.jsonl.bak", "Entries.jsonl"} {
		add("a file called "+name, with(whole, name, []byte("x")), bad(0, evidence.WrongFile))
	}
	for name := range whole {
		add("no "+name, with(whole, name, nil), bad(0, evidence.WrongFile))
	}
	add("nothing at all", map[string][]byte{}, bad(0, evidence.WrongFile))
	add("empty files", files(nil, nil, nil), bad(0, evidence.Unsigned))
	add("a byte order mark", with(whole, evidence.EntriesFile, append([]byte("\ufeff"), whole[evidence.EntriesFile]...)), bad(0, evidence.Altered))
	add("Windows line ends", with(whole, evidence.EntriesFile, bytes.ReplaceAll(whole[evidence.EntriesFile], []byte("\n"), []byte("\r\n"))), bad(0, evidence.Altered))
	add("Windows line ends in the hashes", with(whole, evidence.HashesFile, bytes.ReplaceAll(whole[evidence.HashesFile], []byte("\n"), []byte("\r\n"))),
		bad(0, evidence.Altered))
	add("Windows line ends in the checkpoints",
		with(whole, evidence.CheckpointsFile, bytes.ReplaceAll(whole[evidence.CheckpointsFile], []byte("\n"), []byte("\r\n"))), bad(0, evidence.Malformed))
	add("hashes in capitals", with(whole, evidence.HashesFile, bytes.ToUpper(whole[evidence.HashesFile])), bad(0, evidence.Altered))
	add("an empty line at the end", with(whole, evidence.EntriesFile, append(bytes.Clone(whole[evidence.EntriesFile]), '\n')), bad(60, evidence.Cut))
	add("an empty line at the end of the hashes", with(whole, evidence.HashesFile, append(bytes.Clone(whole[evidence.HashesFile]), '\n')), bad(60, evidence.Cut))
	add("an empty line at the end of the checkpoints",
		with(whole, evidence.CheckpointsFile, append(bytes.Clone(whole[evidence.CheckpointsFile]), '\n')), bad(60, evidence.Malformed))
	for _, name := range []string{evidence.EntriesFile, evidence.HashesFile} {
		add("a piece without a newline at the end of "+name, with(whole, name, append(bytes.Clone(whole[name]), 'x')), bad(60, evidence.Cut))
	}
	add("a piece at the end of the checkpoints", with(whole, evidence.CheckpointsFile, append(bytes.Clone(whole[evidence.CheckpointsFile]), 'x')),
		bad(60, evidence.Malformed))
	larger := bytes.Replace(l.notes[len(l.notes)-1], []byte("\n60\n"), []byte("\n70\n"), 1)
	add("a checkpoint that claims more", files(l.lines, hashesOf(l.lines), replaced(l.notes, len(l.notes)-1, larger)), bad(59, evidence.Unsigned))
	add("a checkpoint that claims less", files(l.lines, hashesOf(l.lines), replaced(l.notes, 2, bytes.Replace(l.notes[2], []byte("\n16\n"), []byte("\n9\n"), 1))),
		bad(7, evidence.Unsigned))
	last := string(l.notes[len(l.notes)-1])
	text, _, _ := strings.Cut(last, "\n\n")
	root := strings.Split(text, "\n")[2]
	odd := strings.Replace(text, root, root[:42]+otherSpelling(root[42])+"=", 1)
	add("a root in another spelling, signed", files(l.lines, hashesOf(l.lines), replaced(l.notes, len(l.notes)-1, signText(t, newKey(t, "log-3", 3), odd+"\n"))),
		bad(59, evidence.Malformed))
	add("a checkpoint in a form to come, signed", files(l.lines, hashesOf(l.lines),
		replaced(l.notes, len(l.notes)-1, signText(t, newKey(t, "log-3", 3), text+"\nwitness x\n"))), bad(59, evidence.Malformed))
	for name, odd := range map[string][]byte{
		"of a size of 19 digits":       signText(t, newKey(t, "log-3", 3), strings.Replace(text, "\n60\n", "\n1000000000000000000\n", 1)+"\n"),
		"of a generation of 19 digits": signText(t, newKey(t, "log-3", 3), text+"\ngeneration 1000000000000000000\n"),
		"of generation 0":              signText(t, newKey(t, "log-3", 3), text+"\ngeneration 0\n"),
		"by a name of 101 characters":  []byte(strings.Replace(last, "log-3", strings.Repeat("x", 101), 1)),
	} {
		add("a checkpoint "+name, files(l.lines, hashesOf(l.lines), replaced(l.notes, len(l.notes)-1, odd)), bad(59, evidence.Malformed))
	}
	add("too many checkpoints", with(whole, evidence.CheckpointsFile, bytes.Repeat(whole[evidence.CheckpointsFile], 1<<20/len(whole[evidence.CheckpointsFile])+1)),
		bad(0, evidence.Malformed))
	long := bytes.Repeat([]byte("a"), evidence.MaxLine+1)
	add("a line that is too long", files(replaced(l.lines, 9, long), hashesOf(replaced(l.lines, 9, long)), l.notes), bad(9, evidence.Malformed))
	add("a hash that is too long", files(l.lines, replaced(hashesOf(l.lines), 9, long), l.notes), bad(9, evidence.Malformed))
	add("a last line that is too long and has no end", with(whole, evidence.EntriesFile, append(bytes.Clone(whole[evidence.EntriesFile]), long...)),
		bad(60, evidence.Malformed))
	add("a line that is too long after one that is missing", files(replaced(deleted(l.lines, 5), 9, long), hashesOf(l.lines), l.notes), bad(5, evidence.Deleted))

	// What the holder of the key must not sign, and a verifier does not read.
	for name, odd := range map[string]string{
		"an index in another spelling":         `{"index":07,"kind":"note"}`,
		"no index":                             `{"kind":"note","index":7}`,
		"an index without a comma":             `{"index":7}`,
		"no kind":                              `{"index":7,"what":"x"}`,
		"a raw control character":              "{\"index\":7,\"kind\":\"note\",\"what\":\"\x1b\"}",
		"a raw right-to-left override":         "{\"index\":7,\"kind\":\"note\",\"what\":\"\u202e\"}",
		"no end":                               `{"index":7,"kind":"note"`,
		"nothing":                              ``,
		"a key entry with a field twice":       `{"index":7,"kind":"log-key","kind":"log-key","time":"2026-11-20T12:00:00.123Z","data":{}}`,
		"a key entry with white space":         `{"index":7,"kind":"log-key" ,"time":"2026-11-20T12:00:00.123Z","data":{}}`,
		"a key entry that is no JSON":          `{"index":7,"kind":"log-key",}`,
		"a key entry with a field of another":  `{"index":7,"kind":"log-x","time":"2026-11-20T12:00:00.123Z","extra":1}`,
		"a key entry with another order":       `{"index":7,"kind":"log-x","who":["x"],"time":"2026-11-20T12:00:00.123Z"}`,
		"a key entry on a day that is none":    `{"index":7,"kind":"log-x","time":"2026-02-30T12:00:00.123Z"}`,
		"a key entry at a second that is none": `{"index":7,"kind":"log-x","time":"2026-02-20T12:00:60.123Z"}`,
		"a key entry with letters in its time": `{"index":7,"kind":"log-x","time":"2026-02-2qT12:00:00.123Z"}`,
		"a key entry with an odd kind":         `{"index":7,"kind":"log-x` + "`" + `","time":"2026-02-20T12:00:00.123Z"}`,
		"a key entry with half a skew":         `{"index":7,"kind":"log-x","time":"2026-02-20T12:00:00.123Z","skewMs":1}`,
		"a key entry with unsorted data":       `{"index":7,"kind":"log-x","time":"2026-11-20T12:00:00.123Z","data":{"b":1,"a":1}}`,
		"an index that is out of all rank":     `{"index":99999999999999999999,"kind":"note"}`,
	} {
		add("a line with "+name, signedAgain(t, replaced(l.lines, 7, []byte(odd))), bad(7, evidence.Malformed))
	}
	add("a line about the key of a kind to come",
		signedAgain(t, replaced(l.lines, 7, []byte(`{"index":7,"kind":"log-x","time":"2026-11-20T12:00:00.123Z"}`))), "good")
	add("a line of 65,536 bytes", signedAgain(t, replaced(l.lines, 7, append(bytes.Replace(bytes.Clone(long[:evidence.MaxLine-1]), long[:23],
		[]byte(`{"index":7,"kind":"note`), 1), '}'))), "good")
	return all
}

// signedAgain is a folder of lines that the holder of the key signs, whatever they
// are: nine before any change of the key.
func signedAgain(t testing.TB, lines [][]byte) map[string][]byte {
	lines = lines[:9]
	var tree evidence.Tree
	for _, l := range lines {
		tree.Append(evidence.LeafHash(l))
	}
	k := newKey(t, "log-1", 1)
	return files(lines, hashesOf(lines), [][]byte{sign(t, k, checkpoint(9, tree.Root()))})
}

// otherSpelling returns a character of base64 that differs in a bit that is not used.
func otherSpelling(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return alphabet[strings.IndexByte(alphabet, c)^1:][:1]
}

// signText signs what LogKey.Sign would not.
func signText(t testing.TB, k *evidence.LogKey, text string) []byte {
	t.Helper()
	signer, err := note.NewSigner(string(k.Secret().Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
