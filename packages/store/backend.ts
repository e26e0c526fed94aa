import type { Clock, Logger } from '@superfluidity/core';
import type pg from 'pg';

/** Called with the payload, or with undefined when notifications may have been missed: look for yourself. */
export type NotificationHandler = (payload: string | undefined) => void;

/** What the kinds of database have in common. */
export interface Backend {
  readonly kind: 'pglite' | 'embedded' | 'server';
  readonly pool: pg.Pool;
  /** How a person would name it; no password in it. */
  readonly label: string;
  onNotification(channel: string, handler: NotificationHandler): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface BackendOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly poolSize: number;
}
