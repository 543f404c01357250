package procedure

func people() Runbook {
	return Runbook{ID: "people-unreachable", Title: "The people who are responsible cannot be reached",
		When: "A part is needed, and its holder does not answer on either of the two ways in this binder; or has left, is ill, or is dead.",
		Steps: []Step{
			{Do: "Call each of the two ways three times, ten minutes apart. Then the person's manager. Write down each call with its time."},
			{Do: "Look in the table “What is lost, and who still gets in” for the line with this person.", Expect: "It names the ways in that are left. What each takes, where, and who fetches it stands above it.",
				Otherwise: "Look under “Where the parts are” for an account of which others hold every part."},
			{Do: "Call those others. Two people who may decide agree that this person is passed over, and why."},
			{Do: "Let somebody with access to the place open it, in the presence of a second person.", Expect: "The numbers of the seals are those of this binder.", Otherwise: "A locksmith or the bank opens a safe for a director of the company who can show to be one. It takes hours: call now."},
			{Do: "Get in: runbook “Getting in with an emergency account”."},
			{Do: "Afterwards change what that person knew or held: combination, PIN, key.", Command: "halligan custody list\nhalligan custody hand-over PART --to NAME --by NAME --why TEXT --key KEY"},
		}}
}

func deleted() Runbook {
	return Runbook{ID: "account-deleted", Title: "An emergency account was deleted or disabled",
		When: "Signing in says that the account does not exist (AADSTS50034) or is disabled (AADSTS50057), or an alert says that somebody deleted it.",
		Steps: []Step{
			{Do: "Take it for an attack until you know better. Call those who handle incidents."},
			{Do: "Get in with the other emergency account, or as any Global Administrator who still can.", Where: "https://entra.microsoft.com", Otherwise: "If there is none, Microsoft must help. Call their support for business (the number stands under “Whom to call”) and ask for the Data Protection team. Have ready: the tenant id, the domains and who owns them, an invoice."},
			{Do: "Restore the account. It waits for 30 days after it was deleted, with its roles and keys.", Where: usersPath + " → Deleted users → the account → Restore user",
				Command: "Connect-MgGraph -Scopes User.ReadWrite.All,User.DeleteRestore.All\nInvoke-MgGraphRequest -Method POST -Uri https://graph.microsoft.com/v1.0/directory/deletedItems/ACCOUNT/restore",
				Expect:  "The account is in the list of users, with the object id that stands in this binder.", Otherwise: "After 30 days it is gone. Make a new one when the emergency is over: its id changes, and exclusions, alerts and this binder with it."},
			{Do: "If it was only disabled, enable it.", Where: usersPath + " → the account → Edit properties → Settings → Account enabled"},
			{Do: "See that nothing is missing: role, exclusion, security keys.", Command: "halligan check"},
			{Do: "Find out who did it.", Where: "https://entra.microsoft.com → Entra ID → Monitoring & health → Audit logs → activity Delete user"},
			{Do: "Go through “After use”."},
		}}
}

func keyLost() Runbook {
	return Runbook{ID: "key-lost", Title: "A key, a PIN or a seal is lost or broken",
		When: "A security key is not where it should be, does not answer, or has locked itself; a PIN is not known; a seal is broken or has another number.",
		Steps: []Step{
			{Do: "Write down what you found, where and when, with two names. Take a photograph. Touch no more than you must."},
			{Do: "Do not guess PINs. A key stands 8 wrong ones, then it is locked for ever.", Expect: "Somebody holds the PIN in another envelope: see “Where the parts are”."},
			{Do: "If you need to get in now: use the account's other key, or the other account."},
			{Do: "Take the lost key from the account, so that whoever has it cannot use it.", Where: usersPath + " → the account → Authentication methods → the key → Delete",
				Command: "Connect-MgGraph -Scopes UserAuthenticationMethod.ReadWrite.All\nRemove-MgUserAuthenticationFido2Method -UserId ACCOUNT -Fido2AuthenticationMethodId DEVICE",
				Expect:  "The list shows one key less. At least one is left; never delete the last."},
			{Do: "Look whether it was used.", Where: logsPath + " → filter on the account", Expect: "No sign-in that you cannot explain.", Otherwise: "It is an incident. Call those who handle them, and end all sessions: Revoke-MgUserSignInSession -UserId ACCOUNT"},
			{Do: "Give the account a new key of another model, with a new PIN; seal both apart; write them down.", Command: "halligan custody add PART --kind key --by NAME --why TEXT --key KEY\nhalligan custody verify PART --as NAME"},
			{Do: "Print this binder anew, and destroy the old copies.", Command: "halligan binder --record"},
		}}
}

