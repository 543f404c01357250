// Package examples holds the examples of the project as files that the program
// carries with it: a tenant of a company that does not exist, drafts of
// changes to it, registers, and the second combiner of sealed files. The demo shows them, and a test loads every one of them, so that
// none goes stale.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed tenants drafts registers custody github-actions azure-devops
var files embed.FS

// FS returns all the examples, each under the name it has in the repository.
func FS() fs.FS { return files }

// Tidewater returns the folder of the example tenant: Tidewater Instruments, two
// emergency access accounts that get in whatever happens.
func Tidewater() fs.FS { return folder("tenants/tidewater") }

// Hollins returns the folder of the other example tenant: Hollins Joinery, one
// administrator, Entra Free with security defaults.
func Hollins() fs.FS { return folder("tenants/hollins") }

// Draft returns a draft by the name of its file, for example
// "careless-policy.json".
func Draft(name string) ([]byte, error) { return files.ReadFile("drafts/" + name) }

// Register returns a halligan.yaml by the name of its file, for example
// "two-accounts.yaml", which is that of the example tenant.
func Register(name string) ([]byte, error) { return files.ReadFile("registers/" + name) }

// Combiner returns the program that puts shares of a sealed file together without
// Halligan. Every file of shares carries it.
func Combiner() ([]byte, error) { return files.ReadFile("custody/combine.py") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic(err) // only for a name that is no path, and it is written above
	}
	return sub
}
