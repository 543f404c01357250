package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"halligan/internal/contract"
)

// said judges all that the tests of this package say to Graph and are answered;
// nil without the description. The tests ask wrongly on purpose: what is wrong
// with a request that is refused is no finding.
var said *contract.Recorder

func TestMain(m *testing.M) {
	if folder := os.Getenv("HALLIGAN_CONTRACT"); folder != "" {
		c, err := contract.Load(folder)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		said = c.NewRecorder()
		said.AllowRefused()
	}
	code := m.Run()
	if said != nil {
		report := said.Report()
		for _, line := range report.Lines() {
			fmt.Fprintln(os.Stderr, "contract:", line)
		}
		fmt.Fprintf(os.Stderr, "contract: %d exchanges with %d operations, %d differences\n", report.Exchanges, len(report.Operations), len(report.Lines()))
		if len(report.Findings) > 0 && code == 0 {
			code = 1
		}
	}
	os.Exit(code)
}

// heard reads the lines of Config.Record as the contract's exchanges.
type heard struct{ by *contract.Recorder }

func (h heard) Write(line []byte) (int, error) {
	var x contract.Exchange
	if err := json.Unmarshal(line, &x); err != nil {
		return 0, err
	}
	if x.ResponseHeader == nil {
		x.ResponseHeader = http.Header{}
	}
	h.by.Record(x)
	return len(line), nil
}

// judged is a configuration whose tenant is held against the description.
func judged(config Config) Config {
	if said != nil && config.Record == nil && config.routes == nil {
		config.Record = heard{said}
	}
	return config
}
