package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
)

// A side log is what was to be recorded while the store could not be reached: a
// log of its own, in the form of an export, signed with the log key where that is
// at hand, else with a key that was made for it. Nothing in an emergency waits for
// a store. MergeSide puts it into the log later.

// sidePrefix begins the name of the folder of a side log.
const sidePrefix = "side-"

// WriteSide writes entries to a new side log in a folder and returns its path. It
// does not return before they are on the disk. key may be nil.
func WriteSide(folder string, key *evidence.LogKey, now time.Time, entries []evidence.Entry) (path string, err error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("write a side log in %s: %w", folder, err) }
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fail(err)
	}
	id := make([]byte, 16)
	if _, err := io.ReadFull(rand.Reader, id); err != nil {
		return fail(err)
	}
	claim := key == nil
	if claim {
		if key, err = evidence.NewLogKey(rand.Reader, "halligan-side-"+hex.EncodeToString(id[:4])); err != nil {
			return fail(err)
		}
	}
	begin := evidence.Begin(key.Public())
	begin.Why = "the store could not be reached"
	all := append([]evidence.Entry{begin}, entries...)
	var tree evidence.Tree
	var lines, hashes strings.Builder
	for i := range all {
		e := &all[i]
		// What it refers to is in the log that could not be reached.
		if e.Refers != nil {
			e.Why = strings.TrimSpace(fmt.Sprintf("%s (about entry %d of the log)", e.Why, *e.Refers))
		}
		e.Index, e.Refers = uint64(i), nil
		if e.Time.IsZero() {
			e.Time = now
		}
		if claim && !slices.Contains(e.Marks, custody.MarkUnsigned) {
			e.Marks = append(slices.Clone(e.Marks), custody.MarkUnsigned)
		}
		line, err := e.Line()
		if err != nil {
			return fail(err)
		}
		leaf := evidence.LeafHash(line)
		tree.Append(leaf)
		lines.Write(line)
		lines.WriteByte('\n')
		fmt.Fprintf(&hashes, "%x\n", leaf[:])
	}
	note, err := key.Sign(evidence.Checkpoint{Origin: evidence.OriginPrefix + hex.EncodeToString(id), Size: tree.Size(), Root: tree.Root(), Time: now})
	if err != nil {
		return fail(err)
	}
	path = filepath.Join(folder, sidePrefix+now.UTC().Format("20060102T150405Z")+"-"+hex.EncodeToString(id[:4]))
	if err := os.Mkdir(path, 0o700); err != nil {
		return fail(err)
	}
	for _, f := range []struct{ name, text string }{{evidence.EntriesFile, lines.String()}, {evidence.HashesFile, hashes.String()}, {evidence.CheckpointsFile, string(evidence.JoinCheckpoints([][]byte{note}))}} {
		if err := writeDurably(filepath.Join(path, f.name), f.text); err != nil {
			return fail(err)
		}
	}
	return path, errors.Join(syncFolder(path), syncFolder(folder))
}

func writeDurably(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	return errors.Join(err, file.Sync(), file.Close())
}

// SideLogs lists the side logs in a folder, the oldest first.
func SideLogs(folder string) ([]string, error) {
	list, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range list {
		if e.IsDir() && strings.HasPrefix(e.Name(), sidePrefix) {
			out = append(out, filepath.Join(folder, e.Name()))
		}
	}
	return out, err
}

// WaitingSides lists the side logs in a folder that the log does not have yet. One that
// cannot be read waits, too: merging it says why.
func (a *App) WaitingSides(ctx context.Context, folder string) (out []string, err error) {
	all, err := SideLogs(folder)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	err = a.Ledger.View(ctx, func(v store.View) error {
		for _, path := range all {
			merged, err := sideMerged(v, path)
			if err != nil {
				return err
			}
			if !merged {
				out = append(out, path)
			}
		}
		return nil
	})
	return out, err
}

// sideMerged reports whether a log has a side log, by the root of its entries.
func sideMerged(v store.View, path string) (merged bool, err error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return false, nil
	}
	defer root.Close()
	_, _, have, err := readSide(root.FS())
	if err != nil {
		return false, nil
	}
	for _, err := range v.Find(evidence.KindSideLog, "sha256:"+hex.EncodeToString(have[:])) {
		return err == nil, err
	}
	return false, nil
}

// sideData is the data of the entry about a merged side log.
type sideData struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
	Root   string `json:"root"` // lower-case hexadecimal
	Key    string `json:"key"`
	// Ours: it was signed with the key that signs this log now; else whoever wrote
	// it could sign anything. A key that was changed may have been changed because
	// others had it.
	Ours bool `json:"ours"`
}

