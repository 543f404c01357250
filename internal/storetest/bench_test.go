package storetest_test

import (
	"crypto/rand"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/evidence"
	"halligan/internal/store"
)

// realistic drafts an entry of the size that an intent has.
func realistic(v store.View) ([]evidence.Entry, error) {
	e := about(v, "approve request", subject(int(v.Size())))
	e.On = "conditional access policy 4c1f1d1e-0000-4000-8000-000000000001"
	e.Why = strings.Repeat("the emergency accounts must stay outside of it; ", 4)
	e.Before, e.After = subject(1), subject(2)
	e.RequestIDs = []string{"4c1f1d1e-0000-4000-8000-000000000002"}
	return []evidence.Entry{e}, nil
}

// bare appends as many bytes to a file and flushes it, n times: what the disk
// gives to whoever asks for nothing else.
func bare(b *testing.B, dir string, size, n int) time.Duration {
	b.Helper()
	file, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	line := make([]byte, base64.StdEncoding.DecodedLen(size))
	rand.Read(line)
	text := []byte(base64.StdEncoding.EncodeToString(line))
	begin := time.Now()
	for range n {
		if _, err := file.Write(text); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(begin)
}

// BenchmarkAppend compares the store with writing and flushing as many bytes on
// the same disk in the same run, in slices that take turns.
func BenchmarkAppend(b *testing.B) {
	const slice = 50
	ways := []struct {
		name    string
		workers int
	}{{"one by one", 1}, {"100 at a time", 100}}
	for _, way := range ways {
		b.Run(way.name, func(b *testing.B) {
			dir := b.TempDir()
			key := newKey(b, "tidewater-log-1", 1)
			db, err := store.Open(b.Context(), store.Options{URL: filepath.Join(dir, "log.db")})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			fill(b, db, key, 1)
			group := db.Group(key)
			defer group.Close()
			add := func(n int) time.Duration {
				begin := time.Now()
				var wait sync.WaitGroup
				for range way.workers {
					wait.Go(func() {
						for range n {
							var err error
							if way.workers == 1 {
								_, err = db.Append(b.Context(), key, realistic)
							} else {
								_, err = group.Append(b.Context(), realistic)
							}
							if err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wait.Wait()
				return time.Since(begin)
			}
			var ours, disk time.Duration
			var ratios []float64
			entries, flushes := 0, 0
			n := slice
			if way.workers > 1 {
				n = 20
			}
			b.ResetTimer()
			for range b.N {
				bared, added := bare(b, dir, 700, slice), add(n)
				disk, ours = disk+bared, ours+added
				flushes, entries = flushes+slice, entries+n*way.workers
				ratios = append(ratios, float64(n*way.workers)/added.Seconds()/(slice/bared.Seconds()))
			}
			slices.Sort(ratios)
			b.ReportMetric(float64(entries)/ours.Seconds(), "entries/s")
			b.ReportMetric(float64(flushes)/disk.Seconds(), "bare/s")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(float64(entries)/ours.Seconds()/(float64(flushes)/disk.Seconds()), "meanratio")
		})
	}
}
