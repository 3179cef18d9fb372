import { BlockList } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Whether the other end of a socket is on this machine, in this container or pod.
 * @param address as the socket tells it; IPv4 on a socket that takes both is `::ffff:127.0.0.1`
 */
export function isLoopback(address: string | undefined): boolean {
  if (!address) return false;
  return LOOPBACK.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
}
