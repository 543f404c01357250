//go:build !linux && !windows

package graph

import (
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

const whyMemory = "the store of this system cannot be used by a program that is built without cgo"

func probeStore() (bool, string, string) { return false, "in memory", whyMemory }

func openStore(string) (azidentity.Cache, error) {
	return azidentity.Cache{}, errors.New("open the token store: " + whyMemory)
}

// removeStore has nothing to do: tokens in memory end with the process.
func removeStore(string) error { return nil }
