// Package app holds the verbs: what the command line and, later, the console do,
// without flags, paths, streams and exit codes.
//
// A verb takes a request and returns a report. The report is a value with a
// documented JSON form; whoever asked prints it. A verb never prints, and an
// error means that the question could not be asked at all: what was looked at
// and found wanting is part of the report.
package app
