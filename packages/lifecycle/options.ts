import type { Clock, Logger } from '@superfluidity/core';
import type { EventLog, Telemetry } from '@superfluidity/observe';
import type { DriverKind, SecretSource } from '@superfluidity/site';
import type { Store } from '@superfluidity/store';
import type { WorkflowEngine } from '@superfluidity/workflow';
import type { Limits } from './limits.ts';
import type { PlaybookRunner } from './playbooks.ts';

export interface LifecycleOptions {
  readonly store: Store;
  readonly engine: WorkflowEngine;
  readonly events: EventLog;
  readonly telemetry: Telemetry;
  readonly kinds: readonly DriverKind[];
  /** What `secret:NAME` stands for in configurations of sites and in the environment of units. Absent: for itself. */
  readonly secrets?: SecretSource;
  /** Absent: none are run. */
  readonly playbooks?: PlaybookRunner;
  /** Folder in which drivers keep files. */
  readonly siteFolder: string;
  /** A fence of this server, greater than all before it, for calls to sites outside workflows. */
  readonly fence: () => Promise<number>;
  /** This server, as it appears on operations. */
  readonly executor: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Limits;
}
