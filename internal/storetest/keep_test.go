package storetest_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
	"halligan/internal/storetest"
)

func check(t *testing.T, db *store.DB, more ...[]byte) *store.Report {
	t.Helper()
	report, err := db.Check(t.Context(), evidence.VerifyOptions{Keys: []string{firstKey}, Checkpoints: more})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// twoPages is more entries than are read at a time, and than lie between two
// checkpoints that are kept.
const twoPages = 150

func TestAnExportIsVerifiedWithoutTheStore(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open(store.Options{URL: p.address("log.db")})
		fill(t, db, p.key, twoPages)
		given, err := db.Give(t.Context(), "mail to ben")
		if err != nil {
			t.Fatal(err)
		}
		fill(t, db, p.key, 3)
		folder := filepath.Join(p.dir, "export")
		if err := db.Export(t.Context(), folder); err != nil {
			t.Fatal(err)
		}
		result, err := evidence.Verify(os.DirFS(folder), evidence.VerifyOptions{Keys: []string{firstKey}, Checkpoints: [][]byte{given}})
		if err != nil || result.Size != twoPages+3 || result.Outside != 1 {
			t.Fatalf("got %+v, %v", result, err)
		}
		var sizes []uint64
		for _, c := range result.Checkpoints {
			sizes = append(sizes, c.Size)
		}
		if want := []uint64{64, 128, twoPages, twoPages + 3}; !slices.Equal(sizes, want) {
			t.Errorf("the export has checkpoints of %d entries, want %d", sizes, want)
		}
		if err := db.Export(t.Context(), folder); err == nil {
			t.Error("an export was written over another")
		}
	})
}

