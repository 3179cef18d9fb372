import type { Service, ServiceSchema } from 'moleculer';
import type { ServiceName } from '../lib/config.ts';
import { tellOfCommits } from '../lib/events/commit-broadcast.ts';
import type { Runtime } from '../lib/runtime.ts';
import { fromOthers } from '../mixins/define-service.ts';

const COMMITTED = 'event-log.committed';
/** the services that follow the log: streams, `wait: "sent"`, deliveries */
const FOLLOWERS: readonly ServiceName[] = ['gateway', 'messages', 'webhooks'];

/** Part of every process of a cluster: tells the others of commits, and hears of theirs where somebody follows the log. */
export default function commitBellService({ config, clock, events, log }: Runtime): ServiceSchema {
  const follows = config.services.some((name) => FOLLOWERS.includes(name));
  let stop = () => {};
  return {
    name: 'commit-bell',
    events: follows ? { [COMMITTED]: fromOthers(() => events.committedElsewhere()) } : {},
    started(this: Service) {
      stop = tellOfCommits(events, clock, () => {
        this.broker.broadcast(COMMITTED).catch((error: unknown) => {
          log.debug({ err: error }, 'the others were not told of a commit');
        });
      });
      return Promise.resolve();
    },
    stopped: () => Promise.resolve(stop()),
  } as ServiceSchema;
}
