package evidence_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
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

// pythonCase is one case for testdata/batch.py.
type pythonCase struct {
	Files       map[string][]byte `json:"files,omitzero"`
	Keys        []string          `json:"keys,omitempty"`
	Checkpoints [][]byte          `json:"checkpoints,omitempty"`
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
		cases[i] = pythonCase{Files: d.files, Keys: d.keys, Checkpoints: d.checkpoints}
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
