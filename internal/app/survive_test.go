package app_test

import (
	"bufio"
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/examples"
	"halligan/internal/app"
)

// handWorked is what somebody worked out on paper for one register.
type handWorked struct {
	register          string
	certain, possible map[string]bool
	open              map[string]map[string]bool
	holds             string
	broken            []string
	reasons, lines    int
}

// readHandWorked reads the files in examples/custody: a line stands for every choice of
// one from each side of each +.
func readHandWorked(t *testing.T, name string) []*handWorked {
	t.Helper()
	text, err := fs.ReadFile(examples.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(register string) *handWorked {
		return &handWorked{register: register, certain: map[string]bool{}, possible: map[string]bool{}, open: map[string]map[string]bool{}}
	}
	out := []*handWorked{begin(strings.TrimSuffix(path.Base(name), ".txt") + ".yaml")}
	for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
		h, line := out[len(out)-1], scan.Text()
		word, rest, _ := strings.Cut(line, ": ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "  "):
			h.reasons++
		case strings.HasPrefix(line, "register "):
			if next := begin(strings.TrimPrefix(line, "register ")); len(out) == 1 && h.holds == "" {
				out[0] = next
			} else {
				out = append(out, next)
			}
		case word == "certain", word == "possible":
			into := h.certain
			if word == "possible" {
				into = h.possible
			}
			h.lines++
			expand(t, into, rest)
		case strings.HasPrefix(word, "open "):
			account := strings.TrimPrefix(word, "open ")
			if h.open[account] == nil {
				h.open[account] = map[string]bool{}
			}
			h.lines++
			expand(t, h.open[account], rest)
		case word == "holds":
			h.holds = rest
		case word == "broken":
			h.broken = append(h.broken, rest)
		default:
			t.Fatalf("%s: what is %q?", name, line)
		}
	}
	return out
}

func expand(t *testing.T, into map[string]bool, line string) {
	t.Helper()
	sets := [][]string{{}}
	for side := range strings.SplitSeq(line, " + ") {
		var next [][]string
		for _, set := range sets {
			for name := range strings.SplitSeq(side, " | ") {
				next = append(next, append(slices.Clone(set), strings.TrimSpace(name)))
			}
		}
		sets = next
	}
	for _, set := range sets {
		slices.Sort(set)
		if k := strings.Join(set, " + "); into[k] {
			t.Errorf("%s stands twice", k)
		} else {
			into[k] = true
		}
	}
}

func lossNames(list []custody.LossSet) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		var names []string
		for _, l := range s.Lost {
			names = append(names, l.String())
		}
		slices.Sort(names)
		out[strings.Join(names, " + ")] = true
	}
	return out
}

func sameSets(t *testing.T, what string, got, want map[string]bool) {
	t.Helper()
	for k := range got {
		if !want[k] {
			t.Errorf("%s: {%s} is told, and was not found by hand", what, k)
		}
	}
	for k := range want {
		if !got[k] {
			t.Errorf("%s: {%s} was found by hand, and is not told", what, k)
		}
	}
}

