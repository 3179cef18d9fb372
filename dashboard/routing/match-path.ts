/** The `:names` of a path and what stands there. */
export type PathParams = Record<string, string>;

/** @param pattern `/connections/:connectionId`. @returns the decoded parts, or null when it is another path */
export function matchPath(pattern: string, actual: string): PathParams | null {
  const wanted = pattern.split('/');
  const given = actual.split('/');
  if (wanted.length !== given.length) return null;
  const params: PathParams = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    if (part.startsWith(':') && value !== '') params[part.slice(1)] = decode(value);
    else if (part !== value) return null;
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
