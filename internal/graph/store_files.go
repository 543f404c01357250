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

// removeStore deletes both files of a store: tokens that can be challenged (CAE)
// are kept apart from those that cannot.
func removeStore(name string) error {
	dir, err := storeDir()
	if err != nil {
		return fmt.Errorf("remove the tokens: %w", err)
	}
	var failed error
	for _, file := range []string{name, name + ".cae"} {
		removeKey(file)
		if err := os.Remove(filepath.Join(dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, fmt.Errorf("remove the tokens: %w", err))
		}
	}
	// The library leaves a lock file beside them when it is killed.
	leftovers, _ := filepath.Glob(filepath.Join(dir, name+"*"))
	for _, file := range leftovers {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = errors.Join(failed, fmt.Errorf("remove the tokens: %w", err))
		}
	}
	return failed
}
