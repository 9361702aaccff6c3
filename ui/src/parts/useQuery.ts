/** What is chosen in a screen stands in the address, so that it may be sent to a colleague. */
import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';

/** A parameter of the address; null where it is absent. Setting null takes it away. */
export function useQuery(name: string): [string | null, (value: string | null) => void] {
  const search = useSearch();
  const [path, go] = useLocation();
  const set = useCallback(
    (value: string | null) => {
      const all = new URLSearchParams(search);
      if (value === null) all.delete(name);
      else all.set(name, value);
      const text = all.toString();
      go(text ? `${path}?${text}` : path, { replace: true });
    },
    [search, path, go, name],
  );
  return [new URLSearchParams(search).get(name), set];
}
