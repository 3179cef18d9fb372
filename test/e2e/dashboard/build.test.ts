import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { builtDashboard } from '../../helpers/built-dashboard.ts';

const SCRIPT_MAX_BYTES = 200_000;

let files: { path: string; text: string; bytes: number }[];

beforeAll(async () => {
  const folder = await builtDashboard();
  const paths = await readdir(folder, { recursive: true, withFileTypes: true });
  files = await Promise.all(
    paths
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        const content = await readFile(path);
        return { path: path.slice(folder.length), text: content.toString('utf8'), bytes: content.length };
      }),
  );
}, 60_000);

const ofType = (ending: string) => files.filter(({ path }) => path.endsWith(ending));

test('all script of the dashboard is at most 200 KB, uncompressed', () => {
  const scripts = ofType('.js');
  expect(scripts).not.toEqual([]);
  expect(scripts.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(SCRIPT_MAX_BYTES);
});

test('the page has no script or style in itself and names no other host', () => {
  const [index, ...others] = ofType('.html');
  expect(others).toEqual([]);
  const html = index?.text ?? '';
  expect(html).toMatch(/<script type="module"[^>]* src="\/assets\/[^"]+\.js"><\/script>/);
  expect(html.match(/<script(?![^>]* src=)/)).toBeNull();
  expect(html.match(/<style|\sstyle=|\son\w+=|(?:src|href)="(?:https?:)?\/\//)).toBeNull();
});

test('no stylesheet fetches from another host', () => {
  const styles = ofType('.css');
  expect(styles).not.toEqual([]);
  for (const { text } of styles) expect(text.match(/(?:url\(|@import\s*)["']?(?:https?:)?\/\//)).toBeNull();
});

test('nothing is built in that a page under the policy could not run', () => {
  for (const { text } of ofType('.js'))
    expect(text.match(/\beval\(|new Function\(|dangerouslySetInnerHTML=/)).toBeNull();
});
