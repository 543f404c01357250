package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// inStrength changes the combination configurations of a custom strength.
func inStrength(c *call, activity string, f func(strength Object, list []any) ([]any, error)) error {
	return c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		before := st.Get(setStrengths, c.args["id"])
		if before == nil {
			return notFound(c.args["id"])
		}
		if before["policyType"] == "builtIn" {
			return badRequest("A built-in authentication strength policy cannot be changed.")
		}
		after := copied(before)
		list, _ := after["combinationConfigurations"].([]any)
		list, err := f(after, list)
		if err != nil {
			return err
		}
		after["combinationConfigurations"] = list
		after["modifiedDateTime"] = stamp(c.now)
		st.Put(setStrengths, text(before, "id"), after)
		c.audited(st, strengths, activity, before, after)
		return nil
	})
}

const configurationType = "authenticationCombinationConfiguration"

func configurationAt(list []any, id string) int {
	return slices.IndexFunc(list, func(e any) bool { o, _ := e.(Object); return strings.EqualFold(text(o, "id"), id) })
}

func createConfiguration(c *call) (a answer, err error) {
	o, err := written(c.version, configurationType, c.body)
	if err != nil {
		return a, err
	}
	err = inStrength(c, "Add authentication combination configuration", func(strength Object, list []any) ([]any, error) {
		if err := makeConfiguration(strength, o); err != nil {
			return nil, err
		}
		return append(list, o), nil
	})
	if err != nil {
		return a, err
	}
	return c.entity(http.StatusCreated, "policies/authenticationStrengthPolicies('"+c.args["id"]+"')/combinationConfigurations/$entity", shown(c.version, configurationType, o, nil)), nil
}

func updateConfiguration(c *call) (answer, error) {
	patch, err := written(c.version, configurationType, c.body)
	if err != nil {
		return answer{}, err
	}
	return noContent, inStrength(c, "Update authentication combination configuration", func(strength Object, list []any) ([]any, error) {
		at := configurationAt(list, c.args["sub"])
		if at < 0 {
			return nil, notFound(c.args["sub"])
		}
		after := maps.Clone(list[at].(Object))
		maps.Copy(after, patch)
		list[at] = after
		return list, nil
	})
}

func eraseConfiguration(c *call) (answer, error) {
	return noContent, inStrength(c, "Delete authentication combination configuration", func(strength Object, list []any) ([]any, error) {
		at := configurationAt(list, c.args["sub"])
		if at < 0 {
			return nil, notFound(c.args["sub"])
		}
		return slices.Delete(list, at, at+1), nil
	})
}

// within is a resource of the objects that stand in a list of another object.
func within(set, parent, list, typ, context string) *resource {
	return &resource{set: set, typ: typ, context: context, unpaged: true, all: func(c *call, st *State) ([]Object, error) {
		o := st.Get(set, c.args["id"])
		if parent != "" {
			o = c.single(st, parent)
		}
		if o == nil {
			return nil, notFound(c.args["id"])
		}
		return slices.DeleteFunc(objects(o, list), func(e Object) bool {
			t := types().types[typeOf(e, typ)]
			return t != nil && t.only != "" && t.only != c.version
		}), nil
	}}
}

var configurations = within(setStrengths, "", "combinationConfigurations", configurationType, "policies/authenticationStrengthPolicies/combinationConfigurations")

// updateCombinations answers POST …/updateAllowedCombinations.
func updateCombinations(c *call) (a answer, err error) {
	checked, err := written(c.version, "authenticationStrengthPolicy", Object{"allowedCombinations": c.body["allowedCombinations"]})
	if err != nil || len(texts(checked, "allowedCombinations")) == 0 {
		return a, badRequest("allowedCombinations is required.")
	}
	var before []string
	err = inStrength(c, "Update authentication strength policy", func(strength Object, list []any) ([]any, error) {
		before = texts(strength, "allowedCombinations")
		strength["allowedCombinations"] = checked["allowedCombinations"]
		return list, nil
	})
	if err != nil {
		return a, err
	}
	added := slices.DeleteFunc(texts(checked, "allowedCombinations"), func(s string) bool { return slices.Contains(before, s) })
	return answer{status: http.StatusOK, body: Object{"@odata.context": c.context("microsoft.graph.updateAllowedCombinationsResult"),
		"currentCombinations": checked["allowedCombinations"], "previousCombinations": anys(before),
		"additionalInformation": itoa(len(added)) + " combinations were added."}}, nil
}

