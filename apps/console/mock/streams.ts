import type { RouteName } from '@superfluidity/api';
import type { Input } from './handlers.ts';
import type { World } from './world.ts';

/** Subscribes to a stream, and returns what ends it. */
export function streams(
  world: World,
  name: RouteName,
  input: Input,
  lastId: number | undefined,
  send: (value: unknown, id?: number) => void,
): () => void {
  if (name === 'followEvents') {
    const asked: number | undefined = input.query['after'];
    const since = lastId ?? asked;
    if (since !== undefined) for (const event of world.events) if (event.id > since) send(event, event.id);
    const listener = (event: World['events'][number]) => send(event, event.id);
    world.eventListeners.add(listener);
    return () => world.eventListeners.delete(listener);
  }
  const listener = (service: string, batch: unknown[]) => {
    if (service === input.params['name']) send(batch);
  };
  world.sampleListeners.add(listener);
  return () => world.sampleListeners.delete(listener);
}
