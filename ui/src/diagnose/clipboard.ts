import { notifications } from '@mantine/notifications';
import type { TFunction } from 'i18next';

/** Pictures in the clipboard. Where the browser does not let the page look, it says how to paste by hand. */
export async function readClipboard(t: TFunction): Promise<File[]> {
  const files: File[] = [];
  try {
    for (const item of await navigator.clipboard.read()) {
      const type = item.types.find((name) => name.startsWith('image/'));
      if (type) files.push(new File([await item.getType(type)], `clipboard.${type.slice(6)}`, { type }));
    }
  } catch {
    notifications.show({ message: t('bring.pasteByHand') });
    return [];
  }
  if (files.length === 0) notifications.show({ message: t('bring.pasteNothing') });
  return files;
}
