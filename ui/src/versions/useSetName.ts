import { useTranslation } from 'react-i18next';

/** A set of cells in words: "validation:bccd" is of a laboratory that the manifest names. */
export function useSetName(): (set: string) => string {
  const { t, i18n } = useTranslation();
  return (set) => {
    const [role = '', laboratory] = set.split(':');
    const key = `versions.sets.${role}`;
    const name = i18n.exists(key) ? t(key as 'versions.sets.gate') : role;
    return laboratory ? `${name}, ${laboratory.replaceAll('_', ' ')}` : name;
  };
}
