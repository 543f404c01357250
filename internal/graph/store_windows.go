package graph

import (
	"path/filepath"

	"golang.org/x/sys/windows"
)

const storeWords = "in %s, encrypted for your Windows account"

// storeDir is where azidentity/cache keeps its files.
func storeDir() (string, error) {
	dir, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, 0)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, ".IdentityService"), nil
}

// removeKey has nothing to do: DPAPI's key is that of the account.
func removeKey(string) {}
