import { BlockList, isIP, isIPv4 } from 'node:net';
import { CastellanError } from '../errors.ts';

/**
 * Which addresses a tenant may make us talk to: public unicast only. The tables are IANA's special-purpose address
 * registries (RFC 6890 and what was added since), plus what a cloud answers on.
 */
const FORBIDDEN_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  /* Azure's platform endpoint, a public address that is not */
  '168.63.129.16/32',
];
/** Global unicast is 2000::/3; of that, what carries an IPv4 address inside or is not routed. */
const PUBLIC_IPV6 = '2000::/3';
const FORBIDDEN_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];

function blockList(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), family);
  }
  return list;
}

const forbiddenIPv4 = blockList(FORBIDDEN_IPV4, 'ipv4');
const publicIPv6 = blockList([PUBLIC_IPV6], 'ipv6');
const forbiddenIPv6 = blockList(FORBIDDEN_IPV6, 'ipv6');

/** @param address an IP address in any textual form; anything else is forbidden too */
export function isForbiddenAddress(address: string): boolean {
  if (isIPv4(address)) return forbiddenIPv4.check(address, 'ipv4');
  const withoutZone = address.split('%', 1)[0] ?? '';
  if (isIP(withoutZone) !== 6) return true;
  return !publicIPv6.check(withoutZone, 'ipv6') || forbiddenIPv6.check(withoutZone, 'ipv6');
}

/** Names that mean this machine or this network without asking DNS. */
const FORBIDDEN_NAMES = /^(?:localhost|.+\.(?:localhost|local|internal|home\.arpa))\.?$/;

const MAX_URL_LENGTH = 2_048;

export interface TargetRules {
  /** private, loopback and other special addresses may be reached (development) */
  allowPrivateTargets: boolean;
}

/**
 * Checks what can be known without resolving; `guarded-fetch.ts` checks the address itself when it connects. The URL
 * parser has already turned `0x7f.1`, `2130706433` and `[::ffff:127.0.0.1]` into the addresses that they are.
 *
 * @throws BAD_REQUEST (no http or https URL, credentials in it), TARGET_FORBIDDEN
 */
export function parseTarget(raw: string, rules: TargetRules): URL {
  const url = raw.length <= MAX_URL_LENGTH && URL.canParse(raw) ? new URL(raw) : null;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new CastellanError('BAD_REQUEST', 'The URL must be a complete http or https address.');
  }
  if (url.username || url.password) {
    throw new CastellanError('BAD_REQUEST', 'The URL must not carry a user name or password; use a header.');
  }
  if (!rules.allowPrivateTargets && isForbiddenHost(url.hostname)) throw new CastellanError('TARGET_FORBIDDEN');
  return url;
}

function isForbiddenHost(hostname: string): boolean {
  const address = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(address) ? isForbiddenAddress(address) : FORBIDDEN_NAMES.test(hostname);
}
