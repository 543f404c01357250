package plan

import (
	"cmp"
	"slices"
	"strings"
)

// maxNear is how many suggestions an error makes.
const maxNear = 3

// near returns the candidates that a person may have meant, best first: those
// that contain the word, and those that are a few slips of the keyboard away, as
// a whole or by the code before a colon.
func near(word string, candidates []string) []string {
	type guess struct {
		text string
		far  int
	}
	low := strings.ToLower(strings.TrimSpace(word))
	var guesses []guess
	for _, c := range candidates {
		lc := strings.ToLower(c)
		d := slips(low, lc)
		if code, _, named := strings.Cut(lc, ":"); named { // CA014: Block everything
			d = min(d, slips(low, code))
		}
		switch {
		case low == "" || lc == "":
		case d <= max(2, len(low)/4):
			guesses = append(guesses, guess{c, d})
		case len(low) >= 3 && strings.Contains(lc, low):
			guesses = append(guesses, guess{c, len(low)})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Or(cmp.Compare(a.far, b.far), strings.Compare(a.text, b.text)) })
	var out []string
	for _, g := range guesses {
		if !slices.Contains(out, g.text) && len(out) < maxNear {
			out = append(out, g.text)
		}
	}
	return out
}

// slips counts the insertions, deletions, replacements and swaps of neighbours
// between two words.
func slips(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 200 || len(y) > 200 {
		return max(len(x), len(y))
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
