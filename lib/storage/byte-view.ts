/** True for `Uint8Array` and `Buffer`. By tag, not by class: bytes that come from another realm are bytes too. */
export function isByteView(value: unknown): value is Uint8Array {
  if (!ArrayBuffer.isView(value)) return false;
  return (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] === 'Uint8Array';
}
