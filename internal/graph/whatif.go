package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"halligan/entra"
)

// SignInPoint is one concrete sign-in about which Microsoft can be asked (graph-docs
// conditionalaccessroot-evaluate). Empty texts are left out of the question.
type SignInPoint struct {
	App        string // application id: no groups of applications
	Client     string // browser, mobileAppsAndDesktopClients
	Platform   string
	SignInRisk string
	UserRisk   string
	Country    string
	IP         string
}

// Evaluation is Microsoft's answer about one sign-in.
type Evaluation struct {
	// Object is the question with the answer in it, as package posture reads it:
	// signInContext, signInConditions, value.
	Object json.RawMessage
	// Applies says for each policy whether it applies.
	Applies map[entra.ID]bool
}

// Evaluate asks Microsoft which policies apply to a sign-in of a user. It judges
// the policies in force and those that only report; it changes nothing.
func (c *Client) Evaluate(ctx context.Context, user entra.ID, s SignInPoint) (Evaluation, error) {
	conditions := map[string]any{}
	for name, value := range map[string]string{"devicePlatform": s.Platform, "clientAppType": s.Client, "signInRiskLevel": s.SignInRisk, "userRiskLevel": s.UserRisk,
		"country": s.Country, "ipAddress": s.IP} {
		if value != "" {
			conditions[name] = value
		}
	}
	asked := map[string]any{
		"signInContext":    map[string]any{"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": []string{s.App}},
		"signInConditions": conditions,
	}
	body := map[string]any{"signInIdentity": map[string]any{"@odata.type": "#microsoft.graph.userSignIn", "userId": string(user)}, "appliedPoliciesOnly": false}
	for k, v := range asked {
		body[k] = v
	}
	text, err := json.Marshal(body)
	if err != nil {
		return Evaluation{}, fmt.Errorf("ask Microsoft about a sign-in: %w", err)
	}
	list, err := c.List(ctx, Request{Operation: "ask Microsoft which policies apply", Method: http.MethodPost, Version: whatIf.version, Path: whatIf.path, Body: text, Read: true,
		Header: http.Header{"Content-Type": {"application/json"}}, Family: whatIf.family, Permission: whatIf.part.Info().Permission})
	if err != nil {
		return Evaluation{}, err
	}
	out := Evaluation{Applies: map[entra.ID]bool{}}
	for _, raw := range list.Items {
		f := entra.ParseFields(raw)
		applies, known := f.Flag("policyApplies")
		if f.ID() == "" || !known {
			return Evaluation{}, &Error{Operation: "ask Microsoft which policies apply", Kind: KindMalformed, Message: "an evaluation does not say of which policy, or whether it applies"}
		}
		out.Applies[f.ID()] = applies
	}
	asked["value"] = list.Items
	if list.Items == nil {
		asked["value"] = []json.RawMessage{}
	}
	out.Object, err = json.Marshal(asked)
	return out, err
}
