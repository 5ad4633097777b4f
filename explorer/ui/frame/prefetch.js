// The browser fetches scripts for later pages when it has nothing else to do, and starts none of them.
(() => {
  if (window.fetchedAhead) return;
  window.fetchedAhead = true;
  const own = document.querySelector('script[src*="static/js/"]')?.src;
  if (!own || navigator.connection?.saveData) return;
  const root = own.slice(0, own.indexOf('static/js/'));
  const fetchThem = () => {
    for (const name of NAMES) {
      const link = document.createElement('link');
      link.rel = 'prefetch';
      link.as = 'script';
      link.crossOrigin = ''; // as the page itself will ask for it
      link.href = root + name;
      document.head.append(link);
    }
  };
  const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 1000));
  setTimeout(() => idle(fetchThem), 1500); // after the page's own first picture
})();
