import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { problemsOfCompose } from './compose-schema.ts';
import { problemsOfManifest } from './kubernetes-schema.ts';
import { isKustomization, problemsOfKustomization, problemsOfPatch } from './kustomization.ts';

/** Values of a Helm chart of somebody else: no manifest, and nobody here knows their schema. */
const ONLY_PARSED = new Set(['adapter-values.yaml']);

/** `!reset` and `!override` of Compose, which say how files are merged and not what they hold. */
const COMPOSE_TAGS = ['!reset', '!override'].flatMap((tag) => [
  { tag, collection: 'seq' as const },
  { tag, collection: 'map' as const },
  { tag, resolve: (text: string) => text },
]);

export interface CheckedFile {
  file: string;
  /** how many objects it holds */
  objects: number;
  problems: string[];
}

/** Every manifest below a folder, against the published schemas. */
export async function checkManifests(folder: string): Promise<CheckedFile[]> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => name.endsWith('.yaml')).map((name) => join(folder, name));
  return Promise.all(files.map((file) => checkManifestFile(file, readFileSync(file, 'utf8'))));
}

/** @param text of the file, with any number of documents in it */
export async function checkManifestFile(file: string, text: string): Promise<CheckedFile> {
  const parsed = parseAllDocuments(text);
  const documents = Array.isArray(parsed) ? parsed : [];
  const syntax = documents.flatMap(({ errors }) => errors.map(({ message }) => message));
  const objects = documents.map((document) => document.toJS() as unknown).filter((object) => object !== null);
  if (syntax.length > 0 || ONLY_PARSED.has(file.split('/').at(-1) ?? '')) {
    return { file, objects: objects.length, problems: syntax };
  }
  const problems = await Promise.all(objects.map((object) => problemsOfObject(file, object)));
  return { file, objects: objects.length, problems: problems.flat() };
}

async function problemsOfObject(file: string, object: unknown): Promise<string[]> {
  if (!isKustomization(object)) {
    const { kind, metadata } = Object(object) as { kind?: string; metadata?: { name?: string } };
    return (await problemsOfManifest(object)).map((problem) => `${kind} ${metadata?.name}: ${problem}`);
  }
  const patches = (object.patches ?? []).flatMap(({ patch }) => problemsOfPatch(parse(patch ?? '')));
  return [...problemsOfKustomization(file, object), ...patches];
}

/** @param text of a compose file; those that only override others may be checked too */
export function checkComposeFile(file: string, text: string): CheckedFile {
  try {
    const parsed: unknown = parse(text, { merge: true, customTags: COMPOSE_TAGS as never });
    const { services = {} } = Object(parsed) as { services?: object };
    return { file, objects: Object.keys(services).length, problems: problemsOfCompose(parsed) };
  } catch (error) {
    return { file, objects: 0, problems: [(error as Error).message] };
  }
}
