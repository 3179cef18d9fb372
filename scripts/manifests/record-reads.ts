/**
 * The published Kubernetes schemas allow any further field, and their validators are compiled to code. But a validator
 * reads every field that it knows: what it never looked at, it does not know.
 */
export interface RecordedReads {
  /** the same value; what is read of it is remembered */
  proxy: unknown;
  /** paths of the fields that nobody read, `/spec/replcias`; nothing below them is listed */
  unread(): string[];
}

export function recordReads(value: unknown): RecordedReads {
  const read = new Map<object, Set<string>>();
  const proxies = new Map<object, object>();

  function wrap(inner: unknown): unknown {
    if (typeof inner !== 'object' || inner === null) return inner;
    const known = proxies.get(inner);
    if (known) return known;
    const seen = new Set<string>();
    read.set(inner, seen);
    const proxy = new Proxy(inner, {
      get(target, key) {
        if (typeof key === 'string') seen.add(key);
        return wrap(Reflect.get(target, key));
      },
    });
    proxies.set(inner, proxy);
    return proxy;
  }

  function collect(inner: unknown, path: string): string[] {
    const seen = typeof inner === 'object' && inner !== null ? read.get(inner) : undefined;
    if (!seen) return [];
    return Object.entries(inner as object).flatMap(([key, child]) =>
      seen.has(key) ? collect(child, `${path}/${key}`) : [`${path}/${key}`],
    );
  }

  return { proxy: wrap(value), unread: () => collect(value, '') };
}
