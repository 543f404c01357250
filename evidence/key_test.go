package evidence_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
)

// newKey makes a key from a fixed seed, so that every run signs alike.
func newKey(t testing.TB, name string, seed byte) *evidence.LogKey {
	t.Helper()
	k, err := evidence.NewLogKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 32)), name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const origin = evidence.OriginPrefix + "00112233445566778899aabbccddeeff"

func checkpoint(size uint64, root evidence.Hash) evidence.Checkpoint {
	return evidence.Checkpoint{Origin: origin, Size: size, Root: root, Time: noon.Add(time.Duration(size) * time.Minute)}
}

func sign(t testing.TB, k *evidence.LogKey, c evidence.Checkpoint) []byte {
	t.Helper()
	signed, err := k.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestAKeyComesBackFromItsSecret(t *testing.T) {
	k := newKey(t, "tidewater-log-1", 1)
	again, err := evidence.ParseLogKey(k.Secret())
	if err != nil {
		t.Fatal(err)
	}
	if again.Public() != k.Public() || !strings.HasPrefix(k.Public(), "tidewater-log-1+") {
		t.Errorf("got %q, want %q", again.Public(), k.Public())
	}
	if err := evidence.CheckKey(k.Public()); err != nil {
		t.Error(err)
	}
	c := checkpoint(3, evidence.LeafHash(nil))
	if !bytes.Equal(sign(t, again, c), sign(t, k, c)) {
		t.Error("the two sign differently")
	}
	if other := newKey(t, "tidewater-log-1", 2); other.Public() == k.Public() {
		t.Error("other randomness gave the same key")
	}
}

func TestAKeyIsNotShown(t *testing.T) {
	k := newKey(t, "log", 1)
	secret := string(k.Secret().Reveal())
	raw := secret[strings.LastIndexByte(secret, '+')+1:]
	seed, _ := base64.StdEncoding.DecodeString(raw)
	text, err := json.Marshal(map[string]any{"key": k})
	if err != nil {
		t.Fatal(err)
	}
	shown := string(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, struct{ k *evidence.LogKey }{k}) + fmt.Sprintf(verb, struct{ k evidence.LogKey }{*k}) + fmt.Sprintf(verb, *k)
	}
	if got := fmt.Sprintf("%v", k); got != "log key "+k.Public() {
		t.Errorf("shown as %q", got)
	}
	for _, leak := range []string{raw, string(seed[1:9]), fmt.Sprintf("%x", seed[1:9]), "PRIVATE", fmt.Sprint(seed[1:9])} {
		if strings.Contains(shown, leak) {
			t.Errorf("shows %q in %s", leak, shown)
		}
	}
	for _, bad := range []string{secret[:len(secret)-4], secret + "AA", strings.Replace(secret, "log+", "lag+", 1), ""} {
		_, err := evidence.ParseLogKey(custody.NewSecret([]byte(bad)))
		if err == nil {
			t.Errorf("read %q", bad)
		} else if strings.Contains(err.Error(), raw[:8]) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestANameThatANoteCannotHoldIsRefused(t *testing.T) {
	for _, name := range []string{"", "a b", "a+b", "a\nb", "\u00e9", strings.Repeat("a", 101)} {
		if _, err := evidence.NewLogKey(bytes.NewReader(make([]byte, 32)), name); err == nil {
			t.Errorf("made a key called %q", name)
		}
	}
	if _, err := evidence.NewLogKey(io.LimitReader(bytes.NewReader(make([]byte, 32)), 31), "log"); err == nil {
		t.Error("made a key of too little randomness")
	}
}

func TestACheckpointComesBackFromItsNote(t *testing.T) {
	k := newKey(t, "log", 1)
	want := checkpoint(60, evidence.LeafHash([]byte("x")))
	for _, generation := range []uint64{0, 3} {
		want.Generation = generation
		signed := sign(t, k, want)
		got, err := evidence.OpenCheckpoint(signed, newKey(t, "other", 2).Public(), k.Public())
		if err != nil {
			t.Fatalf("%s: %v", signed, err)
		}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

func TestTheFormOfACheckpoint(t *testing.T) {
	c := checkpoint(60, evidence.LeafHash([]byte("x")))
	c.Generation = 2
	want := origin + "\n60\n" + c.Root.String() + "\ntime 2026-11-20T13:00:00.123Z\ngeneration 2\n\n\u2014 log "
	if got := string(sign(t, newKey(t, "log", 1), c)); !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 7 {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestACheckpointThatSaysNothingIsNotSigned(t *testing.T) {
	good := checkpoint(1, evidence.LeafHash(nil))
	tests := map[string]func(*evidence.Checkpoint){
		"of too many entries":      func(c *evidence.Checkpoint) { c.Size = 1e18 },
		"restored too often":       func(c *evidence.Checkpoint) { c.Generation = 1e18 },
		"of no entry":              func(c *evidence.Checkpoint) { c.Size = 0 },
		"of no log":                func(c *evidence.Checkpoint) { c.Origin = "" },
		"of a log with two lines":  func(c *evidence.Checkpoint) { c.Origin += "\n9" },
		"of something else":        func(c *evidence.Checkpoint) { c.Origin = "go.sum database tree" },
		"without a time":           func(c *evidence.Checkpoint) { c.Time = time.Time{} },
		"in a year of five digits": func(c *evidence.Checkpoint) { c.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			c := good
			spoil(&c)
			if signed, err := newKey(t, "log", 1).Sign(c); err == nil {
				t.Errorf("signed %s", signed)
			}
		})
	}
}

func TestEveryBitOfACheckpointCounts(t *testing.T) {
	old, k := newKey(t, "log-1", 1), newKey(t, "log-2", 2)
	c := checkpoint(60, evidence.LeafHash([]byte("x")))
	c.Generation = 1
	signed := sign(t, k, c)
	for i := range len(signed) * 8 {
		flipped := bytes.Clone(signed)
		flipped[i/8] ^= 1 << (i % 8)
		if _, err := evidence.OpenCheckpoint(flipped, k.Public()); err == nil {
			t.Errorf("bit %d of byte %d may be anything: %q", i%8, i/8, flipped)
		}
	}
	if _, err := evidence.OpenCheckpoint(signed, old.Public()); err == nil {
		t.Error("believed without its key")
	}
	if _, err := evidence.OpenCheckpoint(signed); err == nil {
		t.Error("believed without any key")
	}
	both := sign(t, k.After(old), c)
	for _, key := range []string{old.Public(), k.Public()} {
		if _, err := evidence.OpenCheckpoint(both, key); err != nil {
			t.Errorf("signed by both, opened with %s: %v", key, err)
		}
	}
	if !bytes.Equal(both, sign(t, k.After(old), c)) || bytes.Count(both, []byte("\u2014 ")) != 2 {
		t.Errorf("not signed by both: %s", both)
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	k := newKey(f, "log", 1)
	c := checkpoint(60, evidence.LeafHash([]byte("x")))
	f.Add(sign(f, k, c))
	f.Add(sign(f, newKey(f, "log-2", 2).After(k), c))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := evidence.OpenCheckpoint(data, k.Public())
		if err == nil && !bytes.HasPrefix(data, sign(t, k, got)) {
			t.Errorf("opened %q as %+v", data, got)
		}
	})
}

func FuzzParseLogKey(f *testing.F) {
	f.Add(string(newKey(f, "log", 1).Secret().Reveal()), newKey(f, "log", 1).Public())
	f.Fuzz(func(t *testing.T, secret, public string) {
		if k, err := evidence.ParseLogKey(custody.NewSecret([]byte(secret))); err == nil {
			if err := evidence.CheckKey(k.Public()); err != nil {
				t.Error(err)
			}
		}
		_ = evidence.CheckKey(public)
	})
}
