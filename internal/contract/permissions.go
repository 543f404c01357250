package contract

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Permissions is what operations.tsv says of one operation (Microsoft's
// permissions.json).
type Permissions struct {
	// LeastDelegated and LeastApplication are marked by Microsoft as the least;
	// there may be several, and permissions of neighbouring products among them.
	LeastDelegated, LeastApplication []string
	// AllDelegated and AllApplication list every permission that suffices. One of
	// them empty, and the other not: the operation is not for that kind of caller.
	AllDelegated, AllApplication []string
}

// Known says that the table has permissions for the operation.
func (p Permissions) Known() bool {
	return len(p.AllDelegated)+len(p.AllApplication) > 0
}

// Permission returns the permissions of the operation that a request addresses.
// An exception answers with what its page says. Known is false where Microsoft's
// table has no row.
func (c *Contract) Permission(method, version, path string) (Permissions, error) {
	o, err := c.Find(method, version, path)
	if err != nil {
		return Permissions{}, err
	}
	if o.Exception != nil {
		all := slices.Clone(o.Exception.Permissions)
		return Permissions{LeastDelegated: all[:min(1, len(all))], LeastApplication: all[:min(1, len(all))], AllDelegated: all, AllApplication: all}, nil
	}
	p := c.rows[version+" "+method+" "+o.Path]
	p.AllDelegated, p.AllApplication = o.delegated, o.application
	return p, nil
}

// readPermissions reads operations.tsv: method, path, versions, leastDelegated,
// leastApplication, allApplication. What suffices stands in the description as
// well, for delegated callers too.
func readPermissions(file string) (map[string]Permissions, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the permissions of Graph: %w", err)
	}
	rows := map[string]Permissions{}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		cells := strings.Split(line, "\t")
		if n == 0 {
			continue
		}
		if len(cells) < 6 {
			return nil, fmt.Errorf("read the permissions of Graph: line %d of %s has %d columns", n+1, file, len(cells))
		}
		p := Permissions{LeastDelegated: names(cells[3]), LeastApplication: names(cells[4])}
		for _, version := range strings.Split(cells[2], "+") {
			rows[version+" "+cells[0]+" "+cells[1]] = p
		}
	}
	return rows, nil
}

func names(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, ",")
}
