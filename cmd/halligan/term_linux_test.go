package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns both ends of a pseudo-terminal that is columns wide.
func openTerminal(t *testing.T, columns uint16) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	// A terminal that is told Ctrl-C throws away what it has not shown yet, and that may
	// be the answer of a program that was quick.
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Lflag |= unix.NOFLSH
	if err := unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	return master, terminal
}

func TestTerminalDecidesWidthAndColour(t *testing.T) {
	_, terminal := openTerminal(t, 97)
	for name, tt := range map[string]struct {
		env    map[string]string
		colour bool
	}{
		"an ordinary terminal":       {map[string]string{"TERM": "xterm"}, true},
		"COLUMNS is for other files": {map[string]string{"COLUMNS": "50"}, true},
		"NO_COLOR":                   {map[string]string{"NO_COLOR": "1"}, false},
		"a simple terminal":          {map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := testConsole()
			c.getenv = func(name string) string { return tt.env[name] }
			if got := c.paintOn(terminal); bool(got) != tt.colour {
				t.Errorf("got colour %t, want %t", got, tt.colour)
			}
			if got := width(terminal, c.getenv); got != 97 {
				t.Errorf("got width %d, want 97", got)
			}
		})
	}
}

func TestErrorIsWrappedAndColouredOnTerminal(t *testing.T) {
	master, terminal := openTerminal(t, 40)
	c := testConsole()
	c.stderr = terminal
	c.say("error:", red, "read policies: the folder that was named does not exist")
	buffer := make([]byte, 1024)
	n, err := master.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.ReplaceAll(string(buffer[:n]), "\r\n", "\n")
	want := "\x1b[31merror:\x1b[0m read policies: the folder that\n       was named does not exist\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
