package register

import (
	"strings"
	"unicode/utf8"
)

// longestWord bounds the words that are compared, since the time grows with the
// product of their lengths.
const longestWord = 64

// Nearest returns the candidate that word was probably meant to be, or nothing.
// Case does not count.
func Nearest(word string, candidates []string) string {
	if utf8.RuneCountInString(word) > longestWord {
		return ""
	}
	best, bestDistance := "", 1+max(1, utf8.RuneCountInString(word)/3)
	for _, candidate := range candidates {
		if utf8.RuneCountInString(candidate) > longestWord {
			continue
		}
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour to get from a to b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	// before, last and row are the distances of the first i-2, i-1 and i letters
	// of a to each beginning of b.
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(from); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(to); j++ {
			replace := last[j-1]
			if from[i-1] != to[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(to)]
}
