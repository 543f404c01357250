package entra

import (
	"reflect"
	"sync"
)

// deepCopy copies a value and everything it points to. Values without pointers,
// and values of other packages that never change (times, addresses), are copied
// as they are.
func deepCopy(v reflect.Value) reflect.Value {
	if flat(v.Type()) {
		return v
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(deepCopy(v.Elem()))
		return out
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		if flat(v.Type().Elem()) {
			reflect.Copy(out, v)
			return out
		}
		for i := range v.Len() {
			out.Index(i).Set(deepCopy(v.Index(i)))
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), deepCopy(it.Value()))
		}
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			if f := v.Field(i); !flat(f.Type()) {
				out.Field(i).Set(deepCopy(f))
			}
		}
		return out
	}
	return v
}

var flatTypes sync.Map // reflect.Type → bool

// flat reports whether a value of the type may be copied by assignment.
func flat(t reflect.Type) bool {
	if known, ok := flatTypes.Load(t); ok {
		return known.(bool)
	}
	is := true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		is = false
	case reflect.Struct:
		if t.PkgPath() == reflect.TypeFor[Content]().PkgPath() {
			for i := range t.NumField() {
				is = is && flat(t.Field(i).Type)
			}
		}
	}
	flatTypes.Store(t, is)
	return is
}
