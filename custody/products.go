package custody

import (
	"cmp"
	"slices"
	"strings"
)

// Product stands for many sets: every choice of one element from each list.
type Product[T any] struct {
	Of []([]T)
	// First is the number of one of these sets among those that were given.
	First int
}

// Products writes sets shorter without loss: elements are put together that can
// take each other's place in every set. key tells elements apart.
func Products[T any](sets [][]T, key func(T) string) []Product[T] {
	const mark = "\x00"
	// What stands beside an element, over all its sets, says what can stand for it.
	beside := map[string][]string{}
	for _, set := range sets {
		keys := keysOf(set, key)
		for i, k := range keys {
			rest := slices.Delete(slices.Clone(keys), i, i+1)
			beside[k] = append(beside[k], strings.Join(rest, mark))
		}
	}
	class := map[string]string{}
	for k, list := range beside {
		slices.Sort(list)
		class[k] = strings.Join(list, mark+mark)
	}
	members := map[string][]T{}
	known := map[string]bool{}
	for _, set := range sets {
		for _, x := range set {
			if k := key(x); !known[k] {
				known[k] = true
				members[class[k]] = append(members[class[k]], x)
			}
		}
	}
	var out []Product[T]
	seen := map[string]bool{}
	for i, set := range sets {
		var classes []string
		for _, x := range set {
			classes = append(classes, class[key(x)])
		}
		slices.Sort(classes)
		if id := strings.Join(classes, mark+mark+mark); !seen[id] {
			seen[id] = true
			p := Product[T]{First: i}
			for _, x := range set {
				p.Of = append(p.Of, members[class[key(x)]])
			}
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b Product[T]) int { return cmp.Compare(len(a.Of), len(b.Of)) })
	return out
}

func keysOf[T any](set []T, key func(T) string) []string {
	var out []string
	for _, x := range set {
		out = append(out, key(x))
	}
	slices.Sort(out)
	return out
}
