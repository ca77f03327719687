// Passkeys: a button that carries what to ask lets the browser ask, and its form is sent with the answer. Without a script, or in a
// browser that knows none, the buttons stay hidden, and what stands beside them says so.
(() => {
  'use strict';
  const known = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;
  if (!known) return;
  for (const button of document.querySelectorAll('button[data-passkey]')) button.hidden = false;
  for (const other of document.querySelectorAll('[data-no-passkey]')) other.hidden = true;
  for (const folded of document.querySelectorAll('details[data-fold]')) folded.open = folded.dataset.fold === 'stay';

  const why = failure => ({
    NotAllowedError: 'Nothing was confirmed: it was cancelled, took too long, no passkey for this address is on this device, or the browser does not trust the certificate of this page.',
    InvalidStateError: 'This device holds a passkey of yours already.',
    SecurityError: 'Passkeys belong to one address, and this page has another. Open the one that mails name.',
  })[failure.name] ?? 'The browser could not use a passkey. Try again.';

  document.addEventListener('click', async event => {
    const button = event.target.closest('button[data-passkey]');
    if (!button || button.disabled) return;
    const form = button.form, said = form.querySelector('[data-passkey-said]');
    if ([...form.querySelectorAll('[data-before-passkey]')].some(field => !field.reportValidity())) return;
    button.disabled = true;
    said.hidden = true;
    try {
      let options = button.dataset.options;
      if (!options) {
        const answer = await fetch(button.dataset.from, { method: 'POST', body: new URLSearchParams({ __RequestVerificationToken: form.elements.__RequestVerificationToken.value }) });
        if (!answer.ok) throw new Error(answer.status);
        options = await answer.text();
      }
      const asked = JSON.parse(options);
      if (asked.user && form.elements.email?.value) { asked.user.name = form.elements.email.value; asked.user.displayName = form.elements.name?.value || asked.user.name; }
      const credential = asked.user
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
      form.elements.credential.value = JSON.stringify(credential);
      if (button.dataset.action) form.action = button.dataset.action;
      form.submit();
    } catch (failure) {
      said.textContent = why(failure);
      said.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
})();
