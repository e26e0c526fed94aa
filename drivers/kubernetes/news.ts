import type { Tell, UnitSpec } from '@superfluidity/site';
import type { KubeEvent } from './objects.ts';
import { ObjectWatch } from './watch.ts';
import type { World } from './world.ts';

const EVENTS = { verb: 'watch', resource: 'events' } as const;
/** What becomes known of a unit that is being made. */
export type Hear = (event: KubeEvent) => void;

/**
 * What the cluster tells of units that are being made: that a pod was scheduled, that its image is pulled, that it was started,
 * or why not. Watched while somebody wants to know it.
 */
export class News {
  readonly #world: World;
  readonly #watch: ObjectWatch<KubeEvent>;
  readonly #hearers = new Map<string, Set<Hear>>();

  constructor(world: World) {
    this.#world = world;
    this.#watch = new ObjectWatch<KubeEvent>({
      world,
      path: world.cluster.path('events'),
      keep: ({ metadata, involvedObject, type, reason, message, lastTimestamp, eventTime }) =>
        ({
          metadata: { name: metadata.name, uid: metadata.uid, resourceVersion: metadata.resourceVersion },
          involvedObject: { kind: involvedObject?.kind, name: involvedObject?.name },
          type,
          reason,
          message,
          lastTimestamp,
          eventTime,
        }) as KubeEvent,
      // One that comes again and again is told once.
      onChange: (before, now) => {
        if (before === undefined && now !== undefined) this.#tell(now);
      },
    });
  }

  /** From now on, until what is returned is called. Who may not see events hears nothing. */
  async listen(object: string, hear: Hear, signal: AbortSignal): Promise<() => void> {
    if (!(await this.#world.rights.has(EVENTS, signal))) return () => {};
    const hearers = this.#hearers.get(object) ?? new Set();
    this.#hearers.set(object, hearers.add(hear));
    this.#watch.start();
    const leave = () => {
      hearers.delete(hear);
      if (hearers.size === 0 && this.#hearers.get(object) === hearers) this.#hearers.delete(object);
    };
    try {
      // What came before is no news: it has to be known what that is.
      await this.#watch.known(signal);
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  /** Pods of controllers have the name of the unit's object, and more. */
  #tell(event: KubeEvent): void {
    const name = event.involvedObject?.name ?? '';
    for (const [object, hearers] of this.#hearers)
      if (name === object || name.startsWith(`${object}-`)) for (const hear of hearers) hear(event);
  }
}

/** A controller may make no pod: a quota, or a rule of admission. In a new namespace it only waits for the account of pods. */
export function isRefusal({ reason, message = '' }: KubeEvent): boolean {
  return reason === 'FailedCreate' && /forbidden|denied/.test(message) && !/service account/.test(message);
}

/** As a line of what a step tells. */
export function tellEvent(tell: Tell, { path, index }: UnitSpec, event: KubeEvent, nowMs: number): void {
  const said = Date.parse(event.lastTimestamp ?? event.eventTime ?? '');
  tell({
    at: Number.isNaN(said) ? nowMs : said,
    what: `${path}#${index}`,
    state: event.reason ?? event.type ?? 'Event',
    ...(event.message === undefined || event.message === '' ? {} : { reason: event.message }),
  });
}
