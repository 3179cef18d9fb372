import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIB, loadProduct, type Product } from './product.ts';

/** One place in one file of the product that is replaced; the text is there exactly once. */
export interface Edit {
  /** below lib/ */
  file: string;
  find: string;
  replace: string;
}

/** The product with some of its lines replaced, in a folder of its own, so that nothing in the product knows of it. */
export async function breakProduct(edits: readonly Edit[]): Promise<{ product: Product; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-broken-'));
  const lib = join(folder, 'lib');
  cpSync(LIB, lib, { recursive: true });
  symlinkSync(join(LIB, '../node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const { file, find, replace } of edits) {
    const path = join(lib, file);
    const text = readFileSync(path, 'utf8');
    const places = text.split(find).length - 1;
    if (places !== 1) throw new Error(`${file} has this ${places} times, not once: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
  return { product: await loadProduct(lib), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
