import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

export interface BuiltFile {
  bytes: Buffer;
  /** media type */
  type: string;
  /** with its quotes */
  etag: string;
}

/** The files of a build, in memory: there are a few, and they are small. */
export interface Build {
  /** @param path from the build's root, as in a URL: `/assets/index-1a2b.js` */
  file(path: string): BuiltFile | undefined;
  /** Reads the build again if it was made anew since. */
  refresh(): void;
}

/** What a build may hold; anything else is not served. */
const MEDIA_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
};
const INDEX_FILE = 'index.html';

/** @param directory where the build is, or will be */
export function readBuild(directory: string): Build {
  let files = new Map<string, BuiltFile>();
  let madeAt: number | null = null;

  function refresh(): void {
    const found = statSync(join(directory, INDEX_FILE), { throwIfNoEntry: false })?.mtimeMs ?? null;
    if (found === madeAt) return;
    try {
      files = found === null ? new Map() : readFiles(directory);
      madeAt = found;
    } catch {
      /* it is being made at this moment: the next look finds it */
    }
  }

  refresh();
  return { file: (path) => files.get(path), refresh };
}

function readFiles(directory: string): Map<string, BuiltFile> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const files = new Map<string, BuiltFile>();
  for (const entry of entries) {
    const type = MEDIA_TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(`/${relative(directory, path).replaceAll(sep, '/')}`, { bytes, type, etag });
  }
  return files;
}
