import { type CallReply, type Event, listShapes, type Me, pageOf, type RouteName } from '@superfluidity/api';
import { accessHandlers } from './access.ts';
import { catalogueHandlers } from './handlers/catalogue.ts';
import { operationHandlers } from './handlers/operations.ts';
import { reportHandlers } from './handlers/reports.ts';
import { serviceHandlers } from './handlers/services.ts';
import { siteHandlers } from './handlers/sites.ts';
import { unitHandlers } from './handlers/units.ts';
import { createLook } from './look.ts';
import { durationsOf } from './metrics.ts';
import { Refusal } from './refusal.ts';
import { scalingHandlers } from './scaling.ts';
import type { Scenario } from './scenario.ts';
import { secretHandlers } from './secrets.ts';
import type { World } from './world.ts';

export interface Input {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, never>>;
  readonly body: Readonly<Record<string, never>>;
  readonly principal: Me;
  /** Gives the browser its cookie, or an empty one. */
  readonly keepSession: (secret: string) => void;
}

/** Every route that answers at once; the streams are below. */
type Streams = 'followEvents' | 'followSamples';
export type Handlers = { readonly [N in Exclude<RouteName, Streams>]: (input: Input) => CallReply<N> };

export function handlers(world: World, scenario: Scenario): Handlers {
  const look = createLook(world);
  return {
    getHealth: () => ({ status: 'ok' }),
    getSystem: () => world.system,
    ...accessHandlers(world),
    ...secretHandlers(world),
    ...siteHandlers(world, look, scenario),
    ...catalogueHandlers(world, look),
    ...serviceHandlers(world, look, scenario),
    ...unitHandlers(world, look),
    ...reportHandlers(world),
    ...operationHandlers(world, look, scenario),
    ...scalingHandlers(
      world,
      look.service,
      (reason) => new Refusal(409, 'SF-LIFECYCLE-STATE', reason, 'See `superfluidity service scaling show NAME`.'),
    ),
    listDurations: ({ query }) => pageOf(durationsOf(world), query as never, listShapes.durations),
    listEvents: ({ query }) => {
      const {
        afterId,
        since = 0,
        until = Infinity,
      } = query as unknown as {
        afterId: number;
        since?: number;
        until?: number;
      };
      const inTime = (event: Event) => event.id > afterId && event.at >= since && event.at <= until;
      return pageOf(world.events.filter(inTime), query as never, listShapes.events);
    },
  };
}