// usage answers GET …/usage().
func usage(c *call) (a answer, err error) {
	c.View(func(st *State) {
		if err = c.gates(nil, st); err != nil {
			return
		}
		if st.Get(setStrengths, c.args["id"]) == nil {
			err = notFound(c.args["id"])
			return
		}
		mfa := []any{}
		for _, p := range st.strengthUsers(c.args["id"]) {
			mfa = append(mfa, shown(c.version, "conditionalAccessPolicy", policyView(c, st, p), nil))
		}
		a = answer{status: http.StatusOK, body: Object{"@odata.context": c.context("microsoft.graph.authenticationStrengthUsage"), "mfa": mfa, "none": []any{}}}
	})
	return a, err
}

// whatIfAnswer answers POST /identity/conditionalAccess/evaluate: What If.
func whatIfAnswer(c *call) (a answer, err error) {
	for _, need := range []string{"signInIdentity", "signInContext", "signInConditions"} {
		if _, ok := c.body[need].(Object); !ok {
			return a, badRequest("The parameter '%s' is required.", need)
		}
	}
	c.View(func(st *State) {
		if err = c.gates(nil, st); err != nil {
			return
		}
		var list []Object
		if list, err = c.whatIf(st, c.body); err != nil {
			return
		}
		value := []any{}
		for _, o := range list {
			if flag(c.body, "appliedPoliciesOnly") && !flag(o, "policyApplies") {
				continue
			}
			value = append(value, shown(c.version, "whatIfAnalysisResult", policyView(c, st, o), nil))
		}
		a = answer{status: http.StatusOK, body: Object{"@odata.context": c.context("Collection(microsoft.graph.whatIfAnalysisResult)"), "value": value}}
	})
	return a, err
}

var deletedPolicies = &resource{set: "identity/conditionalAccess/deletedItems/policies", typ: "conditionalAccessPolicy", unpaged: true, kind: "Policy",
	service: "Conditional Access", category: "Policy", noun: "deleted conditional access policy", view: policyView}

var deletedLocations = &resource{set: "identity/conditionalAccess/deletedItems/namedLocations", typ: "namedLocation", unpaged: true, kind: "Policy",
	service: "Conditional Access", category: "Policy", noun: "deleted named location"}

// restoreCA answers POST …/deletedItems/{id}/restore of Conditional Access.
func restoreCA(from, to *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		err = c.Update(func(st *State) error {
			if err := c.gates(nil, st); err != nil {
				return err
			}
			gone, err := from.get(c, st)
			if err != nil {
				return err
			}
			back := maps.Clone(gone)
			back["deletedDateTime"] = nil
			if to == caPolicies && back["state"] == "enabled" && flag(st.Single[pathDefaults], "isEnabled") {
				back["state"] = "disabled"
			}
			st.Delete(from.set, text(gone, "id"))
			st.Put(to.set, text(back, "id"), back)
			c.audited(st, to, "Restore "+to.noun, gone, back)
			out, err := to.show(c, st, back, nil)
			a = c.entity(http.StatusOK, to.contextName()+"/$entity", out)
			return err
		})
		return a, err
	}
}

var methodConfigurations = within("", pathMethods, "authenticationMethodConfigurations", "authenticationMethodConfiguration", "authenticationMethodConfigurations")

// readMethodsPolicy answers GET of the authentication methods policy, with its
// configurations.
func readMethodsPolicy(c *call) (a answer, err error) {
	c.View(func(st *State) {
		if err = c.gates(nil, st); err != nil {
			return
		}
		o := c.single(st, pathMethods)
		out := shown(c.version, "authenticationMethodsPolicy", o, c.query.selected)
		if c.query.selected == nil {
			out["authenticationMethodConfigurations@odata.context"] = c.context("policies/authenticationMethodsPolicy/authenticationMethodConfigurations")
			list := []any{}
			for _, e := range objects(o, "authenticationMethodConfigurations") {
				if t := types().types[typeOf(e, "authenticationMethodConfiguration")]; t != nil && (t.only == "" || t.only == c.version) {
					list = append(list, shown(c.version, "authenticationMethodConfiguration", e, nil))
				}
			}
			out["authenticationMethodConfigurations"] = list
		}
		a = c.entity(http.StatusOK, "authenticationMethodsPolicy", out)
	})
	return a, err
}

