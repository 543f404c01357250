package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// maxStateFile bounds the file that is read back.
const maxStateFile = 512 << 20

// dump writes a state canonically: the same state is the same bytes.
func dump(state *State) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b) // sorts the keys of maps
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(state); err != nil {
		return nil, fmt.Errorf("write the sandbox's state: %w", err)
	}
	return b.Bytes(), nil
}

// undump reads what dump wrote.
func undump(data []byte) (*State, error) {
	state := NewState("", "", "")
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(state); err != nil {
		return nil, fmt.Errorf("read a sandbox's state: %w", err)
	}
	if state.ID == "" {
		return nil, errors.New("read a sandbox's state: it names no tenant")
	}
	return state, nil
}

// Dump writes the whole tenant canonically: objects, links and fictional
// credentials.
func (s *Server) Dump() (data []byte, err error) {
	s.View(func(state *State) { data, err = dump(state) })
	return data, err
}

// Reset takes the tenant back to where it began, and forgets who is signed in.
func (s *Server) Reset() error {
	begin, err := undump(s.start)
	if err != nil {
		return err
	}
	s.waiting.clear()
	return s.Update(func(state *State) error {
		*state = *begin
		return nil
	})
}

// open takes the state from the file where there is one, and keeps it there.
func (s *Server) open() error {
	begin, err := undump(s.start) // a copy: the caller keeps his own
	if err != nil {
		return err
	}
	s.state = begin
	if s.config.File == "" {
		return nil
	}
	if info, err := os.Stat(s.config.File); err == nil && info.Size() > maxStateFile {
		return fmt.Errorf("read the sandbox's state from %s: it is larger than %d MiB", s.config.File, maxStateFile>>20)
	}
	data, err := os.ReadFile(s.config.File)
	switch {
	case err == nil:
		kept, err := undump(data)
		if err != nil {
			return fmt.Errorf("%s: %w", s.config.File, err)
		}
		if kept.ID != begin.ID {
			return &otherTenant{s.config.File, kept.ID, begin.ID}
		}
		s.state = kept
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read the sandbox's state: %w", err)
	}
	s.saver = &saver{path: s.config.File}
	s.dirty = func() { s.saver.save(s.state) }
	s.dirty()
	return s.saver.err()
}

type otherTenant struct{ file, kept, asked string }

func (e *otherTenant) Error() string {
	return fmt.Sprintf("read the sandbox's state: %s keeps tenant %s, not %s", e.file, e.kept, e.asked)
}

func (e *otherTenant) Hint() string { return "name another file, or the tenant that this one keeps" }

// saver writes the state after each change. It is called with the state held.
type saver struct {
	path string
	mu   sync.Mutex
	last error
}

func (v *saver) save(state *State) {
	data, err := dump(state)
	if err == nil {
		err = replaceFile(v.path, data, 0o600)
	}
	v.mu.Lock()
	v.last = err
	v.mu.Unlock()
}

func (v *saver) err() error {
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil {
		return fmt.Errorf("keep the sandbox's state: %w", v.last)
	}
	return nil
}

// saved reports whether the last change reached the file.
func (s *Server) saved() error { return s.saver.err() }

// replaceFile writes a file whole or not at all.
func replaceFile(path string, data []byte, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Chmod(temporary.Name(), mode)
	}
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
