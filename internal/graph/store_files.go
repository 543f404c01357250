//go:build linux || windows

package graph

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity/cache"
)

func probeStore() (bool, string, string) {
	dir, err := storeDir()
	if err != nil {
		return false, "in memory", clean(err.Error(), maxMessage)
	}
	if _, err := cache.New(nil); err != nil { // tries the store once in a process
		return false, "in memory", clean(err.Error(), maxMessage)
	}
	return true, fmt.Sprintf(storeWords, dir), ""
}

func openStore(name string) (azidentity.Cache, error) {
	if err := checkStoreName(name); err != nil {
		return azidentity.Cache{}, err
	}
	c, err := cache.New(&cache.Options{Name: name})
	if err != nil {
		return azidentity.Cache{}, fmt.Errorf("open the token store: %w", err)
	}
	return c, nil
}

// removeStore deletes the files of a store: tokens that can be challenged (CAE)
// are kept apart from those that cannot, and a process that was killed leaves a
// lock file. No name of a store begins with another one.
func removeStore(name string) error {
	dir, err := storeDir()
	if err != nil {
		return fmt.Errorf("remove the tokens: %w", err)
	}
	removeKey(name)
	removeKey(name + ".cae")
	files, err := filepath.Glob(filepath.Join(dir, name+"*"))
	for _, file := range files {
		if gone := os.Remove(file); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("remove the tokens: %w", gone))
		}
	}
	return err
}
