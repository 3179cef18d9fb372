import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The fields of a kustomization that this project uses; any other is a mistake until it is added here. */
const FIELDS = new Set([
  'apiVersion',
  'kind',
  'namespace',
  'resources',
  'images',
  'replicas',
  'labels',
  'patches',
  'configMapGenerator',
  'secretGenerator',
]);

export interface Kustomization {
  kind: 'Kustomization';
  resources?: string[];
  patches?: { target?: { kind?: string; name?: string }; patch?: string }[];
}

export function isKustomization(document: unknown): document is Kustomization {
  return (Object(document) as { kind?: unknown }).kind === 'Kustomization';
}

/**
 * What can be said without kustomize itself: that its fields are known, that what it names is there, and that its patches
 * are lists of JSON Patch operations. Whether a patch fits its target is for `kubectl kustomize` to say.
 */
export function problemsOfKustomization(file: string, kustomization: Kustomization): string[] {
  const unknown = Object.keys(kustomization).filter((field) => !FIELDS.has(field));
  const missing = (kustomization.resources ?? []).filter((resource) => !existsSync(join(dirname(file), resource)));
  return [
    ...unknown.map((field) => `/${field}: unknown field`),
    ...missing.map((resource) => `/resources: ${resource} is not there`),
  ];
}

const OPERATIONS: Record<string, readonly string[]> = {
  add: ['op', 'path', 'value'],
  replace: ['op', 'path', 'value'],
  remove: ['op', 'path'],
};

/** @param patch parsed: what JSON Patch calls a document */
export function problemsOfPatch(patch: unknown): string[] {
  if (!Array.isArray(patch)) return ['a patch must be a list of operations'];
  return patch.flatMap((operation: Record<string, unknown>, index) => {
    const fields = OPERATIONS[String(operation.op)];
    const isWhole = fields?.every((field) => field in operation) && Object.keys(operation).length === fields.length;
    return isWhole && String(operation.path).startsWith('/') ? [] : [`operation ${index} is none`];
  });
}
