// Live pages: one stream for all tabs of a session tells which things changed; each tab then fetches what it shows.
(() => {
  'use strict';
  const key = document.body.dataset.live, main = document.getElementById('main'), refresh = document.getElementById('refresh');
  const button = document.getElementById('live-state');
  if (!key || !button || !refresh || !window.EventSource) return;
  const shown = main.dataset.topic.split(' ').filter(topic => topic), ask = document.getElementById('tasks-ask');
  const mine = [...new Set([...shown, 'tasks'])];
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('mc-live-' + key) : null;
  let paused = false, wanted = false, state = 'connecting', leading = false, stream = null, wait = 1000;
  const topics = new Set(mine);

  const show = to => {
    state = to;
    const word = paused && to === 'live' ? 'paused' : to;
    button.hidden = false;
    button.dataset.state = word;
    button.querySelector('.live-word').textContent = { live: 'Live', connecting: 'Connecting', reconnecting: 'Reconnecting', signedout: 'Signed out', paused: 'Paused' }[word];
    button.title = { live: 'Changes appear by themselves; press to pause', paused: 'Press to go on', signedout: 'Sign in again', connecting: '', reconnecting: 'What you see may be old' }[word];
  };
  button.addEventListener('click', () => {
    if (state === 'signedout') { location.reload(); return; }
    paused = !paused;
    show(state);
    if (!paused && wanted) soon();
  });

  // Fetched a little later, not by everybody at once; a tab that nobody sees waits until somebody does.
  let timer = 0;
  const soon = (spread = 800) => {
    wanted = true;
    if (paused || document.hidden || timer) return;
    timer = setTimeout(() => { timer = 0; if (!paused && !document.hidden) { wanted = false; htmx.trigger(refresh, 'mc:changed'); } }, 200 + Math.random() * spread);
  };
  document.addEventListener('visibilitychange', () => { if (!document.hidden && wanted) soon(); });
  document.addEventListener('htmx:configRequest', event => { if (event.target === refresh) event.detail.path = location.pathname + location.search; });
  // A filter may have been chosen while this was fetched: what was asked for before it is not what the page shows now.
  document.addEventListener('htmx:beforeOnLoad', event => {
    if (event.detail.elt !== refresh || event.detail.requestConfig.path === location.pathname + location.search) return;
    event.preventDefault();
    soon();
  });

  // Nothing that somebody is using is taken away: an open menu, the focus or a selection inside keeps a part as it is for now.
  const inUse = part => part.contains(document.activeElement) || part.querySelector('details[open]')
    || (!getSelection().isCollapsed && part.contains(getSelection().anchorNode)) || document.getElementById('dialog')?.open;
  document.addEventListener('htmx:oobBeforeSwap', event => {
    const old = event.detail.target, fresh = event.detail.fragment?.firstElementChild ?? event.detail.elt;
    if (!old?.id) return;
    // Nor what another answer is on its way to: htmx keeps the part that it asked for, and would put that answer where nobody sees it.
    if (inUse(old) || old.ariaBusy === 'true') { event.detail.shouldSwap = false; setTimeout(soon, 4000); return; }
    const before = old.querySelector('[data-rows] tbody'), after = fresh?.querySelector?.('[data-rows] tbody');
    if (old.id !== 'list' || !before || !after) return;
    // Rows never jump under the eye: values change in place, a new order waits until it is asked for.
    const ids = body => [...body.rows].map(row => row.id);
    const was = ids(before), is = ids(after);
    if (was.join() === is.join()) return;
    event.detail.shouldSwap = false;
    for (const row of [...after.rows]) { const known = before.querySelector('#' + CSS.escape(row.id)); if (known) known.replaceWith(row.cloneNode(true)); }
    const moved = is.filter((id, i) => was[i] !== id).length;
    let bar = document.getElementById('order');
    if (!bar) {
      bar = Object.assign(document.createElement('button'), { id: 'order', type: 'button', className: 'btn order' });
      bar.addEventListener('click', () => location.reload());
      old.before(bar);
    }
    bar.textContent = `${moved} ${moved === 1 ? 'row has' : 'rows have'} moved, show the new order`;
  });

  const hear = message => {
    if (message.state) show(message.state);
    if (message.resync) soon(3000);
    if (message.changed?.some(topic => shown.includes(topic))) soon();
    // The button that counts tasks stands on every page, and the drawer over any of them.
    if (message.changed?.includes('tasks') && ask && !document.hidden && !paused) { htmx.trigger(ask, 'mc:changed'); document.dispatchEvent(new Event('mc:tasks')); }
    if (leading && message.topics?.some(topic => !topics.has(topic))) { message.topics.forEach(topic => topics.add(topic)); while (topics.size > 20) topics.delete(topics.values().next().value); connect(); }
    if (leading && message.ask) tell({ state });
  };
  const tell = message => { channel?.postMessage(message); };
  const all = message => { tell(message); hear(message); };
  channel?.addEventListener('message', event => hear(event.data));

  const connect = () => {
    stream?.close();
    stream = new EventSource('/_changes?' + [...topics].map(topic => 'topic=' + encodeURIComponent(topic)).join('&'));
    stream.addEventListener('ready', () => { wait = 1000; all({ state: 'live', resync: true }); });
    stream.addEventListener('changed', event => all({ changed: JSON.parse(event.data) }));
    stream.addEventListener('signedout', () => { stream.close(); all({ state: 'signedout' }); });
    stream.addEventListener('error', async () => {
      all({ state: 'reconnecting' });
      if (stream.readyState !== EventSource.CLOSED) return;
      // The browser has given up for good; whether there is anybody to talk to is asked for.
      const alive = await fetch('/_f/alive', { credentials: 'same-origin' }).then(answer => answer.status, () => 0);
      if (alive === 401) { all({ state: 'signedout' }); return; }
      setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(60000, wait * 2);
    });
  };
  const lead = () => new Promise(() => { leading = true; connect(); });
  show('connecting');
  if (channel && navigator.locks) {
    tell({ topics: mine, ask: true });
    navigator.locks.request('mc-live-' + key, lead);
  } else {
    lead();
  }
  // A stream that outlives its page would hold one of the few connections a browser has.
  addEventListener('pagehide', () => stream?.close());
  addEventListener('pageshow', event => { if (event.persisted && leading) connect(); });
})();
