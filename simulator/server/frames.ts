/** Frames: a 3-byte big-endian length, then the bytes. One WebSocket message may hold several, or a part of one. */
export class FrameReader {
  private buffered: Buffer = Buffer.alloc(0);

  push(data: Buffer): Buffer[] {
    this.buffered = this.buffered.length ? Buffer.concat([this.buffered, data]) : data;
    const frames: Buffer[] = [];
    while (this.buffered.length >= 3) {
      const end = 3 + this.buffered.readUIntBE(0, 3);
      if (this.buffered.length < end) break;
      frames.push(this.buffered.subarray(3, end));
      this.buffered = this.buffered.subarray(end);
    }
    return frames;
  }
}

export function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(3 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.set(payload, 3);
  return bytes;
}

export interface ConnectionHeader {
  /** the Noise prologue: `WA`, protocol version, dictionary version */
  prologue: Buffer;
  rest: Buffer;
}

const headerLength = 4;

/**
 * What precedes the first frame: optionally routing info (`ED 00 01`, 3-byte length, the bytes), then `WA` and two
 * version bytes. Undefined while bytes are missing; throws when it cannot be a WhatsApp client.
 */
export function readConnectionHeader(data: Buffer): ConnectionHeader | undefined {
  let start = 0;
  if (data.subarray(0, 2).toString('latin1') === 'ED') {
    if (data.length < 7) return undefined;
    start = 7 + data.readUIntBE(4, 3);
  }
  if (data.length < start + headerLength) return undefined;
  const prologue = data.subarray(start, start + headerLength);
  if (prologue.subarray(0, 2).toString('latin1') !== 'WA') throw new Error('The connection header is not WA');
  return { prologue, rest: data.subarray(start + headerLength) };
}
