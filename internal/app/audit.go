package app

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"halligan/evidence"
)

// Audit decides once more, from an exported log alone, whether everything that was
// carried out had been approved by the people and rules of that moment. Whoever can
// run as the account that owns the store can write entries past this program; what
// they cannot write is the signatures of others. origin is that of the checkpoints.
//
// evidence.Verify says that the log is what was signed; Audit says whether what it
// tells was allowed.
func Audit(fsys fs.FS, origin string) (*AuditReport, error) {
	file, err := fsys.Open(evidence.EntriesFile)
	if err != nil {
		return nil, fmt.Errorf("audit the evidence: %w", err)
	}
	defer file.Close()
	f, out := newFold("", strings.TrimPrefix(origin, evidence.OriginPrefix), nil), &AuditReport{Findings: []AuditFinding{}, Open: []uint64{}}
	lines := bufio.NewReaderSize(file, evidence.MaxLine+1)
	for n := uint64(0); ; n++ {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("audit the evidence: read entry %d: %w", n, err)
		}
		e, err := evidence.ParseLine(line[:len(line)-1])
		if err != nil {
			return nil, fmt.Errorf("audit the evidence: %w", err)
		}
		if wrong := f.take(&e); wrong != "" && len(out.Findings) < mostFindings {
			out.Findings = append(out.Findings, AuditFinding{e.Index, wrong})
		}
	}
	out.Requests, out.Decided, out.OnePerson, out.Register = len(f.order), f.decided, f.alone, f.approved
	for _, one := range f.requests {
		if one.back != nil {
			out.Withdrawn++
		}
	}
	for i := range f.open {
		out.Open = append(out.Open, i)
	}
	slices.Sort(out.Open)
	return out, nil
}

const mostFindings = 1000

// AuditReport is what an audit found.
type AuditReport struct {
	// Requests were asked for, Decided carried out, each approved as it had to be
	// unless Findings says otherwise.
	Requests int `json:"requests"`
	Decided  int `json:"decided"`
	// Withdrawn were taken back by who had asked.
	Withdrawn int `json:"withdrawn"`
	// OnePerson counts what one person decided alone, as the register allowed.
	OnePerson int `json:"onePerson"`
	// Open are intents of which no outcome tells.
	Open     []uint64       `json:"open"`
	Findings []AuditFinding `json:"findings"`
	// Register is the digest of the deciding part that holds at the end.
	Register string `json:"register,omitempty"`
}

// Good reports whether everything that was carried out was approved.
func (r *AuditReport) Good() bool { return len(r.Findings) == 0 }

// AuditFinding is an entry that no approval carries.
type AuditFinding struct {
	Index uint64 `json:"index"`
	Says  string `json:"says"`
}
