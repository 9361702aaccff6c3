/** Has the browser keep the page, so that it opens without a line; where it does not, nothing is lost but that. */
export function keepForOffline(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // not before all of the page is there: what a person waits for comes first
  if (document.readyState === 'complete') register();
  else window.addEventListener('load', register, { once: true });
}

function register(): void {
  navigator.serviceWorker
    .register('/sw.js')
    .then(() => navigator.serviceWorker.ready)
    .then((ready) => {
      const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
      const own = loaded.filter((name) => name.startsWith(`${location.origin}/`));
      ready.active?.postMessage({ keep: own });
    })
    .catch(() => {}); // a browser that forbids it shows the page all the same
}
