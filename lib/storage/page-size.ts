/**
 * A page travels over the bus in one message, which may have 1 MB (NATS's own limit), and JSON at that. What does not fit
 * is left to the next page: a list answers fewer items than were asked for, never an error.
 */
const MAX_PAGE_BYTES = 700_000;

/** @returns how many of the items, from the first on, make a page: at least one, however large */
export function fittingCount(items: readonly unknown[], maxBytes = MAX_PAGE_BYTES): number {
  let bytes = 0;
  const end = items.findIndex((item, index) => {
    bytes += Buffer.byteLength(JSON.stringify(item) ?? '') + 1;
    return bytes > maxBytes && index > 0;
  });
  return end === -1 ? items.length : end;
}
