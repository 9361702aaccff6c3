import { useEffect } from 'react';
import type { Decision } from './cell';
import { DECISIONS } from './DecisionButtons';

/** P, U and X say what a cell is, wherever the focus is but in a field or a dialog. */
export function useDecisionKeys(onDecide: ((decision: Decision) => void) | null): void {
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (!onDecide || !free(event)) return;
      const meant = DECISIONS.find(({ key }) => key === event.key.toUpperCase());
      if (!meant) return;
      event.preventDefault();
      onDecide(meant.decision);
    }
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [onDecide]);
}

/** Whether a key is meant for the screen, not for a field, a dialog, a menu or the browser. */
export function free(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const at = event.target;
  if (!(at instanceof Element)) return true;
  return !at.closest(
    'input, textarea, select, [contenteditable], [role="dialog"], [role="menu"], [role="slider"]',
  );
}
