import type { Clock, Logger } from '@superfluidity/core';
import type { Cluster } from './cluster.ts';
import type { KubernetesConfig } from './config.ts';
import type { Discovery } from './discovery.ts';
import type { Marks } from './marks.ts';
import type { Rights } from './rights.ts';

/** What every part of the driver works with. */
export interface World {
  readonly siteId: string;
  readonly name: string;
  readonly cluster: Cluster;
  readonly marks: Marks;
  readonly config: KubernetesConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly rights: Rights;
  readonly discovery: Discovery;
  /** For a question that belongs to no call: fires when it takes too long, or the site is closed. */
  readonly ask: () => AbortSignal;
}
