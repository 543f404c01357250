package sandbox

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Change is one change for the audit log.
type Change struct {
	By       Caller
	Activity string // "Update conditional access policy"
	Category string // Policy, UserManagement, RoleManagement …
	Service  string // loggedByService
	Target   Object // after; nil deleted
	Before   Object // nil created
	Type     string // User, Group, Policy, ServicePrincipal …
	Failed   string // resultReason; "" succeeded
	// IP and UserAgent of the request, where known.
	IP, UserAgent string
	// CorrelationID joins the records of one change; "" makes a new one.
	CorrelationID string
}

// audit writes one record of the audit log (Graph directoryAudit). The caller
// holds the state.
func (s *Server) audit(state *State, c Change) {
	record := auditRecord(state, c, s.now())
	state.Put("auditLogs/directoryAudits", wireText(record["id"]), record)
}

func auditRecord(state *State, c Change, at time.Time) Object {
	correlation := c.CorrelationID
	if correlation == "" {
		correlation = newRecordID()
	}
	service := c.Service
	if service == "" {
		service = "Core Directory"
	}
	result := "success"
	if c.Failed != "" {
		result = "failure"
	}
	details := []any{}
	if c.UserAgent != "" {
		details = append(details, Object{"key": "User-Agent", "value": c.UserAgent})
	}
	return Object{
		"id": "Directory_" + correlation + "_" + newRecordID(), "category": c.Category, "correlationId": correlation, "result": result, "resultReason": c.Failed,
		"activityDisplayName": c.Activity, "activityDateTime": at.UTC().Format("2006-01-02T15:04:05.0000000Z"), "loggedByService": service,
		"operationType": auditOperation(c), "initiatedBy": auditInitiator(state, c), "targetResources": []any{auditTarget(c)}, "additionalDetails": details,
	}
}

// operationType: the first word of an activity says what was done.
func auditOperation(c Change) string {
	switch first, _, _ := strings.Cut(c.Activity, " "); first {
	case "Add", "Create", "User":
		return "Add"
	case "Delete", "Remove", "Hard":
		return "Delete"
	case "Update", "Reset", "Change", "Set", "Disable", "Enable":
		return "Update"
	}
	switch {
	case c.Before == nil:
		return "Add"
	case c.Target == nil:
		return "Delete"
	}
	return "Update"
}

// auditInitiator is the person, or the application when nobody stands behind it.
func auditInitiator(state *State, c Change) Object {
	if c.By.UserID != "" {
		u := state.Get("users", c.By.UserID)
		return Object{"app": nil, "user": Object{"id": c.By.UserID, "displayName": nil, "userPrincipalName": wireText(u["userPrincipalName"]), "ipAddress": c.IP}}
	}
	app := Object{"appId": nil, "displayName": appNameOf(state, c.By.AppID), "servicePrincipalId": nil, "servicePrincipalName": nil}
	for _, sp := range state.All("servicePrincipals") {
		if wireSame(wireText(sp["appId"]), c.By.AppID) {
			app["servicePrincipalId"] = wireText(sp["id"])
		}
	}
	return Object{"user": nil, "app": app}
}

func auditTarget(c Change) Object {
	o := c.Target
	if o == nil {
		o = c.Before
	}
	t := Object{"id": wireText(o["id"]), "displayName": wireText(o["displayName"]), "type": c.Type, "userPrincipalName": nil, "groupType": nil,
		"modifiedProperties": auditModified(c)}
	if upn := wireText(o["userPrincipalName"]); upn != "" {
		t["userPrincipalName"] = upn
	}
	if c.Type == "Group" {
		t["groupType"] = "unknownFutureValue"
		if slices.Contains(wireElements(o["groupTypes"]), "Unified") {
			t["groupType"] = "unifiedGroups"
		}
	}
	return t
}

// modified are the changes as text of JSON. A Conditional Access policy, location
// or strength stands there whole, as one property; of other objects each property
// that changed, its value in a list, and their names at the end.
func auditModified(c Change) []any {
	out := []any{}
	if wireSame(c.Service, "Conditional Access") || wireSame(c.Category, "Policy") {
		name := map[string]string{"namedLocation": "NamedLocation"}[c.Type]
		if name == "" {
			name = "ConditionalAccessPolicy"
		}
		return append(out, Object{"displayName": name, "oldValue": auditJSON(c.Before), "newValue": auditJSON(c.Target)})
	}
	names := map[string]bool{}
	for k := range c.Before {
		names[k] = true
	}
	for k := range c.Target {
		names[k] = true
	}
	var included []string
	for _, k := range slices.Sorted(maps.Keys(names)) {
		before, after := auditJSON(auditValue(c.Before, k)), auditJSON(auditValue(c.Target, k))
		if before == after || strings.Contains(k, "@") || auditSecret[k] {
			continue
		}
		label := strings.ToUpper(k[:1]) + k[1:]
		included = append(included, label)
		out = append(out, Object{"displayName": label, "oldValue": before, "newValue": after})
	}
	if len(included) > 0 {
		out = append(out, Object{"displayName": "Included Updated Properties", "oldValue": nil, "newValue": auditJSON(strings.Join(included, ", "))})
	}
	return out
}

// auditSecret must never stand in a log.
var auditSecret = map[string]bool{"passwordProfile": true, "temporaryAccessPass": true, "secretKey": true, "secretText": true, "publicKeyCredential": true}

func auditValue(o Object, name string) any {
	v, have := o[name]
	if !have {
		return nil
	}
	if _, list := v.([]any); list {
		return v
	}
	return []any{v}
}

func auditJSON(v any) any {
	if o, ok := v.(Object); v == nil || ok && o == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(b)
}
