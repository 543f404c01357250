package evidence_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"halligan/evidence"
)

// typical returns an entry of about 700 bytes.
func typical(i int) evidence.Entry {
	return evidence.Entry{
		Index: uint64(i), Kind: evidence.KindApproval, Tenant: "3f1c0f5e-0000-4000-8000-000000000001",
		Time: noon.Add(time.Duration(i) * time.Second), Source: noon, Skew: 12 * time.Millisecond, Who: []string{"ben"},
		What: "approve request", On: "emergency account bg-1@tidewater.example", Why: "quarterly drill, agreed on the phone with ana",
		Before: digest, After: digest, Subject: digest, RequestIDs: []string{"7c1f7e0a-0d3c-4d7f-9f52-4c0d1cb1f0aa"},
		Data: []byte(`{"method":"ssh","signature":"` + strings.Repeat("QUJD", 22) + `"}`),
	}
}

// bigLog is an exported log of n typical entries.
func bigLog(b *testing.B, n int) (map[string][]byte, evidence.VerifyOptions) {
	b.Helper()
	k := newKey(b, "log-1", 1)
	var tree evidence.Tree
	var entries, hashes bytes.Buffer
	var notes [][]byte
	for i := range n {
		e := typical(i)
		if i == 0 {
			begun := evidence.Begin(k.Public())
			e.Kind, e.Data = begun.Kind, begun.Data
		}
		l := line(b, e)
		h := evidence.LeafHash(l)
		tree.Append(h)
		fmt.Fprintf(&entries, "%s\n", l)
		fmt.Fprintf(&hashes, "%x\n", h[:])
		if (i+1)%(n/8) == 0 {
			notes = append(notes, sign(b, k, checkpoint(uint64(i+1), tree.Root())))
		}
	}
	return map[string][]byte{evidence.EntriesFile: entries.Bytes(), evidence.HashesFile: hashes.Bytes(),
		evidence.CheckpointsFile: evidence.JoinCheckpoints(notes)}, evidence.VerifyOptions{Keys: []string{k.Public()}}
}

// BenchmarkVerify reports the time of Verify in that of SHA-256 over the bytes of
// the entries, measured in turns in one run.
func BenchmarkVerify(b *testing.B) {
	files, o := bigLog(b, 20_000)
	fsys, entries := folder(files), files[evidence.EntriesFile]
	b.SetBytes(int64(len(entries)))
	var ours, bare time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := evidence.Verify(fsys, o); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		sha256.Sum256(entries)
		ours += middle.Sub(start)
		bare += time.Since(middle)
	}
	b.ReportMetric(float64(ours)/float64(bare), "x-of-sha256")
	b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N*20_000), "ns/entry")
	b.ReportMetric(float64(len(entries))/20_000, "bytes/entry")
}

func BenchmarkLine(b *testing.B) {
	e := typical(1)
	b.SetBytes(int64(len(line(b, e))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Line(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseLine(b *testing.B) {
	l := line(b, typical(1))
	b.SetBytes(int64(len(l)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := evidence.ParseLine(l); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	k := newKey(b, "log-1", 1)
	for name, signed := range map[string]bool{"tree": false, "tree and checkpoint": true} {
		b.Run(name, func(b *testing.B) {
			var tree evidence.Tree
			leaf := evidence.LeafHash(line(b, typical(1)))
			for b.Loop() {
				tree.Append(leaf)
				if signed {
					sign(b, k, checkpoint(tree.Size(), tree.Root()))
				}
			}
		})
	}
}
