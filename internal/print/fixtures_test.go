package print_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/print"
	"halligan/procedure"
	"halligan/register"
)

// day is when everything in these tests is printed.
var day = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)

const logKey = "halligan-2786d9fb-1+4a5b6c7d+AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghijkl"

func binderOf(r *register.Register) *print.Binder {
	return &print.Binder{Register: r, Digest: r.Digest(), Version: "7", Date: day,
		Runbooks: procedure.Runbooks(), Opening: procedure.StockOpening(), First: procedure.FirstMinutes(),
		Ways:     []print.Way{{Name: "North 2", Account: "ea-north", Takes: []string{"key North 2 in Pier cabinet (South pier): Eva Lund or Farid Haddad", "the PIN of North 2 in Bank box (Bank in Braga): Greta Vos"}}},
		Survival: []print.Loss{{Lost: "site Harbour house", Holds: "yes", Left: "North 2, South 2"}, {Lost: "method FIDO2", Holds: "no"}},
		Picture: &print.Holdings{Title: "Who holds what where", Places: []print.HoldingsPlace{{Name: "Pier cabinet", Site: "South pier", People: []string{"Eva Lund"}}},
			Accounts: []print.HoldingsAccount{{Name: "ea-north@contoso", Mark: "✓ takes two people", Ways: []print.HoldingsWay{{Name: "by picture", Mark: "✓", Parts: []print.HoldingsPart{{Name: "key North 2", Holder: "Holder Only-in-Picture", Place: 0}}}}}}},
		LogKey: logKey}
}

// hard are names that are long, or of a script that is not Latin.
var hard = []string{"Александра Константиновна Воскресенская", "Παναγιώτης Παπακωνσταντινόπουλος-Αθανασίου", "שרה בת־אל רוזנברג (מנהלת)", "محمد عبد الرحمن الخالدي",
	"Nguyễn Thị Minh Khai", "Łukasz Brzęczyszczykiewicz", "Ğülşen İpekçioğlu", "Ærøskøbing Þórðardóttir"}

// many is a register with thirty people, thirty places and forty parts.
func many() *register.Register {
	r := &register.Register{Version: 1, Tenant: register.Tenant{Name: "Gesellschaft für Donaudampfschifffahrtselektrizitäten, Hauptbetriebswerkbauunterbeamten", ID: "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b"}}
	roles := []register.Role{register.RoleApprover, register.RoleCustodian, register.RoleOperator, register.RoleAuditor}
	for i := range 30 {
		name := fmt.Sprintf("%s %d", hard[i%len(hard)], i)
		r.People = append(r.People, register.Person{Name: name, Title: strings.Repeat("Deputy head of ", i%4) + "operations", Roles: roles[:1+i%4], Manager: hard[(i+1)%len(hard)], Trained: "2027-01-01",
			Reach: []string{fmt.Sprintf("phone +49 30 1234 %04d", i), "somebody.with.a.very.long.address.indeed@subdomain.of.a.private.provider.example", "شارع الملك 5"}[:i%4]})
		r.Places = append(r.Places, register.Place{Name: fmt.Sprintf("Safe %d", i), Kind: "safe", Site: "Haus " + name, Access: []string{name}, Fireproof: i%2 == 0, OffSite: i%3 == 0})
	}
	account := entra.ID("2786d9fb-aa4e-4778-8abb-11a546852728")
	r.Accounts = []register.Account{{ID: account, Name: strings.Repeat("north", 8) + "@donaudampfschifffahrt.onmicrosoft.com", Pattern: register.PatternFIDO2, Keys: []register.Key{{Label: "Norden 1", Serial: "0020481034"}}}}
	for i := range 40 {
		p := register.Part{Kind: register.PartBinder, Holder: r.People[i%30].Name, Place: r.Places[i%30].Name, Seal: fmt.Sprintf("S-%04d", i), Since: "2027-01-01"}
		if i < 4 {
			p.Kind, p.Account, p.Key = register.PartKey, account, "Norden 1"
		}
		r.Parts = append(r.Parts, p)
	}
	return r
}

const (
	codeText = "HALLIGAN-SHARE-1:AE3TQNJZGYZTKMRWGAYTSNZUHA2DSOBXGYYDEMZYHEYTANBSGU3DQOJSGQZTSMBRGI4TINJXHA"
	wordText = "lusab babad gutih tugad\nmudof sakat haguz biram\nmabiv gibot damuh rosak\ntibup lazuj kidov hifan\nlusab babad gutih tugod\nmudof sakat haguz birom\nmabiv gibot damuh rosok\ntibup lazuj kidov hifon"
)

func envelope() *print.Envelope {
	return &print.Envelope{Account: "north", Part: "share 2 of 3", Holder: "Ana Ribeiro", Seal: "H-104", Rule: "by any two of Ana Ribeiro, Ben Okoro and Chiara Neri together",
		Form: "age 1.1.1 or later, and Python 3", Set: "a1b2c3d4e5f60718", Date: day,
		QR: custody.NewSecret([]byte(codeText)), Words: custody.NewSecret([]byte(wordText))}
}

// documents are all that the package prints, of an empty register and of a full one.
func documents() map[string]*print.Document {
	return map[string]*print.Document{
		"binder of many": binderOf(many()).Document(), "card of many": binderOf(many()).Card(),
		"binder of none": binderOf(nil).Document(), "card of none": binderOf(nil).Card(), "envelope": envelope().Document(),
	}
}

// printed is a document in a form, which must have a picture of everything.
func printed(t testing.TB, d *print.Document, form string, o print.Options) []byte {
	t.Helper()
	for _, f := range print.Forms {
		if f.Name != form {
			continue
		}
		var b bytes.Buffer
		spelled, err := f.Write(d, &b, o)
		if err != nil || spelled != "" {
			t.Fatalf("%s: %v, without a picture: %q", form, err, spelled)
		}
		return b.Bytes()
	}
	t.Fatalf("no form %s", form)
	return nil
}

// plain is a document of one text.
func plain(text string) *print.Document {
	return &print.Document{Title: "Plain", Version: "version 1", Digest: "0123456789abcdef", Date: day, Blocks: []print.Block{print.Text{Text: text}}}
}

func secret(text string) custody.Secret { return custody.NewSecret([]byte(text)) }
