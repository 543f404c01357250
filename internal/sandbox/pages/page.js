"use strict";
// Runs the passkey ceremony of a form that asks for one, and sends the form.
for (const form of document.querySelectorAll("form[data-passkey]")) {
  const problem = form.querySelector("[data-problem]");
  const button = form.querySelector("button[data-label]");
  button.textContent = button.dataset.label;
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    problem.hidden = true;
    try {
      const json = JSON.parse(form.dataset.options);
      const credential = form.dataset.passkey === "create"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(json) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(json) });
      form.elements.credential.value = JSON.stringify(credential.toJSON());
      form.requestSubmit();
    } catch (error) {
      problem.textContent = {
        NotAllowedError: "The key was not used: it was cancelled, it took too long, or the key could not check that it was you.",
        InvalidStateError: "This key is registered already.",
        NotSupportedError: "This key cannot be used here.",
      }[error.name] || "The passkey could not be used (" + error.name + ").";
      problem.hidden = false;
      form.dataset.error = error.name;
    }
  });
}
