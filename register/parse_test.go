package register_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"halligan/register"
)

// Each file of testdata/bad says in its last lines what is wrong with it:
//
//	# want 12:5 part of what | part of the hint
//
// and nothing else may be reported.
func TestBadRegisters(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Errorf("got %d files, want at least 20", len(files))
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := wanted(string(text))
			if len(want) == 0 {
				t.Fatal("the file does not say what is wrong with it")
			}
			checkErrors(t, parseErrors(t, "halligan.yaml", text), want)
		})
	}
}

type expectation struct{ place, what, hint string }

func wanted(text string) (out []expectation) {
	for line := range strings.Lines(text) {
		rest, is := strings.CutPrefix(strings.TrimSpace(line), "# want ")
		if !is {
			continue
		}
		place, rest, _ := strings.Cut(rest, " ")
		what, hint, _ := strings.Cut(rest, " | ")
		out = append(out, expectation{place, what, hint})
	}
	return out
}

func parseErrors(t *testing.T, file string, text []byte) register.Errors {
	t.Helper()
	r, err := register.Parse(file, text)
	if err == nil {
		t.Fatalf("no error; got %+v", r)
	}
	errs, is := errors.AsType[register.Errors](err)
	if !is {
		t.Fatalf("got a %T, want Errors", err)
	}
	if r != nil {
		t.Error("a register beside the errors")
	}
	return errs
}

func checkErrors(t *testing.T, got register.Errors, want []expectation) {
	t.Helper()
	for i, e := range got {
		if e.Hint() == "" {
			t.Errorf("no hint: %v", e)
		}
		if e.Error() != fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What) {
			t.Errorf("got %q", e.Error())
		}
		if i >= len(want) {
			t.Errorf("not wanted: %v; hint: %s", e, e.Hint())
			continue
		}
		w := want[i]
		if place := fmt.Sprintf("%d:%d", e.Line, e.Column); place != w.place || !strings.Contains(e.What, w.what) || !strings.Contains(e.Hint(), w.hint) || w.hint == "" {
			t.Errorf("got  %s %s | %s\nwant %s %s | %s", place, e.What, e.Hint(), w.place, w.what, w.hint)
		}
	}
	for _, w := range want[min(len(got), len(want)):] {
		t.Errorf("missing: %s %s | %s", w.place, w.what, w.hint)
	}
}

// Every key has a field of the struct, of a type that can hold it, and the other
// way round.
func TestShapesAndStructsAgree(t *testing.T) {
	shapes := map[string]register.Shape{}
	for _, s := range register.Shapes() {
		shapes[s.Name] = s
	}
	seen := map[string]bool{}
	var agree func(name string, typ reflect.Type)
	agree = func(name string, typ reflect.Type) {
		shape, is := shapes[name]
		if !is {
			t.Fatalf("no shape %s", name)
		}
		seen[name] = true
		if len(shape.Fields) != typ.NumField() {
			t.Errorf("%s has %d keys, %s %d fields", name, len(shape.Fields), typ, typ.NumField())
			return
		}
		for i, f := range shape.Fields {
			field := typ.Field(i)
			key, option, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if key != f.Key {
				t.Errorf("%s: key %d is %s, the field %s", name, i, f.Key, key)
			}
			if f.Doc == "" {
				t.Errorf("%s.%s has no doc", name, f.Key)
			}
			if needed := option == ""; needed != f.Required {
				t.Errorf("%s.%s: required %v, and the struct says %v", name, f.Key, f.Required, needed)
			}
			held := field.Type
			if f.List {
				if held.Kind() != reflect.Slice {
					t.Errorf("%s.%s is a list, and the field is %s", name, f.Key, held)
					continue
				}
				held = held.Elem()
			}
			want := reflect.String
			switch f.Kind {
			case register.KindNumber:
				want = reflect.Int
			case register.KindFlag:
				want = reflect.Bool
			case register.KindMapping:
				want = reflect.Struct
			}
			if held.Kind() != want {
				t.Errorf("%s.%s is %s, and the field is %s", name, f.Key, f.Kind, held)
			} else if want == reflect.Struct {
				agree(f.Shape, held)
			}
		}
	}
	agree(register.RootShape, reflect.TypeFor[register.Register]())
	for name := range shapes {
		if !seen[name] {
			t.Errorf("the shape %s is nowhere", name)
		}
	}
}