func mainOffice() Runbook {
	return Runbook{ID: "office-gone", Title: "The main office cannot be entered, or is gone",
		When: "Fire, water, police, or no way there; whatever lies in that building is out of reach.",
		Steps: []Step{
			{Do: "People first. Nobody enters the building for a key."},
			{Do: "Look in the table “What is lost, and who still gets in” for the line with that site.", Expect: "It names the ways in that are left. What each takes, where, and who fetches it stands above it.",
				Otherwise: "If this is not the whole binder, another copy lies elsewhere: the card says where."},
			{Do: "Meet at another place: one with a copy of this binder, or a part. They stand under “Places”."},
			{Do: "Fetch the parts that lie elsewhere, two people together.", Expect: "The numbers of the seals are those of this binder."},
			{Do: "Get in with a private laptop and a mobile network: runbook “Getting in with an emergency account”.", Otherwise: "A sealed file opens on any machine: last pages, “To open a sealed file without Halligan”."},
			{Do: "Take for lost what lay there. Take the keys that lay there from the accounts before somebody finds them in the ruins: runbook “A key, a PIN or a seal is lost or broken”."},
			{Do: "Go through “After use”."},
		}}
}

func phones() Runbook {
	return Runbook{ID: "phones-down", Title: "Telephones, mail or chat are down",
		When: "Calls fail, or mail and Teams do not answer. Both may hang on the tenant you are locked out of.",
		Steps: []Step{
			{Do: "Use the second way of each person: a private number, a messenger on a private phone, an address at home. They stand under “Whom to call”."},
			{Do: "Recognise a person by voice or face before you agree to anything. In doubt ask for something only that person knows.", Otherwise: "Mail from outside in the name of a director is no decision."},
			{Do: "If nothing answers: meet. Everybody goes to the first place under “Places” that is open, and waits there for an hour."},
			{Do: "Security keys need no telephone. Go on without one.", Otherwise: "An account whose second factor is a call or a text is of no use now: take another."},
			{Do: "Nobody sees an alert while mail and telephones are down. Two people watch together, and write down each sign-in with its time."},
			{Do: "When they are back, tell everybody who should have been told."},
		}}
}

func halliganDown() Runbook {
	return Runbook{ID: "halligan-down", Title: "Halligan itself, its machine or its evidence is gone",
		When: "The program does not start, its store is locked or lost, or the machine is off. Nothing in an emergency needs it.",
		Steps: []Step{
			{Do: "Get in without it: runbook “Getting in with an emergency account”. Seals, keys and PINs do not know of Halligan."},
			{Do: "Open a sealed file with stock age: last pages, “To open a sealed file without Halligan”.", Expect: "Such an opening leaves no record. Write it down by hand: time, names, file, reason, numbers of the seals."},
			{Do: "Where only the store does not answer, opening works all the same; its record waits beside the store.", Command: "halligan open FILE.sealed -i KEY -i KEY"},
			{Do: "Afterwards put the records together, restore the store if it is lost, and prove the log with the key under “What proves this binder”.", Command: "halligan evidence merge FOLDER\nhalligan store check --key KEY\nhalligan evidence export -o EXPORT\nhalligan evidence verify EXPORT --key KEY"},
		}}
}

