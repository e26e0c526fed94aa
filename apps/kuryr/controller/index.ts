import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, type Logger, withTimeout } from '@superfluidity/core';
import { Cluster, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { openCloud } from './compose.ts';
import type { KuryrConfig } from './config.ts';
import { Controller } from './controller.ts';
import { HealthServer } from '../kubernetes/health.ts';
import { Leadership } from './leader.ts';
import { LIMITS } from './limits.ts';
import { Metrics } from './metrics.ts';
import { steadyClock } from './steady-clock.ts';

export { type KuryrConfig, kuryrConfigSchema, readKuryrConfig, readKuryrFile } from './config.ts';

export interface RunOptions {
  readonly config: KuryrConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this replica. Default: made up. */
  readonly identity?: string;
  readonly onListen?: (port: number) => void;
}

/** One replica of the controller, until the signal fires. Throws when it cannot begin. */
export async function runController(options: RunOptions, signal: AbortSignal): Promise<void> {
  const { config, clock, log, onListen, identity = `${hostname()}_${randomUUID().slice(0, 8)}` } = options;
  const { kubeconfig, context, lease, listen } = config;
  const stopwatch = () => performance.now();
  const steady = steadyClock(clock, stopwatch);
  const cluster = Cluster.open(
    'kuryr',
    readClusterConfig('kuryr', {
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(context === undefined ? {} : { context }),
    }),
    steady,
  );
  const leaseMs = lease.seconds * 1_000;
  const leadership = new Leadership({
    cluster,
    clock,
    log,
    namespace: lease.namespace,
    name: lease.name,
    identity,
    leaseMs,
    // As client-go: 15 s, 10 s, 2 s.
    renewWithinMs: (leaseMs * 2) / 3,
    retryMs: leaseMs / 7.5,
    stopwatch,
    onClockSet: (byMs) =>
      term?.tell({
        reason: 'KuryrClockSet',
        message: `the clock of ${identity} was set by ${Math.round(byMs / 1_000)} s: what waits for a time goes on as it was`,
        warning: true,
      }),
  });
  let term: Controller | undefined;
  let isStuck = false;
  const metrics: Metrics = new Metrics({
    isLeader: () => leadership.isLeader,
    queues: () => term?.counts() ?? {},
    vifs: () => term?.drivers.vifs,
    eventsDropped: () => term?.eventsDropped ?? 0,
  });
  const cloud = await openCloud(config, {
    clock: steady,
    log,
    onRequest: ({ service, method, status, tookMs }) => metrics.asked(service, method, status, tookMs / 1_000),
  });
  const health = new HealthServer({
    ...listen,
    healthy: () => (isStuck ? ['a term as leader did not come to its end'] : []),
    // Who waits for its turn is ready for it.
    ready: () => term?.lacks() ?? [],
    metrics: () => metrics.text(),
  });
  try {
    onListen?.(await health.listen());
    await leadership.run(async (leading, taken) => {
      const parts = { config, cluster, cloud, clock: steady, timeOfDay: clock, log, stopwatch, term: taken, identity };
      term = new Controller({ ...parts, metrics: () => metrics });
      const run = term.run(leading);
      // What was begun has to end soon: another leads already.
      const ended = new Promise<void>((resolve) => leading.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([run, ended]);
      isStuck = true;
      await withTimeout(clock, LIMITS.stopMs, 'end a term as leader', () => run);
      isStuck = false;
      term = undefined;
    }, signal);
  } finally {
    await health.close();
    await cloud?.close();
  }
}
