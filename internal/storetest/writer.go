package storetest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"halligan/evidence"
	"halligan/internal/store"
)

// Key returns the log key with which the logs of the tests begin.
func Key() *evidence.LogKey {
	key, err := evidence.NewLogKey(bytes.NewReader(bytes.Repeat([]byte{1}, 32)), "tidewater-log-1")
	if err != nil {
		panic(err) // fixed arguments
	}
	return key
}

// Write is the program writer: it opens a store, appends what each line of in
// says, or -n entries, and says "ack INDEX WHAT" for each that was acknowledged,
// "refused WHY" for each that was not, and "open" and "closed". Everything
// happens on one thread, so that what a tracer counts is the same each time.
func Write(args []string, in io.Reader, out io.Writer) int {
	runtime.LockOSThread()
	flags := flag.NewFlagSet("writer", flag.ContinueOnError)
	address := flags.String("store", "", "path or address")
	witness := flags.String("witness", "", "folder")
	n := flags.Int("n", 0, "entries to append without being told")
	big := flags.Int("big", 0, "bytes that each entry has in addition")
	die := flags.Bool("die", false, "end at the first refusal without closing the store, as a crash would")
	pages := flags.Int("pages", 0, "of the write-ahead log")
	socket := flags.String("serve", "", "socket on which others append until the input ends")
	if flags.Parse(args) != nil {
		return 2
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{URL: *address, Witness: *witness, Pages: *pages})
	if err != nil {
		fmt.Fprintln(out, "unopened", oneLine(err))
		return 1
	}
	fmt.Fprintln(out, "open")
	if *socket != "" {
		ctx, stop := context.WithCancel(ctx)
		go func() { // ends with the input
			_, _ = io.Copy(io.Discard, in)
			stop()
		}()
		if err := db.Serve(ctx, Key(), *socket, nil); err != nil {
			fmt.Fprintln(out, "unserved", oneLine(err))
		}
		in = strings.NewReader("")
	}
	one := func(what string) {
		got, err := db.Append(ctx, Key(), Saying(what, *big))
		if err != nil {
			_, poisoned := errors.AsType[*store.PoisonedError](err)
			fmt.Fprintln(out, "refused", poisoned, oneLine(err))
			if *die {
				os.Exit(1)
			}
			return
		}
		fmt.Fprintln(out, "ack", got[len(got)-1].Index, what)
	}
	for i := range *n {
		one(fmt.Sprintf("step %d", i))
	}
	for lines := bufio.NewScanner(in); *n == 0 && lines.Scan(); {
		one(lines.Text())
	}
	if err := db.Close(); err != nil {
		fmt.Fprintln(out, "unclosed", oneLine(err))
		return 1
	}
	fmt.Fprintln(out, "closed")
	return 0
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// Saying drafts one entry that says what. The first of a log begins it.
func Saying(what string, big int) store.Draft {
	return func(v store.View) ([]evidence.Entry, error) {
		e := evidence.Entry{Kind: evidence.KindNote}
		if v.Size() == 0 {
			e = evidence.Begin(Key().Public())
		}
		e.What, e.Who, e.Why = what, []string{"ana"}, strings.Repeat("x", big)
		return []evidence.Entry{e}, nil
	}
}

// BuildWriter builds the program writer, static as the product is.
func BuildWriter(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "writer")
	cmd := exec.Command("go", "build", "-o", path, "halligan/internal/storetest/writer")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the writer: %v\n%s", err, out)
	}
	return path
}