// after is S120: an account that was used is not ready before it was made so.
func after() Runbook {
	return Runbook{ID: "after-use", Title: "After use",
		When: "The emergency is over, or was none. An account that was used is not ready before this is done.",
		Steps: []Step{
			{Do: "Sign out everywhere and close the window. End all sessions of the account.", Command: "Connect-MgGraph -Scopes User.RevokeSessions.All\nRevoke-MgUserSignInSession -UserId ACCOUNT"},
			{Do: "Undo what was opened only for the emergency: policies in report-only, passes, exclusions, roles. Go through your list line by line.", Expect: "Each line of the list is ticked by both."},
			{Do: "Change what was seen: a password and its halves, and the PIN of the key. Nobody may know both parts who should not.", Where: "https://mysignins.microsoft.com/security-info, signed in as the account, for its methods; the key's own tool for its PIN"},
			{Do: "Seal the new secret, for the same people: new envelopes, new numbers. --replaces makes the old set void. Somebody else approves in between.", Command: "halligan request seal --account ACCOUNT --replaces FILE.sealed --holder NAME --holder NAME --by NAME --why TEXT --key KEY\nhalligan seal --request HASH --out NEW.sealed",
				Expect: "The program says which set is void. The old file and the old envelopes are destroyed.", Otherwise: "To seal anew for other people is another thing (reseal): that seals the old secret again."},
			{Do: "Write the new set and the new numbers into the register, by the commands that the program ends with, and look at each part where it lies.", Command: "halligan custody verify PART --as NAME", Expect: "The new numbers stand in the register."},
			{Do: "See that the account is ready again.", Command: "halligan check", Expect: "Nothing is red that was green before."},
			{Do: "Read the sign-in and audit logs of the account from beginning to end with a second person. Everything in them is on your list.", Where: logsPath, Otherwise: "What is not is an incident."},
			{Do: "Write down who, when, why and what: it goes into the evidence. Say what in this binder was wrong or missing.", Command: "halligan evidence log"},
			{Do: "Print this binder anew, seal it, destroy the old copies.", Command: "halligan binder --record"},
		}}
}

// StockOpening is how a sealed file is opened with age and Python alone. OPEN.txt,
// which lies in the file itself, says the same for that very file.
func StockOpening() []Step {
	return []Step{
		{Do: "Bring a USB stick with the sealed file and age 1.1.1 or later. It belongs beside the file beforehand; if it is not there, make it now, on a machine with a network.",
			Command: "apt-get download age", Expect: "A file age_….deb, which goes on the stick. Debian and Ubuntu have Python already.",
			Otherwise: "For another system take the archive of age for it from its makers, and Python 3, and unpack both on the stick."},
		{Do: "Carry the stick to a machine that you trust and that is off every network, with nobody looking on. Install age there.",
			Command: "sudo dpkg -i age_*.deb\nage --version\npython3 --version", Expect: "Two versions: age 1.1.1 or later, and Python 3.",
			Otherwise: "If you may not install anything: dpkg -x age_*.deb tools, and type tools/usr/bin/age with its whole path in place of age."},
		{Do: "Unpack the sealed file and read OPEN.txt: it says the same for this very file. Where it differs from the steps below, it is right.", Command: "python3 -m zipfile -e FILE.sealed opened\ncd opened\ncat OPEN.txt",
			Expect: "It names the people, how many of them it takes, and the number of the seal."},
		{Do: "See that all of it is as it was.", Command: "sha256sum -c SHA256SUMS", Expect: "OK after each name.", Otherwise: "Somebody changed it. Take another copy."},
		{Do: "For two people: take the file with the names of both. The second gives a key for the outside, the first for the inside.", Command: "age -d -i KEY-2 PAIR.age | age -d -i KEY-1",
			Otherwise: "“no identity matched” is the wrong key or the wrong file."},
		{Do: "For shares: each types the rows of the own page, or gives the share that the own key opens.", Command: "python3 combine.py | age -d -i - secret.age",
			Otherwise: "The program names the row and the word that were mistyped, or whose share is missing."},
		{Do: "For two halves: each types the own half, the second right behind the first, and shows it to nobody."},
		{Do: "Read what comes out: the account to sign in with, what it is, and the secret behind “secret:”. Write nothing of it to a disk."},
		{Do: "Write down by hand: time, names, file, reason, number of the seal. Nothing else records it. Then go through “After use”."},
	}
}
