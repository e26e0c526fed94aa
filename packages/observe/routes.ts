import type { Handlers } from '@superfluidity/api';
import type { EventLog, Telemetry } from './types.ts';

export type ObserveRoute = 'listEvents' | 'followEvents' | 'getSamples' | 'followSamples';

export function observeHandlers(events: EventLog, telemetry: Telemetry): Handlers<ObserveRoute> {
  return {
    listEvents: ({ query }) => events.list(query),
    async *followEvents({ query: { after, ...filter }, lastEventId, signal }) {
      const from = lastEventId ?? after;
      const begin = from === undefined ? {} : { after: from };
      for await (const event of events.follow({ ...filter, ...begin, signal })) yield { id: event.id, value: event };
    },
    getSamples: async ({ params, query }) => [...telemetry.list(params.name, query.since, query.limit)],
    async *followSamples({ params, signal }) {
      for await (const batch of telemetry.follow(params.name, signal)) yield { value: [...batch] };
    },
  };
}
