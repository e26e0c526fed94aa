import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, reportError } from '@superfluidity/core';
import type { NamespaceName } from '@superfluidity/netlink';
import { HealthServer } from '../kubernetes/health.ts';
import { NodeTables } from '../node/index.ts';
import { Attachments, type Interrupted } from './attachments.ts';
import { LIMITS } from './limits.ts';
import { Metrics } from './metrics.ts';
import { hasMacvlans, hasVlans, type TrunkSettings } from './node-network.ts';
import { Ovsdb } from './ovsdb.ts';
import { Plugin } from './plugin.ts';
import { PortRegistry, type PortSink } from './registry.ts';
import { CniServer } from './server.ts';
import type { SpareSink } from './spares.ts';
import { CniError, parseRequest } from './specification.ts';
import { VSwitch } from './vswitch.ts';

export interface DaemonOptions {
  /** As Kubernetes calls it. */
  readonly node: string;
  /** Of attachments; in /run, since it is worth as much as what the kernel has. */
  readonly folder: string;
  readonly socket: string;
  /** Path of the Unix socket of ovsdb-server. */
  readonly ovsdb: string;
  readonly trunk: TrunkSettings;
  readonly makesBridges: boolean;
  /** On loopback; 0: whichever is free. */
  readonly healthPort: number;
  /** Between two looks for what nobody counts on. */
  readonly tidyMs?: number;
  /** How long something stays plugged that nobody wants, where it may be wanted again soon. */
  readonly graceMs?: number;
  /** The network of the node, where it is not that of this process. */
  readonly namespace?: NamespaceName;
  /** Told of each pod of which a daemon that ended in the middle of ADD had left something, once that is removed. */
  readonly onInterrupted?: (pod: Interrupted) => void;
  readonly log: Logger;
}

/** The daemon of a node, until it is closed. */
export class Daemon {
  /** To be told of the ports of this node's pods. */
  readonly ports: PortSink;
  /** To be told of what lies ready in the pools of this node. */
  readonly spares: SpareSink;
  /** To be told of Services and policies. */
  readonly tables: NodeTables;
  readonly healthPort: number;
  readonly #close: () => Promise<void>;

  /** Resolves when it listens. Throws `SF-CNI-SOCKET`, `SF-CNI-STATE`, `SF-KURYR-LISTEN`. */
  static async open(options: DaemonOptions): Promise<Daemon> {
    const { node: name, folder, namespace, trunk, makesBridges, log } = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const registry = new PortRegistry();
    const ovsdb = new Ovsdb(options.ovsdb);
    const metrics: Metrics = new Metrics({
      attachments: () => attachments.size,
      ports: () => registry.size,
      isKnown: () => registry.isKnown,
      spares: () => plugin.spares.size,
      counts: () => tables.counts,
    });
    const tables: NodeTables = new NodeTables({
      namespace,
      ports: registry,
      log,
      onSync: (table, seconds, isDone) => metrics.synced(table, seconds, isDone),
    });
    const vlans = hasVlans(namespace);
    const macvlans = hasMacvlans(namespace);
    const has = { hasVlans: vlans, hasMacvlans: macvlans };
    const node = { name, namespace, vswitch: new VSwitch(ovsdb), trunk, makesBridges, ...has, log };
    const server = new CniServer({ path: options.socket, metrics, log });
    // First: from here on nobody else works in the folder.
    server.lock();
    const attachments = new Attachments(join(folder, 'attachments'), log);
    const { graceMs, onInterrupted } = options;
    const plugin: Plugin = new Plugin({
      node,
      registry,
      attachments,
      log,
      onPrepared: (isUsed) => metrics.prepared(isUsed),
      untilIsolated: (signal) => tables.untilIsolated(signal),
      ...(graceMs === undefined ? {} : { graceMs }),
      ...(onInterrupted === undefined ? {} : { onInterrupted }),
    });
    const tidily = (work: (signal: AbortSignal) => Promise<void>) =>
      work(AbortSignal.timeout(LIMITS.otherMs)).catch((error: unknown) =>
        log.warn({ error: reportError(error) }, 'what was left is not tidied up yet'),
      );
    const status = parseRequest(new Map([['CNI_COMMAND', 'STATUS']]), '{"cniVersion":"1.1.0"}');
    const health = new HealthServer({
      address: '127.0.0.1',
      port: options.healthPort,
      // It answers: that is all that a restart could mend.
      healthy: () => [],
      ready: () =>
        plugin.run(status).then(
          () => [],
          (error: unknown) => [error instanceof CniError ? `${error.message}: ${error.details}` : String(error)],
        ),
      metrics: () => metrics.text(),
    });
    let again: NodeJS.Timeout | undefined;
    const close = async () => {
      clearInterval(again);
      await tables.close();
      await server.close();
      await health.close();
      await plugin.close();
      await ovsdb.close();
    };
    try {
      await tidily((signal) => plugin.resume(signal));
      await server.listen(plugin);
      again = setInterval(() => void tidily((signal) => plugin.tidy(signal)), options.tidyMs ?? LIMITS.tidyMs);
      const port = await health.listen();
      log.info(
        { node: name, socket: options.socket, healthPort: port, vlans, macvlans, attachments: attachments.size },
        'listening',
      );
      return new Daemon({ ports: registry, spares: plugin.spares, tables, healthPort: port }, close);
    } catch (error) {
      await close();
      throw error;
    }
  }

  private constructor(
    { ports, spares, tables, healthPort }: Pick<Daemon, 'ports' | 'spares' | 'tables' | 'healthPort'>,
    close: () => Promise<void>,
  ) {
    this.ports = ports;
    this.spares = spares;
    this.tables = tables;
    this.healthPort = healthPort;
    this.#close = close;
  }

  /** Pods keep their interfaces, and Services and policies what they are in the kernel: the next daemon takes them up. */
  async close(): Promise<void> {
    await this.#close();
  }
}
