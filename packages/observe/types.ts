import type { Event, Sample } from '@superfluidity/api';

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
  /** Oldest first. Where there are more than the limit, `from` says which. */
  list(filter: {
    readonly after: number;
    readonly limit: number;
    readonly from?: 'oldest' | 'newest';
    readonly service?: string;
  }): Promise<readonly Event[]>;
  /** History after the id, then live, without gap or repetition. Ends when the signal fires. */
  follow(filter: {
    readonly after?: number;
    readonly service?: string;
    readonly signal: AbortSignal;
  }): AsyncIterable<Event>;
}

/** Samples of units with telemetry, the latest ones of each service, in memory. */
export interface Telemetry {
  record(service: string, samples: readonly Sample[]): void;
  list(service: string, since: number, limit: number): readonly Sample[];
  /** Batches as they come; ends when the signal fires. */
  follow(service: string, signal: AbortSignal): AsyncIterable<readonly Sample[]>;
  forget(service: string): void;
}
