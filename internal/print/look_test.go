package print_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/internal/print"
	"halligan/procedure"
	"halligan/register"
)

// day is when everything in these tests is printed.
var day = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)

// binderOf is a binder with every part filled in.
func binderOf(r *register.Register) *print.Binder {
	return &print.Binder{Register: r, Digest: r.Digest(), Version: "7", Date: day,
		Runbooks: procedure.Runbooks(), Opening: procedure.StockOpening(), First: procedure.FirstMinutes(),
		Survival: []print.Loss{
			{"nothing", "Ana Ribeiro with Chiara Neri, and three other pairs", "North 1 and its PIN", "Harbour safe, Mill safe"},
			{"Harbour house", "Eva Lund with Greta Vos", "North 2 and its PIN", "Pier cabinet, Bank box"},
			{"Ana Ribeiro and Chiara Neri", "Eva Lund with Greta Vos", "North 2 and its PIN", "Pier cabinet, Bank box"},
			{"Harbour house and the bank", "", "", ""},
		},
		LogKey: "halligan-2786d9fb-1+4a5b6c7d+AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghijkl"}
}

// many is a register with thirty people whose names are long and of every script
// that the built-in fonts have.
func many() *register.Register {
	r := &register.Register{Version: 1, Tenant: register.Tenant{Name: "Gesellschaft für Donaudampfschifffahrtselektrizitäten, Hauptbetriebswerkbauunterbeamten", ID: "8c1f2a30-4b5d-4e6f-8a7b-9c0d1e2f3a4b"}}
	names := []string{"Александра Константиновна Воскресенская", "Παναγιώτης Παπακωνσταντινόπουλος-Αθανασίου", "שרה בת־אל רוזנברג (מנהלת)", "محمد عبد الرحمن الخالدي", "Nguyễn Thị Minh Khai", "Łukasz Brzęczyszczykiewicz", "Ğülşen İpekçioğlu", "Ærøskøbing Þórðardóttir"}
	for i := range 30 {
		name := fmt.Sprintf("%s %d", names[i%len(names)], i)
		r.People = append(r.People, register.Person{Name: name, Title: strings.Repeat("Deputy head of ", i%4) + "operations", Roles: []register.Role{register.RoleApprover, register.RoleCustodian, register.RoleOperator, register.RoleAuditor}[:1+i%4],
			Manager: names[(i+1)%len(names)] + " 1", Trained: "2027-01-01", Reach: []string{fmt.Sprintf("phone +49 30 1234 %04d", i), "somebody.with.a.very.long.address.indeed@subdomain.of.a.private.provider.example", "شارع الملك 5"}[:i%4]})
		r.Places = append(r.Places, register.Place{Name: fmt.Sprintf("Safe %d", i), Kind: "safe", Site: "Haus " + name, Access: []string{name}, Fireproof: i%2 == 0, OffSite: i%3 == 0})
	}
	for i := range 3 {
		id := fmt.Sprintf("2786d9fb-aa4e-4778-8abb-11a54685272%d", i)
		r.Accounts = append(r.Accounts, register.Account{Name: strings.Repeat("north", 8) + "@donaudampfschifffahrt.onmicrosoft.com", Pattern: register.PatternFIDO2, Keys: []register.Key{{Label: "Norden 1", Serial: "0020481034"}, {Label: "Süden 2", Serial: "0091730022"}}})
		r.Accounts[i].ID = r.Accounts[i].ID + "" // set below
		r.Accounts[i].ID = "" + r.Accounts[i].ID
		_ = id
	}
	for i := range 40 {
		r.Parts = append(r.Parts, register.Part{Kind: register.PartBinder, Holder: r.People[i%30].Name, Place: r.Places[i%30].Name, Seal: fmt.Sprintf("S-%04d", i), Since: "2027-01-01"})
	}
	return r
}

func envelope() *print.Envelope {
	return &print.Envelope{Account: "north", Part: "share 2 of 3", Holder: "Ana Ribeiro", Seal: "H-104", Rule: "by any two of Ana Ribeiro, Ben Okoro and Chiara Neri together, after an approved request or in an emergency.",
		Form: "age 1.1.1 or later, and Python 3", Set: "a1b2c3d4e5f60718", Date: day,
		QR:    custody.NewSecret([]byte("HALLIGAN-SHARE-1:AE3TQNJZGYZTKMRWGAYTSNZUHA2DSOBXGYYDEMZYHEYTANBSGU3DQOJSGQZTSMBRGI4TINJXHA")),
		Words: custody.NewSecret([]byte("lusab babad gutih tugad\nmudof sakat haguz biram\nmabiv gibot damuh rosak\ntibup lazuj kidov hifan\nlusab babad gutih tugad\nmudof sakat haguz biram\nmabiv gibot damuh rosak\ntibup lazuj kidov hifan"))}
}

// TestLook writes pages to be looked at.
func TestLook(t *testing.T) {
	folder := os.Getenv("LOOK")
	if folder == "" {
		t.Skip("no folder")
	}
	for name, d := range map[string]*print.Document{"many": binderOf(many()).Document(), "manycard": binderOf(many()).Card(), "none": binderOf(nil).Document(), "nonecard": binderOf(nil).Card(), "env": envelope().Document()} {
		for _, form := range print.Forms {
			for _, paper := range print.Papers {
				f, err := os.Create(folder + "/" + name + "-" + string(paper) + form.Extension)
				if err != nil {
					t.Fatal(err)
				}
				if spelled, err := form.Write(d, f, print.Options{Paper: paper}); err != nil || spelled != "" {
					t.Error(name, spelled, err)
				}
				_ = f.Close()
			}
		}
	}
}
