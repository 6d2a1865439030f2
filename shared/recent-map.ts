// What was used lately, up to a total weight.

export interface RecentMap<Value> {
  get(key: string): Value | undefined;
  /** @param weight of this value, in the unit of the map's limit */
  set(key: string, value: Value, weight?: number): void;
  delete(key: string): void;
}

/** A map that lets go of what was not used for longest once all together weighs more than `most`; the latest always stays. */
export function createRecentMap<Value>(most: number): RecentMap<Value> {
  const entries = new Map<string, { readonly value: Value; readonly weight: number }>();
  let total = 0;

  function remove(key: string): void {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const found = entries.get(key);
      if (found === undefined) return undefined;
      entries.delete(key);
      entries.set(key, found);
      return found.value;
    },
    set(key, value, weight = 1) {
      remove(key);
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= most || oldest === key) return;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