func TestABackupBecomesAStoreAgainAndTheLogSaysSo(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		db := p.open(store.Options{URL: p.address("log.db")})
		fill(t, db, p.key, twoPages)
		backup := filepath.Join(p.dir, "backup.db")
		if err := db.Backup(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		if err := db.Backup(t.Context(), backup); !errors.Is(err, os.ErrExist) {
			t.Errorf("over a backup: got %v", err)
		}
		if left, err := filepath.Glob(filepath.Join(p.dir, "backup.db?*")); err != nil || len(left) > 0 {
			t.Errorf("beside the backup lie %q", left)
		}
		fill(t, db, p.key, 1) // the original goes on
		for name, address := range map[string]string{"the same kind": p.address("again.db"), "a file": filepath.Join(p.dir, "moved.db")} {
			if err := store.Restore(t.Context(), backup, store.Options{URL: address}, store.RestoreOptions{}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := store.Restore(t.Context(), backup, store.Options{URL: address}, store.RestoreOptions{}); err == nil {
				t.Errorf("%s: restored over a store", name)
			}
			again := p.open(store.Options{URL: address})
			if again.Identity().ID != db.Identity().ID || !again.Identity().Created.Equal(db.Identity().Created) || again.Identity().Restored == nil {
				t.Errorf("%s: got %+v, want that of %+v", name, again.Identity(), db.Identity())
			}
			got, err := again.Append(t.Context(), p.key, saying("after the restore"))
			if err != nil || len(got) != 1 || got[0].Index != twoPages+1 {
				t.Fatalf("%s: got %v, %v", name, got, err)
			}
			fill(t, again, p.key, 1)
			err = again.View(t.Context(), func(v store.View) error {
				e, err := v.Entry(twoPages)
				if err != nil || e.Kind != evidence.KindRestored || !strings.Contains(string(e.Data), `"size":150`) {
					t.Errorf("%s: the entry after the restore is %+v, %v", name, e, err)
				}
				c, err := evidence.OpenCheckpoint(v.Checkpoint(), firstKey)
				if err != nil || c.Generation != 1 {
					t.Errorf("%s: the checkpoint after the restore is %+v, %v", name, c, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if report := check(t, again); !report.Good() || report.Size != twoPages+3 {
				t.Errorf("%s: check found %+v", name, report)
			}
			again.Close()
			second := filepath.Join(p.dir, "second "+name)
			if again = p.open(store.Options{URL: address}); again.Identity().Generation != 1 || again.Identity().Restored != nil {
				t.Errorf("%s: later it is %+v", name, again.Identity())
			}
			if err := again.Backup(t.Context(), second); err != nil {
				t.Fatal(err)
			}
			if copied := p.open(store.Options{URL: second, ReadOnly: true}); copied.Identity().Generation != 1 || copied.Identity().Restored != nil {
				t.Errorf("%s: its backup is %+v", name, copied.Identity())
			}
		}
	})
}

// pair is an original with a witness, and a backup of it.
func pair(t *testing.T, p *place, more int) (original *store.DB, backup, witness string) {
	t.Helper()
	witness = filepath.Join(p.dir, "witness")
	if err := os.Mkdir(witness, 0o700); err != nil {
		t.Fatal(err)
	}
	p.last = p.address("log.db")
	original = p.open(store.Options{URL: p.last, Witness: witness})
	fill(t, original, p.key, 5)
	backup = filepath.Join(p.dir, "backup.db")
	if err := original.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	fill(t, original, p.key, more)
	return original, backup, witness
}

func (p *place) restored(t *testing.T, backup, witness string, gone bool) *store.DB {
	t.Helper()
	o := store.Options{URL: p.address("restored.db"), Witness: witness}
	p.last = o.URL
	if err := store.Restore(t.Context(), backup, o, store.RestoreOptions{OriginalGone: gone}); err != nil {
		t.Fatal(err)
	}
	return p.open(o)
}

func forked(t *testing.T, db *store.DB, p *place, rolledBack bool) {
	t.Helper()
	size := len(whats(t, db))
	if report := check(t, db); report.Fork == nil || report.Fork.RolledBack != rolledBack {
		t.Errorf("check says %+v", report)
	}
	for try := range 2 {
		_, err := db.Append(t.Context(), p.key, saying("beside the other"))
		if err == nil {
			t.Fatal("a forked log was written to")
		}
		fork, is := errors.AsType[*store.ForkError](err)
		if try == 0 && (!is || fork.RolledBack != rolledBack || !fork.Security() || fork.Hint() == "") {
			t.Errorf("got %v", err)
		}
	}
	if db.Poisoned() == nil || len(whats(t, db)) != size {
		t.Error("after a fork was found the store is still trusted")
	}
}

func TestARestoredBackupBesideItsOriginalIsFound(t *testing.T) {
	t.Run("the original is ahead", func(t *testing.T) {
		onEach(t, func(t *testing.T, p *place) {
			original, backup, witness := pair(t, p, 2)
			forked(t, p.restored(t, backup, witness, false), p, true)
			fill(t, original, p.key, 1)
		})
	})
	t.Run("the copy writes first", func(t *testing.T) {
		onEach(t, func(t *testing.T, p *place) {
			original, backup, witness := pair(t, p, 0)
			fill(t, p.restored(t, backup, witness, false), p.key, 1)
			forked(t, original, p, true)
		})
	})
	t.Run("the original catches up", func(t *testing.T) {
		onEach(t, func(t *testing.T, p *place) {
			original, backup, witness := pair(t, p, 0)
			copied := p.restored(t, backup, witness, false)
			aside := filepath.Join(p.dir, "aside")
			if err := os.Rename(witness, aside); err != nil { // for a while the original cannot see it
				t.Fatal(err)
			}
			if _, err := original.Append(t.Context(), p.key, saying("without a witness")); err == nil {
				t.Error("written although the witness could not be asked")
			}
			if err := os.Rename(aside, witness); err != nil {
				t.Fatal(err)
			}
			fill(t, original, p.key, 4)
			forked(t, copied, p, true)
		})
	})
	t.Run("the original comes back after it was given up", func(t *testing.T) {
		onEach(t, func(t *testing.T, p *place) {
			original, backup, witness := pair(t, p, 2)
			copied := p.restored(t, backup, witness, true)
			fill(t, copied, p.key, 1)
			err := copied.View(t.Context(), func(v store.View) error {
				e, err := v.Entry(5)
				if err != nil || e.Kind != evidence.KindRestored || !strings.Contains(string(e.Data), `"lostSize":7`) {
					t.Errorf("the entry after the restore is %+v, %v", e, err)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(witness, copied.Identity().ID+".lost-7.checkpoint")); err != nil {
				t.Errorf("what was given up is not kept: %v", err)
			}
			given := filepath.Join(witness, copied.Identity().ID)
			if err := os.Rename(given+".lost-7.checkpoint", given+".checkpoint"); err != nil { // as if the power had failed before the witness was told
				t.Fatal(err)
			}
			address := p.last
			if err := copied.Close(); err != nil {
				t.Fatal(err)
			}
			copied = p.open(store.Options{URL: address, Witness: witness})
			fill(t, copied, p.key, 2)
			forked(t, original, p, true)
			fill(t, copied, p.key, 3)
		})
	})
}

// A copy of the file is a backup that nobody has marked.
func TestAPlainCopyBesideItsOriginalIsFound(t *testing.T) {
	p := newPlace(t, nil)
	original, _, witness := pair(t, p, 0)
	if err := original.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(p.dir, "log.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "copy.db"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	original = p.open(store.Options{URL: filepath.Join(p.dir, "log.db"), Witness: witness})
	copied := p.open(store.Options{URL: filepath.Join(p.dir, "copy.db"), Witness: witness})
	fill(t, original, p.key, 1)
	forked(t, copied, p, true)
	fill(t, original, p.key, 1)
}

func TestARestoreDoesNotRepeatItselfOrHideDamage(t *testing.T) {
	p := newPlace(t, nil)
	address := p.address("log.db")
	db := p.open(store.Options{URL: address})
	fill(t, db, p.key, 5)
	db.Close()
	storetest.Exec(t, address, `drop trigger entries_no_update`, `update entries set line = replace(line, 'step 3', 'step 4') where "index" = 3`)
	db = p.open(store.Options{URL: address})
	backup := filepath.Join(p.dir, "backup.db")
	if err := db.Backup(t.Context(), backup); err == nil {
		t.Error("a damaged store was backed up")
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, "*backup*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := store.Restore(t.Context(), filepath.Join(p.dir, "none.db"), store.Options{URL: filepath.Join(p.dir, "new.db")}, store.RestoreOptions{}); err == nil {
		t.Error("a backup that is not there was restored")
	}
}

func TestEntriesCheckpointsAndTheHeadAreOnlyAppended(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 70)
		driver := map[bool]string{true: "pgx", false: "sqlite"}[p.pg != nil]
		raw, err := sql.Open(driver, address)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		statements := []string{
			`update entries set kind = 'note'`, `update entries set line = line where "index" = 1`, `delete from entries where "index" = 69`, `delete from entries`,
			`update head set size = 3`, `delete from head`, `delete from checkpoints`, `update checkpoints set size = 3`, `delete from found`, `update found set kind = 'note'`,
		}
		if p.pg != nil {
			statements = append(statements, `truncate entries`, `truncate head`, `truncate checkpoints`, `truncate found`,
				`insert into entries ("index", kind, subject, line, leaf) select 71, kind, subject, line, leaf from entries where "index" = 1`)
		}
		for _, statement := range statements {
			if _, err := raw.Exec(statement); err == nil || !strings.Contains(err.Error(), "only") && !strings.Contains(err.Error(), "gap") {
				t.Errorf("%s: got %v", statement, err)
			}
		}
		if report := check(t, db); !report.Good() || report.Size != 70 {
			t.Errorf("check found %+v", report)
		}
	})
}

func TestCheckNamesWhatWasChangedPastTheStore(t *testing.T) {
	drop := map[bool][]string{
		false: {`drop trigger entries_no_update`, `drop trigger entries_no_delete`, `drop trigger head_grows`, `drop trigger checkpoints_no_update`, `drop trigger found_no_update`, `drop trigger found_no_delete`},
		true:  {`alter table entries disable trigger all`, `alter table head disable trigger all`, `alter table checkpoints disable trigger all`, `alter table found disable trigger all`},
	}
	for name, c := range map[string]struct {
		sqlite, postgres string
		index            uint64
		fault            evidence.Fault // empty: only the tables disagree
		unopened         bool
	}{
		"a changed line": {`update entries set line = replace(line, 'step 20', 'step 21') where "index" = 20`,
			`update entries set line = convert_to(replace(convert_from(line, 'UTF8'), 'step 20', 'step 21'), 'UTF8') where "index" = 20`, 20, evidence.Altered, false},
		"a deleted row":                                {`delete from entries where "index" = 33`, "", 33, evidence.Deleted, false},
		"the last rows deleted":                        {`delete from entries where "index" > 60`, "", 0, "", true},
		"an entry after a gap":                         {`insert into entries ("index", kind, subject, line, leaf) select 71, kind, subject, line, leaf from entries where "index" = 1`, "", 70, evidence.Deleted, true},
		"an entry at the end":                          {`insert into entries ("index", kind, subject, line, leaf) select 70, kind, subject, line, leaf from entries where "index" = 1`, "", 70, evidence.Deleted, true},
		"two rows swapped":                             {`update entries set "index" = -1 where "index" = 5; update entries set "index" = 5 where "index" = 6; update entries set "index" = 6 where "index" = -1`, "", 5, evidence.Moved, false},
		"a changed leaf":                               {`update entries set leaf = (select leaf from entries where "index" = 1) where "index" = 40`, "", 40, evidence.Altered, false},
		"a kind beside its entry":                      {`update entries set kind = 'refusal' where "index" = 12`, "", 0, "", false},
		"a subject beside its entry":                   {`update entries set subject = 'sha256:00' where "index" = 12`, "", 0, "", false},
		"the head taken back":                          {`update head set size = 3, note = (select note from entries where "index" = 2)`, "", 0, "", true},
		"another note in the head":                     {`update head set note = (select note from entries where "index" = 69)`, "", 0, "", true},
		"the newest entry without its checkpoint":      {`update entries set note = null where "index" = 69`, "", 64, evidence.Unsigned, true},
		"another checkpoint of the newest entry":       {`update entries set note = (select note from entries where "index" = 68) where "index" = 69`, "", 69, evidence.Unsigned, true},
		"an entry that is not found":                   {`delete from found where "index" = 12`, "", 0, "", false},
		"an entry that is found as another":            {`update found set kind = 'refusal' where "index" = 12`, "", 0, "", false},
		"an entry that is found under another subject": {`update found set subject = 'sha256:00' where "index" = 12`, "", 0, "", false},
		"another kept checkpoint":                      {`update checkpoints set size = 10`, "", 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, p *place) {
				address := p.address("log.db")
				db := p.open(store.Options{URL: address})
				fill(t, db, p.key, 70)
				db.Close()
				statement := c.sqlite
				if p.pg != nil && c.postgres != "" {
					statement = c.postgres
				}
				storetest.Exec(t, address, append(slices.Clone(drop[p.pg != nil]), strings.Split(statement, "; ")...)...)
				db, err := store.Open(t.Context(), store.Options{URL: address})
				if _, is := errors.AsType[*store.DamagedError](err); is != c.unopened {
					t.Errorf("to open it as the owner: %v", err)
				}
				if err == nil {
					db.Close()
				}
				report := check(t, p.open(store.Options{URL: address, ReadOnly: true}))
				if name == "another kept checkpoint" {
					return // its signed size counts, not the column's
				}
				if report.Good() || len(report.Damage) == 0 {
					t.Errorf("check found nothing: %+v", report)
				}
				if c.fault != "" && (report.Evidence == nil || report.Evidence.Index != c.index || report.Evidence.Fault != c.fault) {
					t.Errorf("the evidence says %v, want entry %d %s", report.Evidence, c.index, c.fault)
				}
			})
		})
	}
}

func TestAStoreOfTheFirstFormatIsBroughtToTheNewest(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 64) // the head stands at the end, as it always did
		db.Close()
		storetest.Exec(t, address, `drop table found`, `alter table entries drop column note`,
			`create index entries_kind_subject on entries (kind, subject)`, `delete from halligan_version where version_id = 2`)
		if _, err := store.Open(t.Context(), store.Options{URL: address, ReadOnly: true}); err == nil {
			t.Error("a store of the first format was read as one of the second")
		}
		if p.pg == nil { // as a backup it is restored, and stays as it is
			before, err := os.ReadFile(address)
			if err != nil {
				t.Fatal(err)
			}
			other := filepath.Join(t.TempDir(), "restored.db")
			if err := store.Restore(t.Context(), address, store.Options{URL: other}, store.RestoreOptions{}); err != nil {
				t.Error(err)
			}
			if after, err := os.ReadFile(address); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the backup was changed: %v", err)
			}
			again := p.open(store.Options{URL: other})
			if report := check(t, again); !report.Good() || report.Size != 64 {
				t.Errorf("restored: %+v", report)
			}
			again.Close()
		}
		db = p.open(store.Options{URL: address})
		fill(t, db, p.key, 3)
		if report := check(t, db); !report.Good() || report.Size != 67 {
			t.Errorf("check found %+v", report)
		}
		found := 0
		err := db.View(t.Context(), func(v store.View) error {
			for _, err := range v.Find(evidence.KindNote, "") {
				if err != nil {
					return err
				}
				found++
			}
			return nil
		})
		if err != nil || found != 66 {
			t.Errorf("%d entries of a kind were found, want 66: %v", found, err)
		}
	})
}

