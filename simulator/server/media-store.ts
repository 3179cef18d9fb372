import { createHash } from 'node:crypto';

export interface StoredMedia {
  directPath: string;
  bytes: Buffer;
}

/** Encrypted media by path, in memory; the oldest go when there are too many bytes. */
export class MediaStore {
  private readonly items = new Map<string, Buffer>();
  private size = 0;
  private readonly maxBytes: number;

  constructor(maxBytes = 512 * 1024 * 1024) {
    this.maxBytes = maxBytes;
  }

  /** @returns a direct path with a query, as the real host's; clients append `&hash=...` */
  put(bytes: Uint8Array, mediaType: string): StoredMedia {
    const name = createHash('sha256').update(bytes).digest('base64url');
    const path = `/v/t62.${mediaType}/${name}.enc`;
    if (!this.items.has(path)) {
      this.items.set(path, Buffer.from(bytes));
      this.size += bytes.length;
      this.evict();
    }
    const expiry = (Math.floor(Date.now() / 1000) + 30 * 86_400).toString(16);
    return { directPath: `${path}?ccb=11-4&oh=01_${name.slice(0, 16)}&oe=${expiry}`, bytes: Buffer.from(bytes) };
  }

  /** @param path a direct path, with or without its query */
  get(path: string): Buffer | undefined {
    return this.items.get(path.split('?')[0] ?? path);
  }

  delete(path: string): boolean {
    const name = path.split('?')[0] ?? path;
    this.size -= this.items.get(name)?.length ?? 0;
    return this.items.delete(name);
  }

  get count(): number {
    return this.items.size;
  }

  private evict(): void {
    for (const path of this.items.keys()) {
      if (this.size <= this.maxBytes) return;
      this.delete(path);
    }
  }
}
