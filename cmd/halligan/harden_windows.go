package main

import "golang.org/x/sys/windows"

// harden has nothing to do on Windows, which writes no dumps unless it was told to.
func harden() {}

// quiet leaves it to the reading of the secret to turn the echo off.
func quiet(int) (loud func()) { return func() {} }

// dropTyped throws away what was typed at a console and nobody has read.
func dropTyped(fd int) { _ = windows.FlushConsoleInputBuffer(windows.Handle(fd)) }
