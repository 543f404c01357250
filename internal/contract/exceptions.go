package contract

import (
	"fmt"
	"maps"
	"slices"
)

// Exception is an operation that Halligan uses and that the description does not
// have. It has a small schema of its own, written from the page it names.
type Exception struct {
	Method, Path, Version string
	// Page is the documentation page; Seen the day it was read (2006-01-02).
	Page, Seen string
	// Permissions lists the permissions of the page, the least first.
	Permissions []string
	Query       []string
	// Type is the type of the answer, or of its elements when List.
	Type string
	List bool
	// Example is an answer of the shape that the page shows.
	Example string
}

func (x *Exception) String() string { return x.Method + " " + x.Version + " " + x.Path }

// PropertyException is a property that the description does not have.
type PropertyException struct {
	Versions        []string
	Owner, Property string
	Type            string // a type expression
	Page, Seen      string
}

func (x *PropertyException) String() string { return x.Owner + "." + x.Property }

const docs = "https://learn.microsoft.com/graph/api/"

// Exceptions lists the operations in use that the description does not have: the
// description was cut to the resources of sign-in and directory, and never held
// Azure Resource Manager.
var Exceptions = []Exception{
	{
		Method: "GET", Version: V1, Path: "/identityGovernance/termsOfUse/agreements",
		Page: docs + "termsofusecontainer-list-agreements?view=graph-rest-1.0", Seen: "2026-11-21",
		Permissions: []string{"Agreement.Read.All", "Agreement.ReadWrite.All"}, Query: []string{"$select", "$filter", "$top"},
		Type: "microsoft.graph.agreement", List: true,
		Example: `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#agreements","value":[{"id":"5a8d0000-0000-4000-8000-000000000001","displayName":"Terms for all","termsExpiration":null,"userReacceptRequiredFrequency":"P30D","isViewingBeforeAcceptanceRequired":false,"isPerDeviceAcceptanceRequired":false}]}`,
	},
	{
		// The pages have it in beta alone, and there alone the page of the type has
		// a version; which action is protected stands in authenticationContextId.
		Method: "GET", Version: Beta, Path: "/roleManagement/directory/resourceNamespaces/{unifiedRbacResourceNamespace-id}/resourceActions",
		Page: docs + "unifiedrbacresourcenamespace-list-resourceactions?view=graph-rest-beta", Seen: "2026-11-21",
		Permissions: []string{"RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory"},
		Query:       []string{"$select", "$filter", "$top"},
		Type:        "microsoft.graph.unifiedRbacResourceAction", List: true,
		Example: `{"@odata.context":"https://graph.microsoft.com/beta/$metadata#roleManagement/directory/resourceNamespaces('microsoft.directory')/resourceActions","value":[{"id":"microsoft.directory-conditionalAccessPolicies-basic-update-patch","name":"microsoft.directory/conditionalAccessPolicies/basic/update","description":"","actionVerb":"PATCH","isAuthenticationContextSettable":true,"authenticationContextId":"c1","resourceScopeId":null,"isPrivileged":true}]}`,
	},
	{
		Method: "GET", Version: V1, Path: "/groupLifecyclePolicies",
		Page: docs + "grouplifecyclepolicy-list?view=graph-rest-1.0", Seen: "2026-11-21",
		Permissions: []string{"Directory.Read.All", "Directory.ReadWrite.All"}, Query: []string{"$select", "$filter", "$top"},
		Type: "microsoft.graph.groupLifecyclePolicy", List: true,
		Example: `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#groupLifecyclePolicies","value":[{"id":"5a8d0000-0000-4000-8000-000000000002","groupLifetimeInDays":180,"managedGroupTypes":"Selected","alternateNotificationEmails":"groups@contoso.example"}]}`,
	},
	{
		Method: "GET", Version: V1, Path: "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations",
		Page: docs + "publickeyinfrastructureroot-list-certificatebasedauthconfigurations?view=graph-rest-1.0", Seen: "2026-11-21",
		Permissions: []string{"PublicKeyInfrastructure.Read.All", "PublicKeyInfrastructure.ReadWrite.All"}, Query: []string{"$filter", "$top", "$orderby", "$count"},
		Type: "microsoft.graph.certificateBasedAuthPki", List: true,
		Example: `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directory/publicKeyInfrastructure/certificateBasedAuthConfigurations","value":[{"@odata.type":"#microsoft.graph.certificateBasedAuthPki","id":"5a8d0000-0000-4000-8000-000000000003","deletedDateTime":null,"displayName":"Keys of the house","status":"succeeded","statusDetails":null,"lastModifiedDateTime":"2026-01-02T03:04:05Z"}]}`,
	},
	{
		Method: "GET", Version: V1, Path: "/directory/publicKeyInfrastructure/certificateBasedAuthConfigurations/{certificateBasedAuthPki-id}/certificateAuthorities",
		Page: docs + "certificatebasedauthpki-list-certificateauthorities?view=graph-rest-1.0", Seen: "2026-11-21",
		Permissions: []string{"PublicKeyInfrastructure.Read.All", "PublicKeyInfrastructure.ReadWrite.All"}, Query: []string{"$filter", "$top", "$orderby", "$count"},
		Type: "microsoft.graph.certificateAuthorityDetail", List: true,
		Example: `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#directory/publicKeyInfrastructure/certificateBasedAuthConfigurations('5a8d0000-0000-4000-8000-000000000003')/certificateAuthorities","value":[{"@odata.type":"#microsoft.graph.certificateAuthorityDetail","id":"5a8d0000-0000-4000-8000-000000000004","deletedDateTime":null,"certificateAuthorityType":"root","certificate":"MIIB","displayName":"Root","issuer":"CN=Root","issuerSubjectKeyIdentifier":"0A0B","createdDateTime":"2026-01-02T03:04:05Z","expirationDateTime":"2036-01-02T03:04:05Z","thumbprint":"0C0D","certificateRevocationListUrl":null,"deltacertificateRevocationListUrl":null,"isIssuerHintEnabled":true}]}`,
	},
	{
		Method: "GET", Version: ARM, Path: "/providers/Microsoft.Authorization/roleAssignments",
		Page: "https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope", Seen: "2026-11-21",
		Permissions: []string{"Reader at /"}, Query: []string{"api-version", "$filter", "$skipToken", "tenantId"},
		Type: "arm.roleAssignment", List: true,
		Example: `{"value":[{"id":"/providers/Microsoft.Authorization/roleAssignments/5a8d0000-0000-4000-8000-000000000005","name":"5a8d0000-0000-4000-8000-000000000005","type":"Microsoft.Authorization/roleAssignments","properties":{"roleDefinitionId":"/providers/Microsoft.Authorization/roleDefinitions/5a8d0000-0000-4000-8000-000000000006","principalId":"5a8d0000-0000-4000-8000-000000000007","principalType":"User","scope":"/","condition":null,"conditionVersion":null}}]}`,
	},
	{
		Method: "GET", Version: ARM, Path: "/providers/microsoft.aadiam/diagnosticSettings",
		Page: "https://learn.microsoft.com/azure/templates/microsoft.aadiam/2017-04-01/diagnosticsettings", Seen: "2026-11-21",
		Permissions: []string{"Reader"}, Query: []string{"api-version"},
		Type: "arm.diagnosticSetting", List: true,
		Example: `{"value":[{"id":"/providers/microsoft.aadiam/diagnosticSettings/toSentinel","name":"toSentinel","type":"microsoft.aadiam/diagnosticSettings","properties":{"workspaceId":"/subscriptions/5a8d0000-0000-4000-8000-000000000008/resourcegroups/soc/providers/microsoft.operationalinsights/workspaces/soc","eventHubAuthorizationRuleId":null,"eventHubName":null,"storageAccountId":null,"serviceBusRuleId":null,"logs":[{"category":"SignInLogs","enabled":true,"retentionPolicy":{"enabled":false,"days":0}}]}}]}`,
	},
	{
		Method: "GET", Version: ARM, Path: "/subscriptions/{subscriptionId}/providers/Microsoft.Insights/scheduledQueryRules",
		Page: "https://learn.microsoft.com/rest/api/monitor/scheduledqueryrule-2021-08-01/scheduled-query-rules/list-by-subscription", Seen: "2026-11-21",
		Permissions: []string{"Reader"}, Query: []string{"api-version"},
		Type: "arm.scheduledQueryRule", List: true,
		Example: `{"value":[{"id":"/subscriptions/5a8d0000-0000-4000-8000-000000000009/resourcegroups/soc/providers/microsoft.insights/scheduledqueryrules/glass","name":"glass","type":"microsoft.insights/scheduledqueryrules","location":"westeurope","kind":"LogAlert","tags":{},"properties":{"displayName":"glass","description":"","severity":0,"enabled":true,"evaluationFrequency":"PT5M","windowSize":"PT10M","scopes":["/subscriptions/5a8d0000-0000-4000-8000-000000000009"],"autoMitigate":false,"criteria":{"allOf":[{"query":"SigninLogs","timeAggregation":"Count","operator":"GreaterThan","threshold":0,"failingPeriods":{"numberOfEvaluationPeriods":1,"minFailingPeriodsToAlert":1}}]},"actions":{"actionGroups":["/subscriptions/5a8d0000-0000-4000-8000-000000000009/resourcegroups/soc/providers/microsoft.insights/actiongroups/soc"],"customProperties":{}}}}]}`,
	},
	{
		Method: "GET", Version: ARM, Path: "/subscriptions/{subscriptionId}/providers/Microsoft.OperationalInsights/workspaces",
		Page: "https://learn.microsoft.com/rest/api/loganalytics/workspaces/list", Seen: "2026-11-21",
		Permissions: []string{"Reader"}, Query: []string{"api-version"},
		Type: "arm.workspace", List: true,
		Example: `{"value":[{"id":"/subscriptions/5a8d0000-0000-4000-8000-000000000008/resourcegroups/soc/providers/microsoft.operationalinsights/workspaces/soc","name":"soc","type":"Microsoft.OperationalInsights/workspaces","location":"westeurope","tags":{"owner":"soc"},"properties":{"customerId":"5a8d0000-0000-4000-8000-000000000010","provisioningState":"Succeeded","sku":{"name":"PerGB2018"},"retentionInDays":30,"publicNetworkAccessForQuery":"Enabled","publicNetworkAccessForIngestion":"Enabled"}}]}`,
	},
}

