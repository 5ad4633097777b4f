// One act of the visitor is one entry of the history. Streamlit makes several of some: when a page is left, it
// first strips that page's parameters off the address, in an entry of its own, and only then names the new page;
// what the new page corrects in its address comes after that. Back would lead to an address that lost its view.
// Here all that follows an act goes into the entry of that act, so that the one before it stays as it was.
(() => {
  if (history.oneEntryAnAct) return;
  history.oneEntryAnAct = true;
  const push = history.pushState.bind(history);
  const replace = history.replaceState.bind(history);
  // The address with which the visitor came is an entry already; who was quicker than this script has acted since.
  let entered = !navigator.userActivation?.hasBeenActive;
  let lastAct = -Infinity;
  const acted = (event) => {
    entered = event.type === 'popstate';
    if (!event.target.closest?.('[data-testid="stCheckbox"]')) lastAct = performance.now(); // a switch leads nowhere
  };
  for (const act of ['pointerdown', 'click', 'keydown', 'popstate']) addEventListener(act, acted, true);

  // What asks the server by itself would be answered for the page that is being left, after the page come to, which
  // then stands empty or under the wrong address. Who has just acted may be leaving: so it asks once nobody has
  // acted for two seconds, and on its own page, or on any. The call back takes the wish away again.
  history.onceStaying = (ask, { anywhere = false } = {}) => {
    const page = location.pathname;
    let waiting;
    const look = () => {
      const quiet = performance.now() - lastAct;
      if (quiet < 2000) waiting = setTimeout(look, 2000 - quiet);
      else if (anywhere || location.pathname === page) ask();
    };
    look();
    return () => clearTimeout(waiting);
  };

  // A link that names what is chosen anyway gets it from Streamlit a second time.
  const once = (url) => {
    const address = new URL(url ?? '', location.href);
    const pairs = [...new Set(address.search.slice(1).split('&'))].filter(Boolean);
    address.search = pairs.join('&');
    return address.href;
  };
  history.pushState = (state, title, url) => {
    (entered ? replace : push)(state, title, once(url));
    entered = true;
  };
  history.replaceState = (state, title, url) => replace(state, title, once(url));
})();
