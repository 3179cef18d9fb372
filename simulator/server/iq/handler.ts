import type { BinaryNode } from '@whiskeysockets/baileys';
import type { DeviceAddress } from '../../ports.ts';
import type { World } from '../world.ts';

export interface IqRequest {
  from: DeviceAddress;
  iq: BinaryNode;
  /** Runs after the answer is out. */
  afterwards(then: () => void): void;
}

/** @returns the children of the result; throws an IqError */
export type IqHandler = (request: IqRequest, world: World) => BinaryNode[];