// exceptionTypes are the types that Exceptions names, with the properties that
// their pages list (graph: resources/agreement, groupLifecyclePolicy,
// unifiedRbacResourceAction, certificateBasedAuthPki, certificateAuthorityDetail;
// Azure REST: the pages of Exceptions).
var exceptionTypes = map[string]*typeInfo{
	"microsoft.graph.agreement": entity("microsoft.graph.entity",
		"displayName", "Edm.String?", "isPerDeviceAcceptanceRequired", "Edm.Boolean?", "isViewingBeforeAcceptanceRequired", "Edm.Boolean?",
		"termsExpiration", "microsoft.graph.termsExpiration?", "userReacceptRequiredFrequency", "Edm.Duration?").
		leading("acceptances", "Collection(microsoft.graph.agreementAcceptance)", "file", "microsoft.graph.agreementFile", "files", "Collection(microsoft.graph.agreementFileLocalization)"),
	"microsoft.graph.termsExpiration": complexType("frequency", "Edm.Duration?", "startDateTime", "Edm.DateTimeOffset?"),
	"microsoft.graph.groupLifecyclePolicy": entity("microsoft.graph.entity",
		"alternateNotificationEmails", "Edm.String?", "groupLifetimeInDays", "Edm.Int32?", "managedGroupTypes", "Edm.String?"),
	"microsoft.graph.unifiedRbacResourceAction": entity("microsoft.graph.entity",
		"actionVerb", "Edm.String?", "authenticationContextId", "Edm.String?", "description", "Edm.String?", "isAuthenticationContextSettable", "Edm.Boolean?",
		"isPrivileged", "Edm.Boolean?", "name", "Edm.String", "resourceScopeId", "Edm.String?").
		leading("authenticationContext", "microsoft.graph.authenticationContextClassReference", "resourceScope", "microsoft.graph.unifiedRbacResourceScope"),
	"microsoft.graph.certificateBasedAuthPki": entity("microsoft.graph.directoryObject",
		"displayName", "Edm.String?", "lastModifiedDateTime", "Edm.DateTimeOffset?", "status", "Edm.String?", "statusDetails", "Edm.String?").
		leading("certificateAuthorities", "Collection(microsoft.graph.certificateAuthorityDetail)"),
	"microsoft.graph.certificateAuthorityDetail": entity("microsoft.graph.directoryObject",
		"certificate", "Edm.Binary?", "certificateAuthorityType", "microsoft.graph.certificateAuthorityType?", "certificateRevocationListUrl", "Edm.String?",
		"createdDateTime", "Edm.DateTimeOffset?", "deltacertificateRevocationListUrl", "Edm.String?", "displayName", "Edm.String?",
		"expirationDateTime", "Edm.DateTimeOffset?", "isIssuerHintEnabled", "Edm.Boolean?", "issuer", "Edm.String?",
		"issuerSubjectKeyIdentifier", "Edm.String?", "thumbprint", "Edm.String?"),
	"microsoft.graph.certificateAuthorityType": {Kind: "enum", Members: []string{"root", "intermediate", "unknownFutureValue"}},

	"arm.resource": complexType("id", "Edm.String", "name", "Edm.String", "type", "Edm.String"),
	"arm.tracked":  derived("arm.resource", "location", "Edm.String", "tags", "arm.tags?", "kind", "Edm.String?", "etag", "Edm.String?", "systemData", "arm.tags?", "identity", "arm.tags?"),
	"arm.tags":     {Kind: "complex", Open: true},

	"arm.roleAssignment": derived("arm.resource", "properties", "arm.roleAssignmentProperties"),
	"arm.roleAssignmentProperties": complexType("roleDefinitionId", "Edm.String", "principalId", "Edm.Guid", "principalType", "Edm.String?", "scope", "Edm.String",
		"condition", "Edm.String?", "conditionVersion", "Edm.String?", "createdOn", "Edm.DateTimeOffset?", "updatedOn", "Edm.DateTimeOffset?", "createdBy", "Edm.String?",
		"updatedBy", "Edm.String?", "delegatedManagedIdentityResourceId", "Edm.String?", "description", "Edm.String?"),
	"arm.diagnosticSetting": derived("arm.resource", "properties", "arm.diagnosticSettingProperties", "location", "Edm.String?", "kind", "Edm.String?", "tags", "arm.tags?", "identity", "arm.tags?"),
	"arm.diagnosticSettingProperties": complexType("workspaceId", "Edm.String?", "eventHubAuthorizationRuleId", "Edm.String?", "eventHubName", "Edm.String?",
		"storageAccountId", "Edm.String?", "serviceBusRuleId", "Edm.String?", "logs", "Collection(arm.logSetting)"),
	"arm.logSetting":         complexType("category", "Edm.String?", "categoryGroup", "Edm.String?", "enabled", "Edm.Boolean", "retentionPolicy", "arm.retention?"),
	"arm.retention":          complexType("enabled", "Edm.Boolean", "days", "Edm.Int32"),
	"arm.scheduledQueryRule": derived("arm.tracked", "properties", "arm.ruleProperties"),
	"arm.ruleProperties": complexType("displayName", "Edm.String?", "description", "Edm.String?", "severity", "Edm.Int32", "enabled", "Edm.Boolean", "evaluationFrequency", "Edm.Duration",
		"windowSize", "Edm.Duration", "overrideQueryTimeRange", "Edm.Duration?", "scopes", "Collection(Edm.String)", "targetResourceTypes", "Collection(Edm.String)", "criteria", "arm.criteria",
		"muteActionsDuration", "Edm.Duration?", "actions", "arm.actions", "autoMitigate", "Edm.Boolean?", "checkWorkspaceAlertsStorageConfigured", "Edm.Boolean?", "skipQueryValidation", "Edm.Boolean?",
		"createdWithApiVersion", "Edm.String?", "isLegacyLogAnalyticsRule", "Edm.Boolean?", "isWorkspaceAlertsStorageConfigured", "Edm.Boolean?"),
	"arm.criteria": complexType("allOf", "Collection(arm.condition)"),
	"arm.condition": complexType("query", "Edm.String", "timeAggregation", "Edm.String", "metricMeasureColumn", "Edm.String?", "resourceIdColumn", "Edm.String?", "operator", "Edm.String",
		"threshold", "Edm.Double", "failingPeriods", "arm.periods?", "dimensions", "Collection(arm.tags)", "metricName", "Edm.String?"),
	"arm.periods":   complexType("numberOfEvaluationPeriods", "Edm.Int32", "minFailingPeriodsToAlert", "Edm.Int32"),
	"arm.actions":   complexType("actionGroups", "Collection(Edm.String)", "customProperties", "arm.tags?"),
	"arm.workspace": derived("arm.tracked", "properties", "arm.workspaceProperties"),
	"arm.workspaceProperties": complexType("customerId", "Edm.Guid", "provisioningState", "Edm.String?", "sku", "arm.sku?", "retentionInDays", "Edm.Int32?", "workspaceCapping", "arm.tags?",
		"createdDate", "Edm.DateTimeOffset?", "modifiedDate", "Edm.DateTimeOffset?", "publicNetworkAccessForQuery", "Edm.String?", "publicNetworkAccessForIngestion", "Edm.String?",
		"forceCmkForQuery", "Edm.Boolean?", "features", "arm.tags?", "defaultDataCollectionRuleResourceId", "Edm.String?"),
	"arm.sku": complexType("name", "Edm.String", "capacityReservationLevel", "Edm.Int32?", "lastSkuUpdate", "Edm.String?"),
}

