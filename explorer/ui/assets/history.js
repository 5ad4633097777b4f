// Streamlit tells the browser of a new page and of that page's parameters in two messages. When they come in
// that order, the page takes two entries of the history, and Back has to be pressed twice: keep one.
(() => {
  if (history.oneEntryAPage) return;
  history.oneEntryAPage = true;
  const push = history.pushState.bind(history);
  const together = 2000; // milliseconds within which parameters belong to the page just opened
  let opened = -Infinity;
  history.pushState = (state, title, url) => {
    const samePage = new URL(url ?? '', location.href).pathname === location.pathname;
    if (samePage && performance.now() - opened < together) return history.replaceState(state, title, url);
    if (!samePage) opened = performance.now();
    return push(state, title, url);
  };
})();
