import type { ActionContract } from './action.ts';
import { chatsContract } from './chats.contract.ts';
import { connectionsContract } from './connections.contract.ts';
import { dashboardContract } from './dashboard.contract.ts';
import { eventsContract } from './events.contract.ts';
import { gatewayContract } from './gateway.contract.ts';
import { messagesContract } from './messages.contract.ts';
import { sessionNodeContract } from './session-node.contract.ts';
import { usersContract } from './users.contract.ts';
import { webhooksContract } from './webhooks.contract.ts';

/** Every contract of the system. The gateway's routes and the OpenAPI description are made from this list alone. */
export const CONTRACTS: readonly Record<string, ActionContract>[] = [
  usersContract,
  connectionsContract,
  messagesContract,
  chatsContract,
  webhooksContract,
  eventsContract,
  sessionNodeContract,
  gatewayContract,
  dashboardContract,
];

export const ALL_ACTIONS: readonly ActionContract[] = CONTRACTS.flatMap((contract) => Object.values(contract));
