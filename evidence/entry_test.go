package evidence_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"halligan/evidence"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 123e6, time.UTC)

func ref(i uint64) *uint64 { return &i }

var digest = "sha256:" + strings.Repeat("0a", 32)

// fullEntry sets every field, with text that a hostile tenant might send.
func fullEntry() evidence.Entry {
	return evidence.Entry{
		Index: 7, Kind: evidence.KindOutcome, Tenant: "3f1c0f5e-0000-4000-8000-000000000001",
		Time: noon, Source: noon.Add(-time.Second), Skew: -1500 * time.Millisecond,
		Who: []string{"ana", "os:ben@host"}, What: "approve request",
		On:     "policy \"x\"\r\n{\"index\":8}\u202e\u200b\x1b[31m \u0440\u0430ypal \U0001F600 \x7f </script> \\",
		Why:    "drill",
		Before: digest, After: digest, RequestIDs: []string{"r1", "r2"}, Subject: digest, Refers: ref(3),
		Marks: []string{"one person"}, Data: json.RawMessage(`{"a":[1,2.50,1e3,null,true],"b":"\u202e\n"}`),
	}
}

func line(t testing.TB, e evidence.Entry) []byte {
	t.Helper()
	l, err := e.Line()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestAnEntryComesBackFromItsLine(t *testing.T) {
	full := fullEntry()
	for _, e := range []evidence.Entry{full, {Kind: "note", Time: noon}, {Index: 1, Kind: "of-a-newer-version", Time: noon, Source: noon}} {
		l := line(t, e)
		got, err := evidence.ParseLine(l)
		if err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		if !reflect.DeepEqual(got, e) {
			t.Errorf("got %+v, want %+v", got, e)
		}
	}
}

// The whole form, once, as a stranger will read it.
func TestTheFormOfALine(t *testing.T) {
	want := `{"index":7,"kind":"outcome","tenant":"3f1c0f5e-0000-4000-8000-000000000001",` +
		`"time":"2026-11-20T12:00:00.123Z","source":"2026-11-20T11:59:59.123Z","skewMs":-1500,` +
		`"who":["ana","os:ben@host"],"what":"approve request",` +
		`"on":"policy \"x\"\r\n{\"index\":8}\u202e\u200b\u001b[31m \u0440\u0430ypal \ud83d\ude00 \u007f </script> \\",` +
		`"why":"drill","before":"` + digest + `","after":"` + digest + `","requestIds":["r1","r2"],` +
		`"subject":"` + digest + `","refers":3,"marks":["one person"],` +
		`"data":{"a":[1,2.50,1e3,null,true],"b":"\u202e\n"}}`
	if got := string(line(t, fullEntry())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestALineIsPrintableASCIIWhateverIsPutIn(t *testing.T) {
	texts := []string{"\xff\xc0\xed\xa0\x80\U000E0001"}
	for r := rune(0); r < 0x11000; r += 0x400 {
		var block strings.Builder
		for c := range rune(0x400) {
			block.WriteRune(r + c)
		}
		texts = append(texts, block.String())
	}
	for _, text := range texts {
		e := evidence.Entry{Kind: "note", Time: noon, On: text, Who: []string{text}}
		e.Data, _ = json.Marshal(map[string]string{text: text})
		for i, c := range line(t, e) {
			if c < 0x20 || c > 0x7E {
				t.Fatalf("%q: byte %d is %#x", text, i, c)
			}
		}
	}
}

func TestDataIsWrittenInOneForm(t *testing.T) {
	e := evidence.Entry{Kind: "note", Time: noon, Data: json.RawMessage(" {\"b\": 1, \"a\" : \"\u00e9\\u0041\\/\"} ")}
	if got, want := string(line(t, e)), `"data":{"a":"\u00e9A/","b":1}}`; !strings.HasSuffix(got, want) {
		t.Errorf("got %s, want it to end with %s", got, want)
	}
}

func TestALineInAnotherFormIsRefused(t *testing.T) {
	good := string(line(t, fullEntry()))
	note := `{"index":0,"kind":"note","time":"2026-11-20T12:00:00.123Z"`
	tests := map[string]string{
		"empty":                          "",
		"not JSON":                       "x",
		"white space":                    strings.Replace(good, `,"kind"`, `, "kind"`, 1),
		"white space at the end":         good + " ",
		"a newline at the end":           good + "\n",
		"two values":                     good + good,
		"another order":                  `{"kind":"note","index":0,"time":"2026-11-20T12:00:00.123Z"}`,
		"an unknown field":               note + `,"extra":1}`,
		"a field twice":                  note + `,"time":"2026-11-20T12:00:00.123Z"}`,
		"a field in capitals":            strings.Replace(note, "time", "Time", 1) + "}",
		"an empty field":                 note + `,"what":""}`,
		"an empty list":                  note + `,"who":[]}`,
		"null":                           note + `,"who":null}`,
		"no time":                        `{"index":0,"kind":"note"}`,
		"a time of another zone":         `{"index":0,"kind":"note","time":"2026-11-20T12:00:00.123+01:00"}`,
		"a time without milliseconds":    `{"index":0,"kind":"note","time":"2026-11-20T12:00:00Z"}`,
		"a time with a comma":            `{"index":0,"kind":"note","time":"2026-11-20T12:00:00,123Z"}`,
		"a day that does not exist":      `{"index":0,"kind":"note","time":"2026-02-30T12:00:00.123Z"}`,
		"a skew without a source":        note + `,"skewMs":1}`,
		"a source without a skew":        note + `,"source":"2026-11-20T12:00:00.123Z"}`,
		"an index with a zero before it": `{"index":00,"kind":"note","time":"2026-11-20T12:00:00.123Z"}`,
		"a negative index":               `{"index":-1,"kind":"note","time":"2026-11-20T12:00:00.123Z"}`,
		"an index that is too large":     `{"index":18446744073709551616,"kind":"note","time":"2026-11-20T12:00:00.123Z"}`,
		"no kind":                        `{"index":0,"time":"2026-11-20T12:00:00.123Z"}`,
		"a kind with a blank":            `{"index":0,"kind":"no te","time":"2026-11-20T12:00:00.123Z"}`,
		"a kind in another script":       `{"index":0,"kind":"n\u043ete","time":"2026-11-20T12:00:00.123Z"}`,
		"an escape that needs none":      note + `,"what":"\u0041"}`,
		"an escape in capitals":          note + `,"what":"\u202E"}`,
		"a raw right-to-left override":   note + ",\"what\":\"\u202e\"}",
		"a raw control character":        note + ",\"what\":\"\x1b\"}",
		"half a surrogate pair":          note + `,"what":"\ud800"}`,
		"data with keys out of order":    note + `,"data":{"b":1,"a":1}}`,
		"data with a key twice":          note + `,"data":{"a":1,"a":2}}`,
		"data that is no object":         note + `,"data":[]}`,
		"data that is null":              note + `,"data":null}`,
		"data with white space":          note + `,"data":{ }}`,
		"too long":                       note + `,"what":"` + strings.Repeat("a", evidence.MaxLine) + `"}`,
	}
	for name, l := range tests {
		t.Run(name, func(t *testing.T) {
			if e, err := evidence.ParseLine([]byte(l)); err == nil {
				t.Errorf("read %s as %+v", l, e)
			}
		})
	}
	if _, err := evidence.ParseLine([]byte(good)); err != nil {
		t.Errorf("the good line: %v", err)
	}
	if _, err := evidence.ParseLine([]byte(note + "}")); err != nil {
		t.Errorf("the short line: %v", err)
	}
}

func TestAnEntryThatCannotStandInALineIsRefused(t *testing.T) {
	tests := map[string]evidence.Entry{
		"no kind":               {Time: noon},
		"a kind with a capital": {Kind: "Note", Time: noon},
		"no time":               {Kind: "note"},
		"a year of five digits": {Kind: "note", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"a skew of nothing":     {Kind: "note", Time: noon, Skew: time.Second},
		"data that is no JSON":  {Kind: "note", Time: noon, Data: json.RawMessage(`{`)},
		"data that is no UTF-8": {Kind: "note", Time: noon, Data: json.RawMessage("{\"a\":\"\xff\"}")},
		"too much text":         {Kind: "note", Time: noon, On: strings.Repeat("\u202e", evidence.MaxLine/6)},
	}
	for name, e := range tests {
		t.Run(name, func(t *testing.T) {
			if l, err := e.Line(); err == nil {
				t.Errorf("wrote %.200s", l)
			}
		})
	}
}

func TestAnEntryThatMustNotBeWrittenIsRefused(t *testing.T) {
	good := evidence.Entry{Index: 3, Kind: evidence.KindOutcome, Time: noon, What: "seal", After: digest, Refers: ref(2)}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*evidence.Entry){
		"a kind of a newer version":       func(e *evidence.Entry) { e.Kind = "of-a-newer-version" },
		"a second beginning":              func(e *evidence.Entry) { e.Kind = evidence.KindLogBegun },
		"a log that begins otherwise":     func(e *evidence.Entry) { e.Index, e.Refers = 0, nil },
		"nothing done":                    func(e *evidence.Entry) { e.What = "" },
		"a digest without its name":       func(e *evidence.Entry) { e.Before = digest[7:] },
		"a digest in capitals":            func(e *evidence.Entry) { e.Subject = strings.ToUpper(digest) },
		"a digest that is cut":            func(e *evidence.Entry) { e.After = digest[:70] },
		"a reference to itself":           func(e *evidence.Entry) { e.Refers = ref(3) },
		"a reference to what comes later": func(e *evidence.Entry) { e.Refers = ref(4) },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			e := good
			spoil(&e)
			if err := e.Check(); err == nil {
				t.Errorf("accepted %+v", e)
			}
		})
	}
}

func TestKindsAreDescribedOnce(t *testing.T) {
	seen := map[evidence.Kind]bool{}
	for _, k := range evidence.Kinds {
		if seen[k.Kind] || k.Doc == "" || !k.Kind.Known() {
			t.Errorf("%q: twice or without words", k.Kind)
		}
		seen[k.Kind] = true
		line(t, evidence.Entry{Kind: k.Kind, Time: noon})
	}
	if evidence.Kind("of-a-newer-version").Known() {
		t.Error("a kind that is not in the table is known")
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(line(f, fullEntry()))
	f.Add([]byte(`{"index":0,"kind":"note","time":"2026-11-20T12:00:00.123Z"}`))
	f.Add([]byte(`{"index":0,"kind":"note","time":"2026-11-20T12:00:00.123Z","data":{"a":1E400,"b":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := evidence.ParseLine(data)
		if err != nil {
			return
		}
		if again := line(t, e); string(again) != string(data) {
			t.Errorf("read %s, wrote %s", data, again)
		}
	})
}

func FuzzLine(f *testing.F) {
	f.Add("a\u202e", "\xff", `{"a":"\u0000"}`)
	f.Fuzz(func(t *testing.T, on, who, data string) {
		e := evidence.Entry{Kind: "note", Time: noon, On: on, Who: []string{who}, Data: json.RawMessage(data)}
		l, err := e.Line()
		if err != nil {
			return
		}
		got, err := evidence.ParseLine(l)
		if err != nil {
			t.Fatalf("wrote %s and could not read it: %v", l, err)
		}
		if got.On != strings.ToValidUTF8(on, "") && strings.ToValidUTF8(on, "") == on {
			t.Errorf("got %q, want %q", got.On, on)
		}
		for _, c := range l {
			if c < 0x20 || c > 0x7E {
				t.Fatalf("not printable: %q", l)
			}
		}
	})
}
