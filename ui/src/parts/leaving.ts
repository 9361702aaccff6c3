/** Have the browser ask before the page is left, while something would be lost, whichever screen is shown by then. */
export function askBeforeLeaving(lost: () => boolean): void {
  window.addEventListener('beforeunload', (event) => {
    if (lost()) event.preventDefault();
  });
}
