import { append } from '@superfluidity/core';
import type { Client, Event, Sample } from '@superfluidity/api';
import type { QueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState } from 'react';
import { SampleBuffer } from '../view-model/latency.ts';
import { createRefresher } from '../view-model/refresher.ts';
import { useClient } from './session.tsx';
import { createStore, type Store } from './store.ts';

const LIMITS = {
  eventsKept: 10_000,
  /** Of the events before the page was opened. */
  history: 500,
  /** Ten refreshes and ten redraws a second at most. */
  refreshMs: 100,
  /** What changes all the time and matters in the long run: capacity, pools. */
  slowRefreshMs: 1_000,
  samplesKept: 20_000,
  retryMs: 2_000,
  /** Events that are taken in before the main thread may do something else. */
  perTurn: 250,
} as const;

/** What an event makes stale, as the first words of query keys. */
const STALE: Readonly<Record<string, readonly string[]>> = {
  operation: ['operation', 'operations', 'service', 'services', 'proof', 'ways', 'overlay', 'networks'],
  step: ['operation'],
  unit: ['service', 'services', 'units', 'site', 'sites', 'hosts', 'storage'],
  service: ['service', 'services', 'operations'],
  site: ['site', 'sites', 'links', 'hosts', 'storage'],
  pool: ['site', 'pools'],
  descriptor: ['descriptor', 'descriptors'],
  characterisation: ['characterisation', 'characterisations'],
  audit: ['tokens', 'users', 'user', 'secrets'],
  scaling: ['scaling', 'scalingDecisions'],
  anomaly: ['anomalies'],
};
const SLOW = new Set(['storage', 'site', 'sites', 'links', 'hosts', 'units', 'events', 'pools', 'proof', 'ways']);

const EventsContext = createContext<Store<readonly Event[]> | undefined>(undefined);
export const EventsProvider = EventsContext.Provider;

/** The newest events, which the shell follows. */
export function useEvents(): Store<readonly Event[]> {
  const events = use(EventsContext);
  if (events === undefined) throw new Error('nobody above this component follows the events');
  return events;
}

/** Reads the history, then follows what happens, keeps the newest events and refreshes the queries that they touch. */
export function useLiveEvents(queryClient: QueryClient): Store<readonly Event[]> {
  const client = useClient();
  const [store] = useState(() => createStore<readonly Event[]>([]));
  useEffect(() => {
    const stop = new AbortController();
    const refresher = createRefresher({
      intervalMs: (key) => (SLOW.has(key) ? LIMITS.slowRefreshMs : LIMITS.refreshMs),
      refresh: (key) => queryClient.invalidateQueries({ queryKey: [key] }, { cancelRefetch: false }),
    });
    const keep = (fresh: readonly Event[]) => store.set([...store.get(), ...fresh].slice(-LIMITS.eventsKept));
    const queue = batched<Event>(LIMITS.refreshMs, keep);

    void untilStopped(stop.signal, async () => {
      const after = store.get().at(-1)?.id ?? (await readHistory(client, keep));
      let taken = 0;
      for await (const event of client.follow('followEvents', { query: { after }, signal: stop.signal })) {
        taken += 1;
        if (taken % LIMITS.perTurn === 0) await otherTurns();
        queue.push([event]);
        for (const key of STALE[event.kind] ?? []) refresher.mark(key);
        refresher.mark('events');
      }
    });
    return () => {
      stop.abort();
      refresher.stop();
      queue.stop();
    };
  }, [client, queryClient, store]);
  return store;
}

async function readHistory(client: Client, keep: (events: readonly Event[]) => void): Promise<number> {
  const { items } = await client.call('listEvents', { query: { limit: LIMITS.history } });
  const events = items.toReversed();
  keep(events);
  return events.at(-1)?.id ?? 0;
}

/** The telemetry of one service, as it comes. */
export function useLiveSamples(service: string | undefined): readonly Sample[] {
  const client = useClient();
  const [samples, setSamples] = useState<{ readonly of: string | undefined; readonly all: readonly Sample[] }>({
    of: service,
    all: [],
  });
  useEffect(() => {
    if (service === undefined) return;
    const stop = new AbortController();
    const buffer = new SampleBuffer(LIMITS.samplesKept);
    const publish = (batch: readonly Sample[]) => {
      if (buffer.add(batch)) setSamples({ of: service, all: [...buffer.samples] });
    };
    const queue = batched<Sample>(LIMITS.refreshMs, publish);
    void untilStopped(stop.signal, async () => {
      // The stream first, so that nothing falls between it and the history; the buffer drops what comes twice.
      const stream = client.follow('followSamples', { params: { name: service }, signal: stop.signal });
      const first = stream.next();
      // Observed below; until then a refusal must not count as unhandled.
      first.catch(() => {});
      queue.push(await client.call('getSamples', { params: { name: service } }));
      for (let next = await first; next.done !== true; next = await stream.next()) queue.push(next.value);
    });
    return () => {
      stop.abort();
      queue.stop();
    };
  }, [client, service]);
  return samples.of === service ? samples.all : [];
}

/** Whatever else waits has its turn, a frame for instance. What has come meanwhile waits in the stream. */
const otherTurns = () => new Promise<void>((resolve) => setTimeout(resolve));

/** Starts again when it failed: the server refused the stream, or was not there for the history. */
async function untilStopped(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      // Whether the server answers is shown by the session, and what it says by the queries.
    }
    await new Promise((resolve) => setTimeout(resolve, LIMITS.retryMs));
  }
}

/** Hands over what has come in, at most once per interval. */
function batched<T>(intervalMs: number, deliver: (batch: readonly T[]) => void) {
  let waiting: T[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    push(items: readonly T[]) {
      append(waiting, items);
      timer ??= setTimeout(() => {
        timer = undefined;
        const batch = waiting;
        waiting = [];
        deliver(batch);
      }, intervalMs);
    },
    stop: () => clearTimeout(timer),
  };
}