// mergedConfigurations are the configurations after a PATCH of the whole policy
// that names some of them (graph: authenticationmethodspolicy-update, example 1).
func mergedConfigurations(version string, have, given []Object) ([]any, error) {
	list := []any{}
	for _, o := range have {
		list = append(list, o)
	}
	for _, patch := range given {
		i := slices.IndexFunc(have, func(o Object) bool { return strings.EqualFold(text(o, "id"), text(patch, "id")) })
		if i < 0 {
			return nil, notFound(text(patch, "id"))
		}
		typ := typeOf(have[i], "authenticationMethodConfiguration")
		checked, err := written(version, typ, patch)
		if err != nil {
			return nil, err
		}
		merged := maps.Clone(list[i].(Object))
		maps.Copy(merged, checked)
		merged["id"] = have[i]["id"]
		list[i] = merged
	}
	return list, nil
}

func changeMethodsPolicy(c *call, st *State, before, after Object) error {
	if given := objects(c.body, "authenticationMethodConfigurations"); len(given) > 0 {
		list, err := mergedConfigurations(c.version, objects(before, "authenticationMethodConfigurations"), given)
		if err != nil {
			return err
		}
		after["authenticationMethodConfigurations"] = list
	}
	after["lastModifiedDateTime"] = stamp(c.now)
	return nil
}

// changeMethod answers PATCH and DELETE of one configuration by its name; DELETE
// brings back the default.
func changeMethod(c *call) (answer, error) {
	var patch Object
	if c.op.method == http.MethodPatch {
		if _, has := c.body["@odata.type"]; !has {
			return answer{}, badRequest("The request body must contain '@odata.type'.")
		}
		var err error
		if patch, err = written(c.version, "authenticationMethodConfiguration", c.body); err != nil {
			return answer{}, err
		}
	}
	return noContent, c.Update(func(st *State) error {
		if err := c.gates(nil, st); err != nil {
			return err
		}
		before := c.single(st, pathMethods)
		after := copied(before)
		list, _ := after["authenticationMethodConfigurations"].([]any)
		at := configurationAt(list, c.args["id"])
		if at < 0 {
			return notFound(c.args["id"])
		}
		have := list[at].(Object)
		if patch == nil {
			fresh := objects(defaultSingle[pathMethods], "authenticationMethodConfigurations")
			patch = Object{}
			for _, d := range fresh {
				if strings.EqualFold(text(d, "id"), c.args["id"]) {
					patch = copied(d)
				}
			}
		}
		if t := text(patch, "@odata.type"); t != "" && t != text(have, "@odata.type") {
			return badRequest("The @odata.type '%s' does not fit the configuration '%s'.", t, text(have, "id"))
		}
		delete(patch, "id")
		maps.Copy(have, patch)
		if err := validMethod(have); err != nil {
			return err
		}
		st.Single[pathMethods] = after
		c.audit(st, Change{By: c.caller, Activity: "Authentication Methods Policy Update", Category: "Policy", Service: "Authentication Methods", Before: before, Target: after, Type: "Policy"})
		return nil
	})
}

func validMethod(o Object) error {
	for _, t := range append(objects(o, "includeTargets"), objects(o, "excludeTargets")...) {
		if id := text(t, "id"); id != "all_users" && !isID(id) {
			return badRequest("Invalid target '%s' of the authentication method configuration.", id)
		}
	}
	if typeOf(o, "authenticationMethodConfiguration") == "temporaryAccessPassAuthenticationMethodConfiguration" {
		least, _ := number(o["minimumLifetimeInMinutes"])
		most, _ := number(o["maximumLifetimeInMinutes"])
		usual, _ := number(o["defaultLifetimeInMinutes"])
		if least < 10 || most > 43200 || least > usual || usual > most {
			return badRequest("The lifetimes of the Temporary Access Pass policy must be 10 <= minimum <= default <= maximum <= 43200.")
		}
	}
	return nil
}

// authorization is the authorization policy as the collection that beta has.
var authorization = &resource{typ: "authorizationPolicy", set: "policies/authorizationPolicy/authorizationPolicy", context: "authorizationPolicy", unpaged: true,
	all: func(c *call, st *State) ([]Object, error) { return []Object{c.single(st, pathAuthorize)}, nil }}

func anyChange(c *call, st *State, before, after Object) error { return nil }
