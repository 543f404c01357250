package custody

// Answer is yes, no, or not known. What was not recorded is Maybe, and Maybe is
// never taken for the better of the two.
type Answer int

// The answers.
const (
	Maybe Answer = iota
	No
	Yes
)

func (a Answer) String() string { return [...]string{"maybe", "no", "yes"}[a] }

// MarshalText implements encoding.TextMarshaler: reports have the word.
func (a Answer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Either is yes when one of two is, and not known when one of them is not.
func Either(a, b Answer) Answer { return max2(a, b, Yes, No) }

// Both is no when one of two is, and not known when one of them is not.
func Both(a, b Answer) Answer { return max2(a, b, No, Yes) }

// max2 is strong when one of two is, weak when both are, else not known.
func max2(a, b, strong, weak Answer) Answer {
	switch {
	case a == strong || b == strong:
		return strong
	case a == weak && b == weak:
		return weak
	}
	return Maybe
}
