import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

type Problems = (file: unknown) => string[];

let problems: Problems | null = null;

/**
 * Holds a compose file against the schema of the Compose Specification (which the linter dclint ships).
 * @param file parsed; merges (`<<`) resolved
 */
export function problemsOfCompose(file: unknown): string[] {
  problems ??= compile();
  return problems(file);
}

function compile(): Problems {
  const folder = dirname(createRequire(import.meta.url).resolve('dclint/package.json'));
  const { $schema: _, ...schema } = JSON.parse(readFileSync(join(folder, 'schemas/compose.schema.json'), 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  ajv.addFormat('duration', true);
  const validate = ajv.compile(schema);
  return (file) => {
    if (validate(file)) return [];
    return (validate.errors ?? []).map(({ instancePath, message, params }) => {
      return `${instancePath || '/'}: ${message} ${JSON.stringify(params)}`;
    });
  };
}
