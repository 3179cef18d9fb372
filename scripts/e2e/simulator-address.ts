/** Of the simulator beside the cluster, as session-nodes reach it. The key follows from the seed; a test holds both together. */
export const SIMULATOR = {
  seed: 'e2e',
  host: 'simulator',
  url: 'ws://simulator:8800/ws/chat',
  rootPublicKey: '4c374b479895122fb58f36d54a47a81c3ac46059db590e5916084f8126090578',
} as const;