// Merged is what became of a side log.
type Merged struct {
	Entries int
	Index   uint64 // of the entry about it
	Ours    bool
	Before  bool // it was merged before; nothing was added
}

// MarkSide is on entries that come from a side log.
const MarkSide = "side log"

// MergeSide puts a side log into the log: one entry that says whence, and its
// entries, marked. A side log that does not verify is refused; one that was merged
// is not merged again. Its folder stays.
func (a *App) MergeSide(ctx context.Context, folder string) (*Merged, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("merge side log: %w", err)
	}
	defer root.Close()
	entries, key, have, err := readSide(root.FS())
	if err != nil {
		return nil, fmt.Errorf("merge side log %s: %w", folder, err)
	}
	result, err := evidence.Verify(root.FS(), evidence.VerifyOptions{Keys: []string{key}})
	if err != nil {
		return nil, fmt.Errorf("merge side log %s: %w", folder, err)
	}
	if have != result.Root {
		return nil, fmt.Errorf("merge side log %s: it changed while it was read", folder)
	}
	d := sideData{Origin: result.Origin, Size: result.Size, Root: hex.EncodeToString(result.Root[:]), Key: key}
	out := &Merged{Entries: len(entries)}
	subject := "sha256:" + d.Root
	written, err := a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		for e, err := range v.Find(evidence.KindSideLog, subject) {
			if err == nil {
				out.Before, out.Index = true, e.Index
			}
			return nil, err
		}
		current, err := lastWord(v)
		if err != nil {
			return nil, err
		}
		d.Ours = current == key
		out.Ours = d.Ours
		data, err := json.Marshal(d)
		if err != nil {
			return nil, err
		}
		marks := []string{}
		if !d.Ours {
			marks = append(marks, custody.MarkUnsigned)
		}
		all := []evidence.Entry{{Kind: evidence.KindSideLog, Tenant: a.tenant(), Who: []string{a.Account}, What: "merge a side log", On: filepath.Base(folder), Subject: subject, Marks: marks, Data: data}}
		for _, e := range entries {
			e.Marks, e.Refers = append(slices.Clone(e.Marks), MarkSide), nil // what it refers to was in another log
			if e.Tenant != "" && !e.Tenant.Equal(a.tenant()) {
				return nil, &hinted{fmt.Errorf("entry %d of it is about tenant %.40q", e.Index, e.Tenant), "merge it into the evidence of that tenant"}
			}
			if !d.Ours && !slices.Contains(e.Marks, custody.MarkUnsigned) {
				e.Marks = append(e.Marks, custody.MarkUnsigned)
			}
			if e.Kind == evidence.KindOpened { // its openers may have signed it, whoever wrote the side log
				judgeOpening(a.approvedPeople(v), &e)
			}
			all = append(all, e)
		}
		return all, nil
	})
	if err != nil {
		return nil, fmt.Errorf("merge side log %s: %w", folder, err)
	}
	if len(written) > 0 {
		out.Index = written[0].Index
	}
	return out, nil
}

const mostSide = 4 << 20

// readSide reads the entries of a side log but the first, the key that the first
// names, and the root of what it read. Kinds by which the log itself is ruled do
// not come by this way.
func readSide(fsys fs.FS) (entries []evidence.Entry, key string, root evidence.Hash, err error) {
	file, err := fsys.Open(evidence.EntriesFile)
	if err != nil {
		return nil, "", root, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostSide+1))
	if err != nil {
		return nil, "", root, err
	}
	if len(text) > mostSide {
		return nil, "", root, fmt.Errorf("it has more than %d bytes", mostSide)
	}
	var tree evidence.Tree
	for line := range strings.Lines(string(text)) {
		e, err := evidence.ParseLine([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			return nil, "", root, err
		}
		tree.Append(evidence.LeafHash([]byte(strings.TrimSuffix(line, "\n"))))
		if e.Kind == evidence.KindLogBegun {
			var d struct{ Key string }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return nil, "", root, err
			}
			key = d.Key
			continue
		}
		if !sideKinds[e.Kind] {
			return nil, "", root, &hinted{fmt.Errorf("an entry of kind %s does not come into the log by a side log", e.Kind), "treat it as an incident: somebody made this side log to rule the log"}
		}
		entries = append(entries, e)
	}
	if key == "" {
		return nil, "", root, errors.New("it does not begin as a log does")
	}
	return entries, key, tree.Root(), nil
}

// sideKinds are kinds that may come from a side log: what was seen and done, never
// what others decide by.
var sideKinds = map[evidence.Kind]bool{evidence.KindOutcome: true, evidence.KindNote: true, evidence.KindCheck: true, evidence.KindProve: true, evidence.KindAttest: true, evidence.KindRefusal: true, evidence.KindOpened: true}
