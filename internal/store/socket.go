package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"halligan/evidence"
)

// A process that owns a store for long, halligan serve, appends for the other
// commands of its machine. They read the store themselves, beside the owner, and
// send what to append together with the size at which they looked: when the log
// has grown meanwhile, they look again. So a draft sees the log as it is when it
// is written, there as here.
//
// The way is a socket that its owner's account alone may open (unix 0600, on
// Windows a named pipe for that account), and the account of whoever connects is
// asked of the operating system. Whoever runs as that account could read the log
// key as well: the socket is no border between people, the corridor is.

// proposal is what a command asks the owner to append.
type proposal struct {
	Store string            `json:"store"` // id
	Size  uint64            `json:"size"`  // of the log that the draft has seen
	Lines []json.RawMessage `json:"lines"` // with the places that they will have
}

// agreement is the owner's answer.
type agreement struct {
	Size  uint64 `json:"size"`            // of the log now
	Moved bool   `json:"moved,omitempty"` // it had grown; nothing was appended
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

const (
	mostProposed = 8 << 20 // bytes of a proposal
	mostAttempts = 50      // of a command whose log keeps growing
	answerTime   = 30 * time.Second
	// A process that is stopped or hangs still takes connections: the system does
	// that for it. Whether it lives is asked before anything is sent, and again
	// while an answer is waited for.
	lifeTime  = 2 * time.Second
	lifePause = time.Second
	mostDead  = 2 // questions without an answer, while it is waited for
)

// Serve appends for other commands over the socket until the context ends. The
// store stays open. ready, if there is one, is called when others can be served;
// its error ends the serving.
func (d *DB) Serve(ctx context.Context, key *evidence.LogKey, socket string, ready func() error) error {
	listener, err := listenLocal(socket)
	if err != nil {
		return fmt.Errorf("serve store %s on %s: %w", d.Name(), socket, err)
	}
	if ready != nil {
		if err := ready(); err != nil {
			return errors.Join(err, listener.Close())
		}
	}
	group := d.Group(key)
	defer group.Close()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /append", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(d.agree(r, group)) // the other side sees when it is cut
	})
	mux.HandleFunc("GET /lives", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: answerTime, WriteTimeout: 2 * answerTime, MaxHeaderBytes: 16 << 10}
	stopped := make(chan error, 1)
	go func() { // ends when the listener is closed, below
		stopped <- server.Serve(listener)
	}()
	select {
	case err = <-stopped:
	case <-ctx.Done():
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(server.Shutdown(last), onlyUnexpected(<-stopped))
	}
	if err != nil {
		return fmt.Errorf("serve store %s on %s: %w", d.Name(), socket, err)
	}
	return nil
}

func onlyUnexpected(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (d *DB) agree(r *http.Request, group *Group) agreement {
	var p proposal
	body, err := io.ReadAll(io.LimitReader(r.Body, mostProposed+1))
	if err == nil && len(body) > mostProposed {
		err = fmt.Errorf("a proposal has more than %d bytes", mostProposed)
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err == nil && p.Store != d.identity.ID {
		err = fmt.Errorf("it is for store %.40q, and this is %s", p.Store, d.identity.ID)
	}
	var entries []evidence.Entry
	for i := 0; err == nil && i < len(p.Lines); i++ {
		var e evidence.Entry
		if e, err = evidence.ParseLine(p.Lines[i]); err == nil {
			entries = append(entries, e)
		}
	}
	out := agreement{}
	if err == nil {
		_, err = group.Append(r.Context(), func(v View) ([]evidence.Entry, error) {
			out.Size = v.Size()
			if v.Size() != p.Size {
				out.Moved = true
				return nil, nil
			}
			return entries, nil
		})
	}
	if err != nil {
		out.Error = err.Error()
		if h, is := errors.AsType[interface {
			error
			Hint() string
		}](err); is {
			out.Hint = h.Hint()
		}
	}
	return out
}

// Remote is a store that a process of this machine owns and serves.
type Remote struct {
	reader *DB
	client *http.Client
	socket string
}

// Reach opens a store for reading, and for appending through the process that
// serves it on the socket. Close it.
func Reach(ctx context.Context, o Options, socket string) (*Remote, error) {
	o.ReadOnly = true
	reader, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := reader.otherWitness(reader.identity.Witness); err != nil {
		return nil, errors.Join(err, reader.Close())
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialLocal(ctx, socket) }
	r := &Remote{reader: reader, socket: socket, client: &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}, Timeout: answerTime}}
	if err := r.lives(ctx); err != nil {
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			owned := reader.owner(ctx)
			owned.Hangs = true
			err = errors.Join(owned, err)
		}
		return nil, errors.Join(fmt.Errorf("reach the owner of store %s on %s: %w", reader.Name(), socket, err), r.Close())
	}
	return r, nil
}

