import type { Event, ListPage, ListQuery, Sample } from '@superfluidity/api';

export type NewEvent = Omit<Event, 'id' | 'at'>;

/**
 * The event log: everything that changes, in one order, kept (bounded) in the database. Events of one server reach the
 * followers of another one on the same database.
 */
export interface EventLog {
  /** Never throws and never waits: events are batched, and written in the order of the calls. */
  append(event: NewEvent): void;
  /** Waits until what was appended before is in the database. */
  flush(): Promise<void>;
  list(query: EventQuery): Promise<ListPage<Event>>;
  /** History after the id, then live, without gap or repetition. Ends when the signal fires. */
  follow(from: EventFilter & { readonly after?: number; readonly signal: AbortSignal }): AsyncIterable<Event>;
}

/** Each of the values that are named; absent, any. */
export interface EventFilter {
  readonly kind?: readonly string[] | undefined;
  readonly severity?: readonly Event['severity'][] | undefined;
  readonly service?: readonly string[] | undefined;
  readonly subject?: readonly string[] | undefined;
  readonly by?: readonly string[] | undefined;
  /** Part of the message or of what it is about, in any case. */
  readonly search?: string | undefined;
}

/** Sorted by `id` or `-id`. */
export interface EventQuery extends ListQuery, EventFilter {
  readonly search?: string | undefined;
  /** Only those after this event. */
  readonly afterId?: number | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Samples of units with telemetry, the latest ones of each service, in memory. */
export interface Telemetry {
  record(service: string, samples: readonly Sample[]): void;
  list(service: string, since: number, limit: number): readonly Sample[];
  /** Batches as they come; ends when the signal fires. */
  follow(service: string, signal: AbortSignal): AsyncIterable<readonly Sample[]>;
  forget(service: string): void;
}