func pairs(of []string) map[string]string {
	m := map[string]string{}
	for pair := range slices.Chunk(of, 2) {
		m[pair[0]] = pair[1]
	}
	return m
}

func entity(base string, properties ...string) *typeInfo {
	return &typeInfo{Kind: "entity", Base: base, Properties: pairs(properties)}
}

func complexType(properties ...string) *typeInfo {
	return &typeInfo{Kind: "complex", Properties: pairs(properties)}
}

func derived(base string, properties ...string) *typeInfo {
	return &typeInfo{Kind: "complex", Base: base, Properties: pairs(properties)}
}

func (t *typeInfo) leading(navigation ...string) *typeInfo {
	t.Navigation = pairs(navigation)
	return t
}

// PropertyExceptions lists single properties that the documentation has and the
// description lacks.
var PropertyExceptions = []PropertyException{}

func propertyException(version, name, property string, types index) *PropertyException {
	for i := range PropertyExceptions {
		x := &PropertyExceptions[i]
		if x.Property == property && slices.Contains(x.Versions, version) && types.derives(name, x.Owner) {
			return x
		}
	}
	return nil
}

// addExceptions makes operations of the exceptions. One that the description has
// after all is an error: it would hide the description.
func (c *Contract) addExceptions() error {
	for _, types := range c.types {
		for _, name := range slices.Sorted(maps.Keys(exceptionTypes)) {
			if _, described := types[name]; !described {
				t := *exceptionTypes[name]
				types[name] = &t
			}
		}
	}
	for i := range Exceptions {
		x := &Exceptions[i]
		t, err := parseTemplate(x.Path)
		if err != nil {
			return err
		}
		for _, o := range c.operations[x.Version] {
			if o.Method == x.Method && o.Path == x.Path {
				return fmt.Errorf("read the exceptions of Graph: %s is described", x)
			}
		}
		types := c.types[x.Version]
		if types[x.Type] == nil {
			return fmt.Errorf("read the exceptions of Graph: %s has the unknown type %s", x, x.Type)
		}
		o := &Operation{Method: x.Method, Path: x.Path, Version: x.Version, Docs: x.Page, Query: x.Query, Item: x.Type, List: x.List,
			Exception: x, template: t, response: x.Type, success: []int{200}}
		if x.List {
			o.response = x.String() + " response"
			envelope := map[string]string{"value": "Collection(" + x.Type + ")"}
			if x.Version == ARM {
				envelope["nextLink"] = "Edm.String?"
			}
			types[o.response] = &typeInfo{Kind: "complex", Properties: envelope, required: []string{"value"}}
		}
		c.operations[x.Version] = append(c.operations[x.Version], o)
	}
	return nil
}
