package notify

import "strings"

// A workflow of Teams that posts what a webhook gets takes an adaptive card in the
// envelope of a bot's message ("Create incoming webhooks with Workflows for Microsoft
// Teams"). A rich text block shows letters as they are: nothing in it is Markdown.

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
	Halligan    strict            `json:"halligan"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string       `json:"$schema"`
	Type    string       `json:"type"`
	Version string       `json:"version"`
	Body    []teamsBlock `json:"body"`
}

type teamsBlock struct {
	Type    string     `json:"type"`
	Inlines []teamsRun `json:"inlines"`
}

type teamsRun struct {
	Type   string `json:"type"`
	Text   string `json:"text"`
	Weight string `json:"weight,omitempty"`
}

func cardBody(m *Message) any {
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	for i, line := range strings.Split(strings.TrimSpace(m.lines()), "\n") {
		if line == "" {
			continue
		}
		run := teamsRun{Type: "TextRun", Text: line}
		if i == 0 {
			run.Weight = "Bolder"
		}
		card.Body = append(card.Body, teamsBlock{"RichTextBlock", []teamsRun{run}})
	}
	return teamsMessage{"message", []teamsAttachment{{"application/vnd.microsoft.card.adaptive", card}}, m.strict()}
}
