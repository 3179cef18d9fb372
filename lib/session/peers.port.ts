/** The other session-nodes, as the bus reaches them. Answers that do not come in time are `null` or `false`. */
export interface Peers {
  /**
   * Asks a node for a place in its queue of claims, so that a session is cut only when its successor is ready.
   * @returns how long to wait before handing over, ms; null = it takes nothing, or does not answer
   */
  reserve(nodeId: string): Promise<number | null>;
  /** Tells a node that a connection was released for it. @returns whether it heard */
  offer(nodeId: string, connectionId: string): Promise<boolean>;
  /** Resolves when an offered connection is open there, or will not be soon; after some seconds in any case. */
  arrival(nodeId: string, connectionId: string): Promise<void>;
}

/** Of a process that is alone. */
export const NO_PEERS: Peers = {
  reserve: async () => null,
  offer: async () => false,
  arrival: async () => undefined,
};
