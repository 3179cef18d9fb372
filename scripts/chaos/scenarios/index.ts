import type { Scenario } from '../scenario.ts';
import { bothClaim } from './both-claim.ts';
import { clockJump } from './clock-jump.ts';
import { failover } from './failover.ts';
import { mongoAway, mongoAwayBriefly } from './mongo-away.ts';
import { mongoSlow } from './mongo-slow.ts';
import { natsKilled, natsPaused } from './nats-away.ts';
import { halfCutOff, nodeCutOff } from './node-cut-off.ts';
import { eventLoopBlocked, nodeFrozen, releaseFrozen } from './node-frozen.ts';
import { nodeKilled } from './node-killed.ts';
import { nodePaused } from './node-paused.ts';
import { redisDown, redisFlushed, redisForgot } from './redis-trouble.ts';
import { rollingRestart } from './rolling-restart.ts';
import { scaleFromOne, scaleOut } from './scale-out.ts';
import { silentPeer } from './silent-peer.ts';
import { whatsappCut } from './whatsapp-cut.ts';

/** What is done to a cluster, in the order of the fault catalogue. `restart` (one embedded process) is a runner of its own. */
export const SCENARIOS: readonly Scenario[] = [
  nodeKilled,
  nodePaused,
  nodeFrozen,
  eventLoopBlocked,
  natsKilled,
  natsPaused,
  redisDown,
  redisFlushed,
  redisForgot,
  bothClaim,
  releaseFrozen,
  mongoAwayBriefly,
  mongoAway,
  mongoSlow,
  nodeCutOff,
  halfCutOff,
  whatsappCut,
  silentPeer,
  clockJump,
  rollingRestart,
  scaleOut,
  scaleFromOne,
  failover,
];
