package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// armList is one collection of Azure Resource Manager: a set of State whose
// objects are resources as ARM shows them (graph.md section 7).
type armList struct {
	// pattern is the path; {subscription} and {workspace} are filled in.
	pattern string
	set     string
	// versions of the API that are served; any later date too.
	since string
	// filter is the $filter that must be given, "" none.
	filter string
}

// armLists are the collections that Halligan reads. Each is kept in State under
// arm/…, the one of a subscription under arm/subscriptions/{id}/….
var armLists = []armList{
	{pattern: "/subscriptions", set: "arm/subscriptions", since: "2016-06-01"},
	{pattern: "/providers/microsoft.authorization/roleassignments", set: "arm/roleAssignments", since: "2015-07-01", filter: "atscope"},
	{pattern: "/providers/microsoft.authorization/roledefinitions", set: "arm/roleDefinitions", since: "2015-07-01"},
	{pattern: "/providers/microsoft.aadiam/diagnosticsettings", set: "arm/diagnosticSettings", since: "2017-04-01"},
	{pattern: "/providers/microsoft.aadiam/diagnosticsettingscategories", set: "arm/diagnosticSettingsCategories", since: "2017-04-01"},
	{pattern: "/subscriptions/{subscription}/providers/microsoft.insights/scheduledqueryrules", set: "arm/scheduledQueryRules", since: "2021-08-01"},
	{pattern: "/subscriptions/{subscription}/providers/microsoft.insights/actiongroups", set: "arm/actionGroups", since: "2021-09-01"},
	{pattern: "/subscriptions/{subscription}/providers/microsoft.operationalinsights/workspaces", set: "arm/workspaces", since: "2020-08-01"},
	{pattern: "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.operationalinsights/workspaces/{workspace}/providers/microsoft.securityinsights/alertrules", set: "arm/alertRules", since: "2021-10-01"},
}

// armDoor is the Resource Manager side of a Server.
type armDoor struct {
	*Server
	who func(*http.Request) (Caller, error) // Server.caller, but for tests
}

// armRoutes serves what Halligan reads of Azure Resource Manager.
func (s *Server) armRoutes(mux *http.ServeMux) {
	host, _, _ := strings.Cut(s.config.Host, ":")
	for _, p := range []string{"/subscriptions", "/subscriptions/", "/providers/"} {
		mux.HandleFunc(host+p, armDoor{s, s.caller}.serve)
	}
}

func (s armDoor) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("x-ms-request-id", graphID())
	w.Header().Set("x-ms-correlation-request-id", graphID())
	w.Header().Set("x-ms-ratelimit-remaining-tenant-reads", "11999")
	a, err := s.answer(r)
	if err != nil {
		e, ok := errors.AsType[*graphError](err)
		if !ok {
			e = &graphError{500, "InternalServerError", err.Error()}
		}
		if e.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://`+s.config.Host+`/`+s.tenantID()+`", error="invalid_token", error_description="`+e.code+`"`)
		}
		a = answer{status: e.status, body: Object{"error": Object{"code": e.code, "message": e.message}}}
	}
	write(w, a)
}

func (s armDoor) tenantID() (id string) {
	s.View(func(st *State) { id = st.ID })
	return id
}

func (s armDoor) answer(r *http.Request) (answer, error) {
	caller, err := s.who(r)
	if err != nil {
		return answer{}, &graphError{401, "AuthenticationFailed", "Authentication failed. " + err.Error()}
	}
	if !isARM(caller.Audience) {
		return answer{}, &graphError{401, "InvalidAuthenticationTokenAudience", "The access token has been obtained for wrong audience or resource. It should exactly match (including forward slash) with one of the allowed audiences 'https://management.core.windows.net/','https://management.azure.com/'."}
	}
	if r.Method != http.MethodGet {
		return answer{}, &graphError{405, "MethodNotAllowed", "The sandbox serves Azure Resource Manager for reading only."}
	}
	version := r.URL.Query().Get("api-version")
	if version == "" {
		return answer{}, &graphError{400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."}
	}
	list, subscription, one := findARM(r.URL.Path)
	if list == nil {
		return answer{}, &graphError{404, "InvalidResourceType", "The resource type could not be found in the sandbox."}
	}
	if version < list.since {
		return answer{}, &graphError{400, "InvalidApiVersionParameter", "The api-version '" + version + "' is invalid. The supported versions begin at '" + list.since + "'."}
	}
	if list.filter != "" && one == "" && !strings.HasPrefix(strings.ToLower(r.URL.Query().Get("$filter")), list.filter) {
		return answer{}, &graphError{403, "AuthorizationFailed", "The client does not have authorization to perform action 'Microsoft.Authorization/roleAssignments/read' over scope '/': use $filter=atScope()."}
	}
	return s.read(caller, list, subscription, one, r.URL.Path)
}

func (s armDoor) read(caller Caller, list *armList, subscription, one, path string) (a answer, err error) {
	s.View(func(st *State) {
		if !st.readsAzure(caller) {
			err = &graphError{403, "AuthorizationFailed", "The client '" + caller.AppID + "' with object id '" + caller.UserID + "' does not have authorization to perform the action."}
			return
		}
		if subscription != "" && st.Get("arm/subscriptions", subscription) == nil {
			err = &graphError{404, "SubscriptionNotFound", "The subscription '" + subscription + "' could not be found."}
			return
		}
		value := []any{}
		for _, o := range st.All(list.set) {
			id := text(o, "id")
			switch {
			case one != "" && strings.EqualFold(id, path):
				a = answer{status: http.StatusOK, body: o}
				return
			case subscription == "" || strings.HasPrefix(strings.ToLower(id), strings.TrimSuffix(strings.ToLower(path[:strings.Index(strings.ToLower(path), subscription)+len(subscription)]), "/")+"/"):
				value = append(value, o)
			}
		}
		if one != "" {
			err = &graphError{404, "ResourceNotFound", "The resource '" + path + "' was not found."}
			return
		}
		a = answer{status: http.StatusOK, body: Object{"value": value}}
	})
	return a, err
}

// readsAzure reports whether a caller may read Azure: a State that says nothing of
// it lets everybody; else arm/readers lists object ids or application ids.
func (s *State) readsAzure(caller Caller) bool {
	readers := s.All("arm/readers")
	return len(readers) == 0 || slices.ContainsFunc(readers, func(o Object) bool {
		return strings.EqualFold(text(o, "id"), caller.UserID) || strings.EqualFold(text(o, "id"), caller.AppID)
	})
}

// findARM finds the collection of a path; one is the name of a single resource.
func findARM(path string) (list *armList, subscription, one string) {
	have := strings.Split(strings.Trim(strings.ToLower(path), "/"), "/")
	for i := range armLists {
		want := strings.Split(strings.Trim(armLists[i].pattern, "/"), "/")
		if len(have) != len(want) && len(have) != len(want)+1 {
			continue
		}
		fits, sub := true, ""
		for j, w := range want {
			switch {
			case w == "{subscription}":
				sub = have[j]
			case strings.HasPrefix(w, "{"):
			default:
				fits = fits && w == have[j]
			}
		}
		if fits {
			if len(have) > len(want) {
				one = have[len(want)]
			}
			return &armLists[i], sub, one
		}
	}
	return nil, "", ""
}