// owner is the newest owner of the store, as the store says.
func (d *DB) owner(ctx context.Context) *OwnedError {
	var text string
	_ = d.read.QueryRowContext(ctx, `select owner from store`).Scan(&text) // told, not believed
	return ownedError(d.Name(), []byte(text))
}

// lives asks the owner whether it answers at all.
func (r *Remote) lives(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lifeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://store/lives", nil)
	if err != nil {
		return err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// errHangs is why an answer is no longer waited for.
var errHangs = errors.New("it does not answer any more")

// watched returns a context that ends when the owner hangs. stop ends the watching.
func (r *Remote) watched(ctx context.Context) (watched context.Context, stop func()) {
	watched, cancel := context.WithCancelCause(ctx)
	var wait sync.WaitGroup
	wait.Go(func() { // ends by stop
		tick := time.NewTicker(lifePause)
		defer tick.Stop()
		for dead := 0; dead < mostDead; {
			select {
			case <-tick.C:
			case <-watched.Done():
				return
			}
			dead++
			if r.lives(watched) == nil {
				dead = 0
			}
		}
		cancel(errHangs)
	})
	return watched, func() { cancel(nil); wait.Wait() }
}

// DoubtError says that the owner of a store did not answer, so that nobody knows
// whether the entries will stand in the log.
type DoubtError struct {
	Name, Socket string
	Owner        *OwnedError // who did not answer
	Why          error
}

func (e *DoubtError) Error() string {
	who := "its owner"
	if e.Owner.PID != 0 {
		who = fmt.Sprintf("process %d on %s", e.Owner.PID, e.Owner.Host)
	}
	return fmt.Sprintf("append to store %s through %s (%s): %v; it may still be written", e.Name, who, e.Socket, e.Why)
}

// Hint says what to do next.
func (e *DoubtError) Hint() string {
	end := "end it"
	if e.Owner.PID != 0 {
		end = fmt.Sprintf("end it on %s (kill %d)", e.Owner.Host, e.Owner.PID)
	}
	return "look whether halligan serve still runs: if it hangs, " + end + ". Then look whether it was written (halligan evidence log) before you give the command again"
}

// Unwrap gives the cause, and who owns the store.
func (e *DoubtError) Unwrap() []error { return []error{e.Why, e.Owner} }

// Identity says which log the store holds.
func (r *Remote) Identity() Identity { return r.reader.Identity() }

// Name is the store's name for people.
func (r *Remote) Name() string { return r.reader.Name() }

// View calls read with the log as it is now.
func (r *Remote) View(ctx context.Context, read func(View) error) error {
	return r.reader.View(ctx, read)
}

// Close ends the reading. What was appended stays.
func (r *Remote) Close() error {
	r.client.CloseIdleConnections()
	return r.reader.Close()
}

// RefusedError is what the owner of a store answered in place of appending.
type RefusedError struct{ Name, Why, Cure string }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("append to store %s: its owner refused: %s", e.Name, e.Why)
}

// Hint says what to do next.
func (e *RefusedError) Hint() string { return e.Cure }

// Append adds the entries of a draft through the owner. The draft may be called
// several times: whenever the log has grown since it looked. When the owner's
// answer is lost, the log itself says whether the entries are there.
func (r *Remote) Append(ctx context.Context, draft Draft) ([]evidence.Entry, error) {
	for range mostAttempts {
		entries, size, err := r.drafted(ctx, draft)
		if err != nil || len(entries) == 0 {
			return nil, err
		}
		answer, err := r.propose(ctx, size, entries)
		if err != nil {
			there, lookErr := r.appended(ctx, entries)
			if lookErr == nil && there {
				return entries, nil
			}
			return nil, errors.Join(err, lookErr)
		}
		switch {
		case answer.Error != "":
			return nil, &RefusedError{r.Name(), answer.Error, answer.Hint}
		case !answer.Moved:
			return entries, nil
		}
	}
	return nil, fmt.Errorf("append to store %s: the log grew %d times meanwhile", r.Name(), mostAttempts)
}

func (r *Remote) drafted(ctx context.Context, draft Draft) (entries []evidence.Entry, size uint64, err error) {
	err = r.View(ctx, func(v View) error {
		size = v.Size()
		if entries, err = draft(v); err != nil {
			return err
		}
		for i := range entries {
			e := &entries[i]
			e.Index = size + uint64(i)
			if e.Time.IsZero() {
				e.Time = r.reader.options.Now()
			}
			line, err := e.Line()
			if err != nil {
				return err
			}
			if *e, err = evidence.ParseLine(line); err != nil {
				return err
			}
		}
		return nil
	})
	return entries, size, err
}

func (r *Remote) propose(ctx context.Context, size uint64, entries []evidence.Entry) (agreement, error) {
	p := proposal{Store: r.Identity().ID, Size: size}
	for i := range entries {
		line, err := entries[i].Line()
		if err != nil {
			return agreement{}, err
		}
		p.Lines = append(p.Lines, line)
	}
	watched, stop := r.watched(ctx)
	defer stop()
	fail := func(err error) (agreement, error) {
		if errors.Is(context.Cause(watched), errHangs) {
			err = errHangs
		}
		return agreement{}, &DoubtError{r.Name(), r.socket, r.reader.owner(context.WithoutCancel(ctx)), err}
	}
	// Not json.Marshal: it would spell the lines anew.
	var body bytes.Buffer
	fmt.Fprintf(&body, `{"store":%q,"size":%d,"lines":[`, p.Store, p.Size)
	for i, line := range p.Lines {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(line)
	}
	body.WriteString("]}")
	request, err := http.NewRequestWithContext(watched, http.MethodPost, "http://store/append", &body)
	if err != nil {
		return fail(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := r.client.Do(request)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	var answer agreement
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil {
		return fail(fmt.Errorf("its answer (%s): %w", response.Status, err))
	}
	return answer, nil
}

// appended reports whether the log has the entries where they were meant to be.
func (r *Remote) appended(ctx context.Context, entries []evidence.Entry) (bool, error) {
	there := true
	err := r.View(ctx, func(v View) error {
		for i := range entries {
			want, err := entries[i].Line()
			if err != nil {
				return err
			}
			if entries[i].Index >= v.Size() {
				there = false
				return nil
			}
			have, err := v.Line(entries[i].Index)
			if err != nil {
				return err
			}
			there = there && bytes.Equal(have, want)
		}
		return nil
	})
	return there, err
}

// errPeer is why a connection is refused.
var errPeer = errors.New("another account of this machine is at the other end")

// guarded lets in whoever runs as this process's own account.
type guarded struct{ net.Listener }

func (g guarded) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if samePeer(c) == nil {
			return c, nil
		}
		c.Close()
	}
}

// stale removes what an ended owner left at the path of a socket, and nothing else.
func stale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSocket == 0 {
		return errors.New("something else than a socket is there")
	}
	return os.Remove(path)
}
