/** What `up` does: tasks that prepare something, and processes. They start when those before them are done. */
export type Item<Lab> = Task<Lab> | LabProcess;

export interface Task<Lab> {
  readonly kind: 'task';
  readonly name: string;
  readonly after: readonly string[];
  /** Done once for the data of a laboratory, as a migration is; else at every `up`. */
  readonly once: boolean;
  /** What it was done for, where that may grow. Default: its name. */
  readonly stamp?: string;
  readonly run: (lab: Lab) => Promise<void>;
}

export interface LabProcess {
  readonly kind: 'process';
  readonly name: string;
  readonly after: readonly string[];
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Files that it reads at its start: when these change, `up` starts it anew. */
  readonly files?: readonly string[];
  readonly port?: number;
  readonly ready: Probe;
  readonly readyWithinMs?: number;
  /** Between TERM and KILL. Stores get more. */
  readonly patienceMs?: number;
}

export type Probe =
  | { readonly kind: 'started' }
  | { readonly kind: 'http'; readonly url: string }
  /** A broker answers to the header of its protocol, which says more than an open port. */
  | { readonly kind: 'amqp'; readonly host: string; readonly port: number }
  | { readonly kind: 'command'; readonly argv: readonly [string, ...string[]]; readonly output?: RegExp };

export interface Service<Lab> {
  /** Path to content; written before anything starts. */
  readonly files: Readonly<Record<string, string>>;
  readonly items: readonly Item<Lab>[];
}

/** Everything that a laboratory writes and runs, each with the service that it belongs to. */
export interface Plan<Lab> {
  readonly files: Readonly<Record<string, string>>;
  readonly items: readonly PlannedItem<Lab>[];
}

export type PlannedItem<Lab> = Item<Lab> & { readonly service: string };
