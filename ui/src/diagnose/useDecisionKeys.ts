import { useEffect } from 'react';
import type { Cell } from './cell';
import { DECISIONS } from './DecisionButtons';
import { sessions } from './session';

/** P, U and X say what a cell is, wherever the focus is but in a field or a dialog. */
export function useDecisionKeys(cell: Cell | null): void {
  useEffect(() => {
    function press(event: KeyboardEvent) {
      if (!cell?.answer || !free(event)) return;
      const meant = DECISIONS.find(({ key }) => key === event.key.toUpperCase());
      if (!meant) return;
      event.preventDefault();
      sessions.decide(cell, meant.decision);
    }
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [cell]);
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
