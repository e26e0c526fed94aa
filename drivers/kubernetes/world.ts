import type { Clock, Logger } from '@superfluidity/core';
import type { Cluster } from './cluster.ts';
import type { KubernetesConfig } from './config.ts';
import type { Marks } from './marks.ts';

/** What every part of the driver works with. */
export interface World {
  readonly siteId: string;
  readonly name: string;
  readonly cluster: Cluster;
  readonly marks: Marks;
  readonly config: KubernetesConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** For a question that belongs to no call: fires when it takes too long, or the site is closed. */
  readonly ask: () => AbortSignal;
}
