import { recordReads } from './record-reads.ts';

type Validate = ((data: unknown) => boolean) & {
  errors?: readonly { instancePath: string; keyword: string; params: object }[];
};

/** API groups as the schemas' file names spell them. */
const GROUPS: Record<string, string> = {
  '': 'Core',
  apps: 'Apps',
  autoscaling: 'Autoscaling',
  batch: 'Batch',
  'networking.k8s.io': 'Networking',
  policy: 'Policy',
};

/**
 * Holds one object against the schema that Kubernetes publishes for its kind.
 * @returns what is wrong, one line each, with the place in the object; empty when nothing is. Fields that the schema does
 *   not know count: the API server would drop them or refuse the object, and a typo in an optional field is one of them.
 */
export async function problemsOfManifest(manifest: unknown): Promise<string[]> {
  const { apiVersion, kind } = Object(manifest) as { apiVersion?: unknown; kind?: unknown };
  const validate = await schemaOf(String(apiVersion), String(kind));
  if (!validate) return [`no schema is known for ${apiVersion} ${kind}`];
  const { proxy, unread } = recordReads(manifest);
  const isValid = validate(proxy);
  const broken = isValid
    ? []
    : (validate.errors ?? []).map(({ instancePath, keyword, params }) => {
        return `${instancePath || '/'}: ${keyword} ${JSON.stringify(params)}`;
      });
  return [...broken, ...unread().map((path) => `${path}: unknown field`)];
}

async function schemaOf(apiVersion: string, kind: string): Promise<Validate | null> {
  const [version, group = ''] = apiVersion.split('/').reverse();
  const name = GROUPS[group];
  if (!name || !version || !/^\w+$/.test(`${version}${kind}`)) return null;
  const file = `IoK8sApi${name}${version[0]?.toUpperCase()}${version.slice(1)}${kind}`;
  try {
    const { validate } = (await import(`kubernetes-models/_schemas/${file}`)) as { validate: Validate };
    return validate;
  } catch {
    return null;
  }
}
