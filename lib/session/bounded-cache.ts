/** A map that forgets what was used least recently once the weights of its values exceed `maxWeight`. */
export interface BoundedCache<V> {
  get(key: string): V | undefined;
  has(key: string): boolean;
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

/** @param weigh cost of one value in the unit of `maxWeight` (bytes, entries) */
export function createBoundedCache<V>(maxWeight: number, weigh: (value: V, key: string) => number): BoundedCache<V> {
  /* a Map iterates in insertion order: the first entry is the one that was used least recently */
  const entries = new Map<string, V>();
  let weight = 0;

  function remove(key: string): V | undefined {
    const value = entries.get(key);
    if (value !== undefined && entries.delete(key)) weight -= weigh(value, key);
    return value;
  }

  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    has: (key) => entries.has(key),
    set(key, value) {
      remove(key);
      entries.set(key, value);
      weight += weigh(value, key);
      for (const oldest of entries.keys()) {
        if (weight <= maxWeight) break;
        remove(oldest);
      }
    },
    delete: (key) => void remove(key),
    clear() {
      entries.clear();
      weight = 0;
    },
    get size() {
      return entries.size;
    },
  };
}