// surviveOf judges one of the example registers by itself.
func surviveOf(t *testing.T, name string) *app.SurviveReport {
	t.Helper()
	text, err := fs.ReadFile(examples.FS(), name)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := app.ReadRegister(name, text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := app.Survive(t.Context(), app.SurviveRequest{Register: reg, RegisterName: name})
	if err != nil {
		t.Fatal(err)
	}
	conformsToSurvive(t, r)
	return r
}

// What was worked out by hand for the set-ups of the articles is what the program
// finds, all of it and nothing else.
func TestExamplesSurviveAsWorkedOutByHand(t *testing.T) {
	for _, name := range []string{"ians", "bakker", "indefent"} {
		t.Run(name, func(t *testing.T) {
			worked(t, surviveOf(t, "custody/"+name+".yaml"), readHandWorked(t, "custody/"+name+".txt")[0])
		})
	}
}

// worked compares all that a report tells with what was worked out by hand.
func worked(t *testing.T, r *app.SurviveReport, h *handWorked) {
	t.Helper()
	if h.lines == 0 || h.reasons != h.lines {
		t.Errorf("%d lines have %d reasons", h.lines, h.reasons)
	}
	sameSets(t, "certain", lossNames(r.Sets.Certain), h.certain)
	sameSets(t, "possible", lossNames(r.Sets.Possible), h.possible)
	for _, o := range r.Openings {
		got := map[string]bool{}
		for _, x := range append(slices.Clone(o.Certain), o.Possible...) {
			people := slices.Sorted(slices.Values(x.People))
			got[strings.Join(people, " + ")] = true
		}
		sameSets(t, "open "+o.Name, got, h.open[o.Name])
		delete(h.open, o.Name)
	}
	if len(h.open) > 0 {
		t.Errorf("accounts that the register does not have: %v", h.open)
	}
	judged(t, r, h)
}

// Each broken set-up breaks what it is there to show, and nothing else; what ends it and
// who could open it is what was worked out by hand, too.
func TestBrokenExamplesBreakTheirRule(t *testing.T) {
	entries, err := fs.ReadDir(examples.FS(), "custody/broken")
	if err != nil {
		t.Fatal(err)
	}
	hand := readHandWorked(t, "custody/broken/broken.txt")
	if len(hand) != len(entries)-1 {
		t.Errorf("%d registers, %d worked out", len(entries)-1, len(hand))
	}
	for _, h := range hand {
		t.Run(h.register, func(t *testing.T) { worked(t, surviveOf(t, "custody/broken/"+h.register), h) })
	}
}

func judged(t *testing.T, r *app.SurviveReport, h *handWorked) {
	t.Helper()
	if r.Holds.String() != h.holds {
		t.Errorf("it holds: %v, by hand %s: %s", r.Holds, h.holds, r.Judgement)
	}
	if !slices.Equal(slices.Sorted(slices.Values(r.Broken)), slices.Sorted(slices.Values(h.broken))) {
		t.Errorf("broken:\n  %s\nby hand:\n  %s", strings.Join(r.Broken, "\n  "), strings.Join(h.broken, "\n  "))
	}
}

// What was found missing is lost, and a broken seal is told; a new seal, or a look that
// finds it, ends that.
func TestWhatIsMissingCountsAsLost(t *testing.T) {
	k := kept(t)
	works := func(held *app.Held) (custody.Answer, *app.SurviveReport) {
		t.Helper()
		r, err := app.Survive(t.Context(), app.SurviveRequest{Register: k.Register, Held: held})
		must(t, err)
		for _, w := range r.Now {
			if w.Way == "North 1" {
				return w.Works, r
			}
		}
		t.Fatalf("no way: %+v", r.Now)
		return custody.No, nil
	}
	before, r := works(k.heldNow())
	if before == custody.No || !strings.Contains(r.Basis, "and what was found at the last looks") || len(r.Remarks) > 0 && strings.Contains(r.Remarks[0], "missing") {
		t.Fatalf("%v: %s %q", before, r.Basis, r.Remarks)
	}
	k.looks(app.Look{Part: "north key", State: app.PartMissing})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	got, r := works(k.heldNow())
	said := strings.Join(r.Remarks, "\n")
	if got != custody.No || !strings.Contains(said, "north key was found missing on 2026-11-21 by ben, and counts as lost") || !strings.Contains(said, "north pin: its seal was found broken on 2026-11-21 by ben") {
		t.Errorf("%v: %s", got, said)
	}
	if why := r.Now[0].Why; !strings.Contains(why, "was found missing on 2026-11-21 by ben") {
		t.Errorf("why: %q", why)
	}
	b, err := k.Binder(t.Context(), k.now)
	must(t, err)
	if len(b.Looks) != 2 || !strings.Contains(strings.Join(b.Ways[0].Takes, "; "), "was found missing") {
		t.Errorf("the binder: %q, %q", b.Looks, b.Ways)
	}
	if got, r = works(nil); got != before || !strings.Contains(r.Basis, "what was found at the last looks is not known here") {
		t.Errorf("without the log: %v: %s", got, r.Basis)
	}
	if b, err = app.Binder(t.Context(), k.Register, k.now); err != nil || len(b.Looks) != 1 || !strings.Contains(b.Looks[0], "not known here") {
		t.Errorf("the binder without the log: %q, %v", b.Looks, err)
	}
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	if got, _ = works(k.heldNow()); got != before {
		t.Errorf("found again: %v", got)
	}
}