func TestAStoreOfANewerFormatIsLeftAlone(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 3)
		db.Close()
		storetest.Exec(t, address, `insert into halligan_version (version_id, is_applied) values (99, true)`)
		for _, readOnly := range []bool{false, true} {
			_, err := store.Open(t.Context(), store.Options{URL: address, ReadOnly: readOnly})
			newer, is := errors.AsType[*store.NewerError](err)
			if !is || newer.Have != 99 || newer.Know != 2 || hint(err) == "" {
				t.Errorf("read only %v: got %v", readOnly, err)
			}
		}
		storetest.Exec(t, address, `delete from halligan_version where version_id = 99`)
		if got := whats(t, p.open(store.Options{URL: address})); len(got) != 3 {
			t.Errorf("got %q", got)
		}
	})
}

func TestAMigrationThatStopsHalfwayHasNotHappened(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		storetest.Exec(t, address, `create view checkpoints as select 1 as one`) // in its way, near its end
		if _, err := store.Open(t.Context(), store.Options{URL: address}); err == nil {
			t.Fatal("the migration went through")
		}
		_, err := store.Open(t.Context(), store.Options{URL: address, ReadOnly: true})
		if _, is := errors.AsType[*store.OlderError](err); !is || hint(err) == "" {
			t.Errorf("to read it: got %v", err)
		}
		storetest.Exec(t, address, `drop view checkpoints`)
		fill(t, p.open(store.Options{URL: address}), p.key, 3)
	})
}

func TestAFileOfAnotherProgramIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	storetest.Exec(t, other, `create table passwords (site text)`)
	text := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("dear ana ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, text} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			_, err := store.Open(t.Context(), store.Options{URL: path, ReadOnly: readOnly})
			if _, is := errors.AsType[*store.ForeignError](err); !is || hint(err) == "" {
				t.Errorf("%s: got %v", path, err)
			}
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s was changed", path)
		}
	}
	if _, err := store.Open(t.Context(), store.Options{URL: filepath.Join(dir, "none.db"), ReadOnly: true}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a store that is not there: got %v", err)
	}
}

func TestAStoreIsForItsOwnerOnly(t *testing.T) {
	p := newPlace(t, nil)
	db := p.open(store.Options{URL: filepath.Join(p.dir, "log.db")})
	fill(t, db, p.key, 2)
	names, err := filepath.Glob(filepath.Join(p.dir, "log.db*"))
	if err != nil || len(names) < 3 {
		t.Fatalf("got %q, %v", names, err)
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
}

func TestAClosedStoreAndAReaderDoNotWrite(t *testing.T) {
	onEach(t, func(t *testing.T, p *place) {
		address := p.address("log.db")
		db := p.open(store.Options{URL: address})
		fill(t, db, p.key, 2)
		reader := p.open(store.Options{URL: address, ReadOnly: true})
		db.Close()
		for _, d := range []*store.DB{db, reader} {
			if _, err := d.Append(t.Context(), p.key, saying("late")); err == nil {
				t.Error("written")
			}
			if _, err := d.Give(t.Context(), "mail"); err == nil {
				t.Error("given")
			}
		}
		if err := db.View(t.Context(), func(store.View) error { return nil }); err == nil {
			t.Error("a closed store was read")
		}
		if err := db.Close(); err != nil {
			t.Errorf("closed twice: %v", err)
		}
	})
}
