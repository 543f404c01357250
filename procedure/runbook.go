package procedure

// Runbook is what to do in one scenario.
type Runbook struct {
	ID    string // for people who refer to it: ca-lockout
	Title string
	When  string // the signs by which one knows that it is this one
	Steps []Step
}

// Step is one step of a runbook. Only Do is always there.
type Step struct {
	Do        string
	Where     string // a link, and the path through a portal
	Command   string // one or more lines to be typed
	Expect    string // what is seen when it worked
	Otherwise string // what to do when it did not
}

// Runbooks returns the runbooks in the order in which they are printed. The caller
// may change what it gets.
func Runbooks() []Runbook {
	return []Runbook{
		begin(), conditionalAccess(), federation(), mfaService(), people(), deleted(),
		keyLost(), mainOffice(), phones(), halliganDown(), after(),
	}
}

// FirstMinutes is what anybody does first, whatever has happened: the card.
func FirstMinutes() []Step {
	return []Step{
		{Do: "Write down the time, your name, and what you see. A photograph of the message is enough."},
		{Do: "Look whether Microsoft itself is down. If it is, emergency accounts do not help: tell those who ask, open nothing, look again every 15 minutes.", Where: "https://status.cloud.microsoft, from a phone outside the company network"},
		{Do: "Have a second administrator try, on another device and network. If that one gets in, let that one work, and open nothing."},
		{Do: "Call the people on this card, from the top, until two have said yes. Nobody opens anything alone.", Expect: "Two people who may decide, and they know of each other.", Otherwise: "Where telephones are down, use the second way, or send somebody."},
		{Do: "Send somebody for the binder. Where it lies stands below.", Expect: "Its seal is whole and has the number that stands there.", Otherwise: "A broken seal or another number is an incident of its own. Write it down, and go on."},
		{Do: "Open the binder at the scenario that fits. If none does, take the first runbook.", Expect: "From here on one person does, and one reads aloud and ticks."},
	}
}
