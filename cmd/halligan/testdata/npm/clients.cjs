// Microsoft's own JavaScript clients against the sandbox, as anybody would use
// them: nothing in them is changed, and they are told where the tenant is and
// nothing else. It says one line of JSON for each step; TestNpmClients reads
// them, enters the device code, and judges what was said.
"use strict";

const assert = require("node:assert");
const { ClientSecretCredential, DeviceCodeCredential } = require("@azure/identity");
const graph = require("@microsoft/microsoft-graph-client");
const { TokenCredentialAuthenticationProvider } = require("@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials");

const { SANDBOX_URL, SANDBOX_TENANT, SANDBOX_APP, SANDBOX_SECRET } = process.env;
const at = { authorityHost: SANDBOX_URL, disableInstanceDiscovery: true };
const say = (what) => console.log(JSON.stringify(what));

function client(credential, scopes) {
  return graph.Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(credential, { scopes }),
    baseUrl: SANDBOX_URL,
    customHosts: new Set([new URL(SANDBOX_URL).hostname]),
  });
}

async function secret() {
  const c = client(new ClientSecretCredential(SANDBOX_TENANT, SANDBOX_APP, SANDBOX_SECRET, at), ["https://graph.microsoft.com/.default"]);
  const organization = await c.api("/organization").get();
  assert.strictEqual(organization.value[0].id, SANDBOX_TENANT);
  say({ step: "secret" });

  const users = [];
  let pages = 0;
  const first = await c.api("/users").select("id,userPrincipalName").top(5).get();
  assert.ok(first["@odata.nextLink"], "five of many users, and no next page");
  for (let page = first; ; page = await c.api(page["@odata.nextLink"]).get()) {
    pages++;
    users.push(...page.value);
    if (!page["@odata.nextLink"]) break;
  }
  const iterated = [];
  await new graph.PageIterator(c, first, (user) => iterated.push(user) > 0).iterate();
  assert.deepStrictEqual(iterated.map((u) => u.id), users.map((u) => u.id));
  assert.strictEqual(new Set(users.map((u) => u.id)).size, users.length);
  say({ step: "page", pages, users: users.length });

  await assert.rejects(c.api("/users/nobody@contoso.onmicrosoft.com").get(), (e) => e instanceof graph.GraphError && e.statusCode === 404 && e.code === "Request_ResourceNotFound");
  await assert.rejects(c.api("/groups").post({ displayName: "x", mailEnabled: false, mailNickname: "x", securityEnabled: true }),
    (e) => e.statusCode === 403 && e.code === "Authorization_RequestDenied");
  say({ step: "refused" });
}

async function person() {
  const credential = new DeviceCodeCredential({ ...at, tenantId: SANDBOX_TENANT, clientId: "14d82eec-204b-4c2f-b7e8-296a70dab67e",
    userPromptCallback: (info) => say({ step: "code", code: info.userCode, address: info.verificationUri }) });
  const c = client(credential, ["https://graph.microsoft.com/User.ReadWrite.All", "https://graph.microsoft.com/Group.ReadWrite.All"]);
  const me = await c.api("/me").select("id,displayName").get();
  say({ step: "device code", me: me.displayName });

  const group = await c.api("/groups").post({ displayName: "Made by npm", mailEnabled: false, mailNickname: "made-by-npm", securityEnabled: true });
  assert.ok(group.id);
  say({ step: "create" });

  await c.api(`/groups/${group.id}`).patch({ description: "changed" });
  assert.strictEqual((await c.api(`/groups/${group.id}`).get()).description, "changed");
  say({ step: "patch" });

  const json = { "Content-Type": "application/json" };
  // The library takes the part of an address behind the host: a part of a batch has no version.
  const batch = new graph.BatchRequestContent([
    { id: "1", request: new Request(`${SANDBOX_URL}/groups/${group.id}`, { method: "GET" }) },
    { id: "2", request: new Request(`${SANDBOX_URL}/groups/${group.id}`, { method: "PATCH", headers: json, body: JSON.stringify({ description: "again" }) }), dependsOn: ["1"] },
    { id: "3", request: new Request(`${SANDBOX_URL}/users/nobody@contoso.onmicrosoft.com`, { method: "GET" }), dependsOn: ["2"] },
  ]);
  const answers = new graph.BatchResponseContent(await c.api("/$batch").post(await batch.getContent()));
  assert.deepStrictEqual(["1", "2", "3"].map((id) => answers.getResponseById(id).status), [200, 204, 404]);
  assert.strictEqual((await answers.getResponseById("1").json()).description, "changed");
  assert.strictEqual((await c.api(`/groups/${group.id}`).get()).description, "again");
  say({ step: "batch" });

  await c.api(`/groups/${group.id}`).delete();
  await assert.rejects(c.api(`/groups/${group.id}`).get(), (e) => e.statusCode === 404);
  say({ step: "delete" });
}

secret().then(person).then(() => say({ step: "done" }), (e) => { console.error(e); process.exitCode = 1; });
