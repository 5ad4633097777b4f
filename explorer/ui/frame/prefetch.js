// The browser fetches scripts before the element that needs them arrives, and starts none of them: for later
// pages when it has nothing else to do, for this one at once, already read when its element comes.
(() => {
  const names = NAMES, when = WHEN;
  const asked = (window.fetchedAhead ??= {});
  if (asked[when]) return;
  asked[when] = true;
  const own = document.querySelector('script[src*="static/js/"]')?.src;
  if (!own || (when === 'later' && navigator.connection?.saveData)) return;
  const root = own.slice(0, own.indexOf('static/js/'));
  const fetchThem = () => {
    for (const name of names) {
      const link = document.createElement('link');
      link.rel = when === 'now' ? 'modulepreload' : 'prefetch';
      link.as = 'script';
      link.crossOrigin = ''; // as the page itself will ask for it
      link.href = root + name;
      document.head.append(link);
    }
  };
  if (when === 'now') return fetchThem();
  const idle = window.requestIdleCallback ?? ((call) => setTimeout(call, 1000));
  setTimeout(() => idle(fetchThem), 1500); // after the page's own first picture
})();
