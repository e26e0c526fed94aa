import type { Client } from '@superfluidity/api';
import { useEffect, useState } from 'react';
import { noUsage, type Usage, usageOfPast, withReading } from '../view-model/usage.ts';
import { useClient } from './session.tsx';

const POLL_MS = 2_000;
/** Units whose past is kept while one looks at others. */
const UNITS_KEPT = 20;

/** By client, so that nobody sees what another token had seen. */
const past = new WeakMap<Client, Map<string, Usage>>();

function keptBy(client: Client): Map<string, Usage> {
  let kept = past.get(client);
  if (kept === undefined) past.set(client, (kept = new Map()));
  return kept;
}

/** What a unit uses, read while it is looked at. `measured` is false for one of which nothing is measured. */
export function useUnitUsage(service: string, unit: string) {
  const client = useClient();
  const [usage, setUsage] = useState<Usage>(() => keptBy(client).get(unit) ?? noUsage);
  const [measured, setMeasured] = useState(true);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    const kept = keptBy(client);
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      try {
        // Of a tab that nobody sees nothing is asked.
        const [now] = document.hidden
          ? []
          : await client.call('readUnitMetrics', { params: { name: service }, query: { unit } });
        if (over) return;
        if (now !== undefined) {
          const next = withReading(kept.get(unit) ?? noUsage, now);
          kept.delete(unit);
          kept.set(unit, next);
          if (kept.size > UNITS_KEPT) kept.delete(kept.keys().next().value!);
          setUsage(next);
        }
        if (!document.hidden) setMeasured(now !== undefined);
        setError(undefined);
      } catch (caught) {
        if (!over) setError(caught);
      }
      if (!over) timer = setTimeout(read, POLL_MS);
    };
    const begin = async () => {
      if (!kept.has(unit)) {
        // Of a server that cannot tell, the past begins now.
        const past = await client.call('getUnitUsage', { params: { name: service, unit } }).catch(() => undefined);
        if (over) return;
        if (past !== undefined && past.readings.length > 0) kept.set(unit, usageOfPast(past.readings));
      }
      await read();
    };
    void begin();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [client, service, unit]);
  return { usage, measured, error };
}
