package evidence_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/testenv"
)

const verifier = "../examples/evidence/verify.py"

func python(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		testenv.Missing(t, "python3 is not there")
	}
	return path
}

// pythonCase is one case for testdata/batch.py. What is nil is as in the first.
type pythonCase struct {
	Files       map[string][]byte `json:"files,omitzero"`
	Keys        []string          `json:"keys,omitempty"`
	Checkpoints [][]byte          `json:"checkpoints,omitzero"`
	Flip        []any             `json:"flip,omitempty"`
}

// pythonVerdicts gives the cases to the verifier in Python, in one process, and
// returns the line that it prints for each.
func pythonVerdicts(t testing.TB, cases []pythonCase) []string {
	t.Helper()
	var stdin, stdout, stderr bytes.Buffer
	encoder := json.NewEncoder(&stdin)
	for _, c := range cases {
		if err := encoder.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), python(t), "-B", "testdata/batch.py", verifier)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	verdicts := strings.Split(strings.TrimSuffix(stdout.String(), "\n"), "\n")
	if len(verdicts) != len(cases) {
		t.Fatalf("%d verdicts on %d cases", len(verdicts), len(cases))
	}
	return verdicts
}

func TestTheVerifierInPythonFindsAndNamesEveryDamage(t *testing.T) {
	all := damages(t)
	cases := make([]pythonCase, len(all))
	for i, d := range all {
		cases[i] = pythonCase{Files: d.files, Keys: d.keys, Checkpoints: append([][]byte{}, d.checkpoints...)}
	}
	o := evidence.VerifyOptions{}.Remembering()
	for i, got := range pythonVerdicts(t, cases) {
		all[i].check(t, "verify.py", got)
		if ours := machine(all[i].files, all[i].options(o)); got != ours {
			t.Errorf("%s: verify.py says %q, Verify says %q", all[i].name, got, ours)
		}
	}
}

func TestTheVerifierInPythonFindsAndNamesEveryBitFlipped(t *testing.T) {
	l := sixty(t).build(t)
	stride := 31 // prime, so that every bit of a byte and every byte of a line has its turn
	if full() {
		stride = 1
	}
	all := flips(l, stride)
	cases := []pythonCase{{Files: l.files(), Keys: l.keys}}
	for _, f := range all {
		cases = append(cases, pythonCase{Flip: []any{f.name, f.byte, f.bit}})
	}
	verdicts := pythonVerdicts(t, cases)
	if verdicts[0] != good(l) {
		t.Errorf("the log as it is: got %q, want %q", verdicts[0], good(l))
	}
	o := evidence.VerifyOptions{Keys: l.keys}.Remembering()
	for i, got := range verdicts[1:] {
		if ours := machine(all[i].apply(l.files()), o); got != ours {
			t.Errorf("%s: verify.py says %q, Verify says %q", all[i], got, ours)
		}
	}
}

// Damages come together, and then the order of the steps decides what is named.
func TestBothVerifiersAgreeOnManyDamagesAtOnce(t *testing.T) {
	rounds := uint64(1)
	if full() {
		rounds = 20
	}
	for seed := range rounds {
		agree(t, rand.New(rand.NewPCG(5, seed)))
	}
}

