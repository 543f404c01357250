package main

// harden has nothing to do on Windows, which writes no dumps unless it was told to.
func harden() {}

// quiet leaves it to the reading of the secret to turn the echo off.
func quiet(int) (loud func()) { return func() {} }
