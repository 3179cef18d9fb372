/**
 * Weighted rendezvous hashing (Thaler and Ravishankar 1998; weights after Wang et al., "Weighted distributed hash
 * tables", 2005): each node draws a number for each key from their common hash, and the highest draw has it. A node that
 * comes takes only what it wins, one that goes leaves only what it had: 1/(N+1) and 1/N of the keys. A node with twice
 * the weight gets twice the keys.
 */
export interface Weighted {
  nodeId: string;
  /** above 0 */
  capacity: number;
}

/** @returns the nodes in the order in which they should have the key: the first runs it, the next one is its successor */
export function rank<T extends Weighted>(key: string, nodes: readonly T[]): T[] {
  return nodes
    .map((node) => ({ node, score: score(key, node) }))
    .sort((a, b) => b.score - a.score || (a.node.nodeId < b.node.nodeId ? -1 : 1))
    .map(({ node }) => node);
}

/** @returns the node that should have the key; null where there is none */
export function winner<T extends Weighted>(key: string, nodes: readonly T[]): T | null {
  let best: T | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const node of nodes) {
    const own = score(key, node);
    if (own > bestScore || (own === bestScore && best !== null && node.nodeId < best.nodeId)) {
      best = node;
      bestScore = own;
    }
  }
  return best;
}

function score(key: string, { nodeId, capacity }: Weighted): number {
  return -capacity / Math.log(uniform(`${key}\n${nodeId}`));
}

/** In (0, 1): FNV-1a over two lanes, each finished as MurmurHash3 does, 53 bits of them. */
function uniform(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
  }
  const bits = (mix(high) & 0x1fffff) * 2 ** 32 + mix(low);
  return (bits + 0.5) / 2 ** 53;
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