func agree(t *testing.T, dice *rand.Rand) {
	t.Helper()
	l, forked := sixty(t).build(t), sixty(t)
	forked.fork = 20
	other := forked.build(t)
	notes := append(slices.Clone(l.notes), other.notes...)
	notes = append(notes, sign(t, newKey(t, "mallory", 66), checkpoint(60, evidence.Hash{})), sign(t, newKey(t, "log-1", 1), checkpoint(70, evidence.Hash{})))
	cases, seen := make([]pythonCase, 1500), map[string]int{}
	for i := range cases {
		lines, hashes, own := slices.Clone(l.lines), hashesOf(l.lines), slices.Clone(l.notes)
		if dice.IntN(6) == 0 {
			lines, hashes, own = slices.Clone(other.lines), hashesOf(other.lines), slices.Clone(other.notes)
		}
		for range dice.IntN(4) {
			list := []*[][]byte{&lines, &hashes, &own}[dice.IntN(3)]
			tricks[dice.IntN(len(tricks))](dice, list, notes, other)
			if dice.IntN(3) == 0 {
				hashes = hashesOf(lines)
			}
		}
		c := pythonCase{Files: files(lines, hashes, own), Checkpoints: [][]byte{}, Keys: [][]string{l.keys, l.keys[:1], l.keys[1:2], l.keys[2:], l.keys[:2]}[dice.IntN(5)]}
		for range dice.IntN(3) {
			c.Checkpoints = append(c.Checkpoints, notes[dice.IntN(len(notes))])
		}
		if dice.IntN(4) == 0 {
			for _, name := range slices.Sorted(maps.Keys(c.Files)) {
				if content := c.Files[name]; len(content) > 0 && dice.IntN(3) == 0 {
					c.Files[name] = content[:dice.IntN(len(content))]
				}
			}
		}
		cases[i] = c
	}
	o := evidence.VerifyOptions{}.Remembering()
	for i, got := range pythonVerdicts(t, cases) {
		o.Keys, o.Checkpoints = cases[i].Keys, cases[i].Checkpoints
		if ours := machine(cases[i].Files, o); got != ours {
			t.Errorf("case %d: verify.py says %q, Verify says %q", i, got, ours)
		}
		seen[strings.Fields(got)[len(strings.Fields(got))-1]]++
	}
	for _, fault := range []evidence.Fault{evidence.Altered, evidence.Deleted, evidence.Moved, evidence.Cut, evidence.RolledBack, evidence.Forked,
		evidence.Unsigned, evidence.OtherKey, evidence.Malformed} {
		if seen[string(fault)] == 0 {
			t.Errorf("no case is %s: %v", fault, seen)
		}
	}
	t.Logf("%v", seen)
}

// tricks spoil one of the lists of a log.
var tricks = []func(dice *rand.Rand, list *[][]byte, notes [][]byte, other *fakeLog){
	func(dice *rand.Rand, list *[][]byte, _ [][]byte, _ *fakeLog) { // a bit flipped
		if len(*list) > 0 {
			i := dice.IntN(len(*list))
			content := bytes.Clone((*list)[i])
			if len(content) > 0 {
				content[dice.IntN(len(content))] ^= 1 << dice.IntN(8)
			}
			(*list)[i] = content
		}
	},
	func(dice *rand.Rand, list *[][]byte, _ [][]byte, _ *fakeLog) { // deleted
		if len(*list) > 0 {
			*list = deleted(*list, dice.IntN(len(*list)))
		}
	},
	func(dice *rand.Rand, list *[][]byte, _ [][]byte, _ *fakeLog) { // swapped
		if n := len(*list); n > 0 {
			*list = swapped(*list, dice.IntN(n), dice.IntN(n))
		}
	},
	func(dice *rand.Rand, list *[][]byte, _ [][]byte, _ *fakeLog) { // cut
		*list = (*list)[:dice.IntN(len(*list)+1)]
	},
	func(dice *rand.Rand, list *[][]byte, notes [][]byte, other *fakeLog) { // something of another log put in
		from := [][][]byte{other.lines, hashesOf(other.lines), notes}[dice.IntN(3)]
		*list = slices.Insert(slices.Clone(*list), dice.IntN(len(*list)+1), from[dice.IntN(len(from))])
	},
	func(dice *rand.Rand, list *[][]byte, _ [][]byte, _ *fakeLog) { // given another index
		if n := len(*list); n > 0 {
			i := dice.IntN(n)
			(*list)[i] = reindexed((*list)[i], i, dice.IntN(60))
		}
	},
}
