import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type SimulatorOptions, startSimulator } from './index.ts';

const usage = `A local WhatsApp.

npm run simulator -- [options]      a port of 0 is a free one

  --port N              WebSocket server that clients log in to (8800)
  --control-port N      HTTP control API (8801)
  --media-port N        HTTPS media host (8802)
  --host ADDRESS        where all three listen (127.0.0.1)
  --public-host NAME    the host that clients are told (localhost for media, else --host)
  --seed TEXT           repeatable root key, LIDs, groups and faults
  --groups lid|pn       how new groups address their members (lid)
  --media-cert FILE     keep the media host's certificate and key here: read when it exists, else written
  --json                print one line of JSON instead of text
  --help
`;

function readOptions(): { options: SimulatorOptions; json: boolean; certificateFile?: string } {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8800' },
      'control-port': { type: 'string', default: '8801' },
      'media-port': { type: 'string', default: '8802' },
      host: { type: 'string', default: '127.0.0.1' },
      'public-host': { type: 'string' },
      seed: { type: 'string' },
      groups: { type: 'string', default: 'lid' },
      'media-cert': { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const groups = values.groups;
  if (groups !== 'lid' && groups !== 'pn') throw new Error('--groups must be lid or pn');
  const certificateFile = values['media-cert'];
  const options: SimulatorOptions = {
    port: port(values.port, '--port'),
    controlPort: port(values['control-port'], '--control-port'),
    mediaPort: port(values['media-port'], '--media-port'),
    host: values.host,
    publicHost: values['public-host'],
    seed: values.seed,
    groupAddressing: groups,
    tls: certificateFile === undefined ? undefined : readTls(certificateFile),
  };
  return { options, json: values.json, certificateFile };
}

function port(value: string, name: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535) throw new Error(`${name} must be a port number`);
  return number;
}

/** One file with the certificate and its key, so that clients may name it in NODE_EXTRA_CA_CERTS. */
function readTls(file: string): SimulatorOptions['tls'] {
  try {
    const pem = readFileSync(file, 'utf8');
    const keyStart = pem.indexOf('-----BEGIN PRIVATE KEY-----');
    if (keyStart < 0) throw new Error(`${file} has no private key`);
    return { certificate: pem.slice(0, keyStart), key: pem.slice(keyStart) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function main(): Promise<void> {
  const { options, json, certificateFile } = readOptions();
  const simulator = await startSimulator(options);
  if (certificateFile && !options.tls) {
    writeFileSync(certificateFile, simulator.mediaCertificate + simulator.mediaKey, { mode: 0o600 });
  }
  const { url, controlUrl, mediaHost, rootPublicKey, seed } = simulator;
  const text = [
    `WebSocket URL    ${url}`,
    `control API      ${controlUrl}`,
    `media host       https://${mediaHost}`,
    `root public key  ${rootPublicKey}`,
    `seed             ${seed}`,
  ].join('\n');
  process.stdout.write(`${json ? JSON.stringify({ url, controlUrl, mediaHost, rootPublicKey, seed }) : text}\n`);
  const stop = (): void => {
    simulator.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
