//go:build !linux

package storetest

import (
	"os"
	"os/exec"
)

func giveAway(string) error { return nil }

func lower(*exec.Cmd) {}

func runTied(cmd *exec.Cmd) error { return cmd.Start() }

func signalAll(cmd *exec.Cmd, signal os.Signal) error { return cmd.Process.Signal(signal) }
