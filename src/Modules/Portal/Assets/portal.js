// Behaviour of the pages. Everything here makes a page more comfortable; nothing is needed to use it.
(() => {
  'use strict';
  const said = text => { const place = document.getElementById('said'); if (place) { place.textContent = ''; place.textContent = text; } };
  const inField = target => target.closest('input, select, textarea, [contenteditable]');

  // The zone of this machine, for the server to show times in from the next page on; one that was chosen comes before it.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split('; ').includes('__Host-mc-zone=' + zone)) document.cookie = `__Host-mc-zone=${zone}; Path=/; Secure; SameSite=Lax; Max-Age=31536000`;

  // How pages look is chosen without losing one's place; on a page that a form led to it is not, since that would be sent again.
  document.addEventListener('submit', event => {
    const form = event.target.closest('form[data-stay]');
    if (!form) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form, event.submitter));
    fetch(form.action, { method: 'POST', body, redirect: 'manual' }).then(() => location.reload(), () => said('The choice could not be kept: there was no answer.'));
  });

  // The code of an invitation stands behind the # of its link, which no browser sends: it goes into the field, and out of the address.
  const code = document.querySelector('input[data-from-link]');
  if (code && location.hash.length > 1) {
    code.value = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
  }

  // Copy: a click with text selected is somebody selecting, not copying.
  document.addEventListener('click', event => {
    const button = event.target.closest('[data-copy]');
    if (!button || !navigator.clipboard) return;
    navigator.clipboard.writeText(button.dataset.copy).then(() => {
      button.dataset.done = 'true';
      said('Copied');
      setTimeout(() => delete button.dataset.done, 2000);
    });
  });

  // A menu closes when something else is clicked or Esc is pressed; the focus goes back to what opened it.
  document.addEventListener('click', event => {
    for (const menu of document.querySelectorAll('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape') return;
    for (const menu of document.querySelectorAll('details.menu[open]')) { menu.open = false; menu.querySelector('summary').focus(); }
  });

  // A page that asks before it acts opens as a dialog where there is a script; its form posts as it would on its own page.
  let opener = null;
  const dialog = document.getElementById('dialog');
  document.addEventListener('click', event => {
    const link = event.target.closest('a[data-dialog]');
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = link.id;
    htmx.ajax('GET', link.getAttribute('href'), { target: '#dialog', swap: 'innerHTML', select: '#confirm' }).then(() => {
      if (!dialog.firstElementChild) { location.href = link.href; return; }
      dialog.showModal();
      dialog.querySelector('input:not([type=hidden])')?.focus();
    });
  });
  dialog?.addEventListener('click', event => {
    if (event.target.closest('[data-close]')) { event.preventDefault(); dialog.close(); }
  });
  dialog?.addEventListener('close', () => {
    dialog.replaceChildren();
    (document.getElementById(opener ?? '') ?? document.querySelector('h1'))?.focus();
  });

  // The tasks open beside the page; without a script the same link leads to their own.
  const drawer = document.getElementById('drawer');
  const draw = address => htmx.ajax('GET', address, { target: '#drawer', swap: 'innerHTML', select: '#tasks-drawer' });
  document.addEventListener('click', event => {
    const link = event.target.closest('a[data-drawer]');
    if (!link || !drawer || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    draw(link.dataset.drawer).then(() => {
      if (!drawer.firstElementChild) { location.href = link.href; return; }
      if (!drawer.open) drawer.showModal();
    });
  });
  document.addEventListener('mc:tasks', () => { if (drawer?.open) draw('/_f/tasks'); });
  drawer?.addEventListener('click', event => { if (event.target === drawer || event.target.closest('[data-close]')) drawer.close(); });

  // Lists say that they are being fetched.
  document.addEventListener('htmx:beforeRequest', event => event.detail.target?.setAttribute('aria-busy', 'true'));
  document.addEventListener('htmx:afterRequest', event => event.detail.target?.removeAttribute('aria-busy'));
  document.addEventListener('htmx:afterSettle', event => {
    const total = event.target.querySelector?.('.total');
    if (total) said(total.textContent.trim());
  });
  document.addEventListener('htmx:responseError', () => said('The list could not be fetched. It shows what was known before.'));

  // A secret that is pasted where it does not belong never leaves the browser.
  const secret = /\bmc[eauws]_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}\b/g;
  document.addEventListener('submit', event => {
    const find = event.target.querySelector?.('#find');
    if (!find || !secret.test(find.value)) return;
    secret.lastIndex = 0;
    event.preventDefault();
    const ids = [...find.value.matchAll(secret)].map(match => match[1]);
    find.value = '';
    said(`That was a secret and was not sent. Revoke token ${ids.join(', ')} and make a new one.`);
    find.placeholder = `A secret was not sent: revoke ${ids.join(', ')}`;
  });

  // Charts: under the arrow keys or the pointer, the values of one step are read out.
  const stepsOf = figure => figure.steps ??= JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const read = (plot, index) => {
    const figure = plot.closest('figure'), steps = stepsOf(figure);
    if (!steps.length) return;
    figure.step = Math.max(0, Math.min(steps.length - 1, index));
    const [place, text] = steps[figure.step];
    figure.querySelector('output').textContent = text;
    for (const svg of plot.querySelectorAll('svg')) {
      const width = svg.viewBox.baseVal.width, left = +svg.dataset.left, right = +svg.dataset.right;
      const cursor = svg.querySelector('.cursor'), x = left + place * (width - left - right);
      cursor.setAttribute('x1', x); cursor.setAttribute('x2', x); cursor.classList.add('on');
    }
  };
  document.addEventListener('keydown', event => {
    const plot = event.target.closest?.('.plot');
    if (!plot) return;
    const figure = plot.closest('figure');
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e6, End: 1e6 }[event.key];
    if (!by) return;
    event.preventDefault();
    const count = stepsOf(figure).length;
    read(plot, (figure.step ?? (by < 0 ? count : -1)) + by);
  });
  document.addEventListener('pointermove', event => {
    const plot = event.target.closest?.('.plot');
    if (!plot) return;
    const svg = [...plot.querySelectorAll('svg')].find(one => one.getBoundingClientRect().width > 0);
    const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
    const left = +svg.dataset.left * scale, right = +svg.dataset.right * scale;
    const place = (event.clientX - box.left - left) / (box.width - left - right);
    const figure = plot.closest('figure');
    const steps = stepsOf(figure);
    let best = 0;
    steps.forEach(([at], i) => { if (Math.abs(at - place) < Math.abs(steps[best][0] - place)) best = i; });
    read(plot, best);
  });

  // Short cuts; they can be switched off (WCAG 2.1.4) and never work in a field.
  const keysOn = () => !document.body.hasAttribute('data-keys-off');
  const places = { t: '/', f: '/fleet', c: '/clusters', v: '/fleet/versions', k: '/customers', a: '/audit', s: '/system', l: '/tasks' };
  let going = false;
  document.addEventListener('keydown', event => {
    if (!document.querySelector('#find') || !keysOn() || event.ctrlKey || event.metaKey || event.altKey || inField(event.target) || dialog?.open || drawer?.open) return;
    if (going) { going = false; if (places[event.key]) { event.preventDefault(); location.href = places[event.key]; } return; }
    switch (event.key) {
      case 'g': going = true; setTimeout(() => { going = false; }, 1500); break;
      case '/': event.preventDefault(); document.getElementById('find').focus(); break;
      case '?': location.href = '/keys'; break;
      case 'T': document.querySelector('form[data-stay] button[name=times][aria-pressed=false]')?.click(); break;
      case 'j': case 'k': {
        const links = [...document.querySelectorAll('table.rows td.c-name a')];
        if (!links.length) break;
        const at = links.indexOf(document.activeElement);
        links[Math.max(0, Math.min(links.length - 1, at + (event.key === 'j' ? 1 : at < 0 ? 1 : -1)))].focus();
      }
    }
  });
})();
