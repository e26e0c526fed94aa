import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { isSuperfluidityError, type Logger, reportError, SuperfluidityError } from '@superfluidity/core';
import { applyTree, type Launcher, LOG, readCounters, SOCKET_PATH_BYTES_MAX, socketPath } from '@superfluidity/haproxy';
import { z } from 'zod';
import { type Change, changeOf } from './change.ts';
import { command, isAlive, kill, type ProcessRef, spawnInside } from './command.ts';
import { exchange, serve } from './exchange.ts';
import { LIMITS } from './limits.ts';
import { namespaceOf, type Plug } from './plug.ts';
import { proxyTree } from './proxy-tree.ts';
import { operating, type Operating, type Report, reportOf, reportOfRemoved, Statistics } from './status.ts';
import { kinds, message, type Tree } from './things.ts';

/** Of its id, in the name of its folder. */
const NAME_LENGTH = 13;

export interface AgentOptions {
  /** Where it keeps what was asked of it, and what its proxies read. */
  readonly folder: string;
  /** Where providers speak to it. */
  readonly socket: string;
  /** Of octavia-driver-agent. */
  readonly statusSocket: string;
  readonly statisticsSocket: string;
  readonly plug: Plug;
  readonly log: Logger;
}

interface Kept {
  readonly tree: Tree;
  readonly process?: ProcessRef;
  /** It shall be gone. */
  readonly ended?: true;
  /** Things that are gone, which was not reported yet. */
  readonly removed?: Change['removed'];
}

/**
 * Takes the calls of the provider, writes down what is wanted, and answers; then does it, one change of a load balancer
 * after the other, and reports. After a restart everything that was written down is done again, which changes nothing
 * where it was done.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #statistics = new Statistics();
  /** How each thing was said to do last, by load balancer. */
  readonly #told = new Map<string, ReadonlyMap<string, Operating>>();
  /** What Octavia waits to hear of, by load balancer. */
  readonly #awaited = new Map<string, Set<string>>();
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { folder, socket } = this.#options;
    ensureShort(folder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.json'))) {
      const kept = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Kept;
      const id = kept.tree.balancer.loadbalancer_id;
      this.#kept.set(id, kept);
      this.#awaited.set(id, new Set([id, ...kinds.flatMap((kind) => Object.keys(kept.tree[kind]))]));
      void this.#do(id);
    }
    rmSync(socket, { force: true });
    this.#server = serve((asked) => this.answer(asked));
    await new Promise<void>((resolve, reject) => {
      this.#server!.once('error', reject);
      this.#server!.listen(socket, resolve);
    });
    const look = () => {
      this.#looking = this.look().catch((error: unknown) => this.#warn('look at the proxies', error));
      void this.#looking.then(() => {
        if (this.#server !== undefined) this.#timer = setTimeout(look, LIMITS.lookMs);
      });
    };
    look();
  }

  /** Proxies go on. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    clearTimeout(this.#timer);
    await new Promise((resolve) => server?.close(resolve));
    await this.#looking;
    await Promise.all(this.#turns.values());
  }

  /** One call of the provider. What cannot be done is refused here; what can is written down. */
  async answer(asked: unknown): Promise<{ readonly status: number; readonly fault?: string }> {
    try {
      const { call, arguments: given } = message.parse(asked);
      const trees = [...this.#kept.values()].filter(({ ended }) => ended === undefined).map(({ tree }) => tree);
      const { tree, removed, ended, touched } = changeOf(call, given, trees);
      const id = tree.balancer.loadbalancer_id;
      if (!this.#kept.has(id) && this.#kept.size >= LIMITS.balancers)
        throw new SuperfluidityError('SF-OCTAVIA-UNSUPPORTED', { doing: call, reason: 'there are too many' });
      // Said now, while somebody listens; a deletion is never refused.
      if (!call.endsWith('_delete')) proxyTree(tree);
      const known = this.#kept.get(id);
      const gone = [...(known?.removed ?? []), ...removed];
      this.#keep(id, { ...known, tree, removed: gone, ...(ended ? { ended: true as const } : {}) });
      this.#awaited.set(id, new Set([...(this.#awaited.get(id) ?? []), ...touched]));
      void this.#do(id);
      return { status: 200 };
    } catch (error) {
      const isWrong = error instanceof z.ZodError || isSuperfluidityError(error, 'SF-OCTAVIA-UNSUPPORTED');
      if (!isWrong) this.#warn('answer a call', error);
      const fault = error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : '';
      return { status: isWrong ? 501 : 500, fault: fault.slice(0, 1_000) };
    }
  }

  /** Looks at all proxies: starts those that ended, and reports what changed. */
  async look(): Promise<void> {
    const counted = [];
    for (const [id, { tree, process, ended }] of this.#kept) {
      if (this.#turns.has(id)) continue;
      if (ended === true || process === undefined || !isAlive(process)) {
        void this.#do(id);
        continue;
      }
      const counters = await readCounters(this.#folder(id)).catch(() => []);
      if (this.#turns.has(id)) continue;
      await this.#tell(id, tree, operating(tree, counters));
      for (const one of this.#statistics.of(counters)) counted.push(one);
    }
    if (counted.length > 0) await exchange(this.#options.statisticsSocket, { listeners: counted });
  }

  /** After what is under way for it. */
  #do(id: string): Promise<void> {
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn: Promise<void> = before
      .then(() => this.#realise(id))
      .catch((error: unknown) => this.#warn(`set load balancer ${id}`, error))
      .finally(() => {
        if (this.#turns.get(id) === turn) this.#turns.delete(id);
      });
    this.#turns.set(id, turn);
    return turn;
  }

  async #realise(id: string): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    const { tree, ended, removed = [] } = kept;
    if (ended === true) return this.#end(id, kept);
    try {
      await this.#options.plug.ensure(tree, AbortSignal.timeout(LIMITS.plugMs));
      const folder = this.#folder(id);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const launcher = launcherIn(namespaceOf(tree), folder);
      const { process } = await applyTree(proxyTree(tree), folder, kept.process, launcher);
      if (process !== kept.process) this.#keep(id, { ...this.#kept.get(id)!, process });
      if (removed.length > 0) await this.#reportRemoved(id, removed);
      // Another change came meanwhile: what is PENDING then is not ACTIVE yet.
      if (this.#kept.get(id)?.tree !== tree) return;
      const counters = await readCounters(folder);
      await this.#settle(id, tree, 'ACTIVE', operating(tree, counters));
    } catch (error) {
      this.#warn(`set load balancer ${id}`, error);
      await this.#settle(id, tree, 'ERROR', new Map());
    }
  }

  async #end(id: string, { tree, process, removed = [] }: Kept): Promise<void> {
    if (process !== undefined) await kill(process);
    await this.#options.plug.remove(tree);
    await this.#report(reportOfRemoved(removed, id));
    rmSync(this.#folder(id), { recursive: true, force: true });
    rmSync(this.#file(id), { force: true });
    this.#kept.delete(id);
    this.#told.delete(id);
    this.#awaited.delete(id);
  }

  async #reportRemoved(id: string, removed: Change['removed']): Promise<void> {
    await this.#report(reportOfRemoved(removed));
    const { removed: left = [], ...kept } = this.#kept.get(id)!;
    this.#keep(id, { ...kept, removed: left.filter((one) => !removed.includes(one)) });
  }

  /** Unlocks what Octavia locked for changes that are done now. */
  async #settle(
    id: string,
    tree: Tree,
    provisioning: 'ACTIVE' | 'ERROR',
    states: ReadonlyMap<string, Operating>,
  ): Promise<void> {
    const awaited = this.#awaited.get(id) ?? new Set<string>();
    this.#awaited.delete(id);
    try {
      await this.#report(reportOf(tree, awaited, provisioning, states));
      const known = [...(this.#told.get(id) ?? []), ...[...states].filter(([one]) => awaited.has(one))];
      this.#told.set(id, new Map(known));
    } catch (error) {
      // Said again with the next look: nothing else unlocks it.
      this.#awaited.set(id, new Set([...awaited, ...(this.#awaited.get(id) ?? [])]));
      throw error;
    }
  }

  /** What does otherwise than was said of it. */
  async #tell(id: string, tree: Tree, states: ReadonlyMap<string, Operating>): Promise<void> {
    if (this.#awaited.has(id)) return void this.#do(id);
    const told = this.#told.get(id);
    const news = new Set([...states].filter(([one, state]) => told?.get(one) !== state).map(([one]) => one));
    await this.#report(reportOf(tree, news, undefined, states));
    this.#told.set(id, states);
  }

  async #report(report: Report | undefined): Promise<void> {
    if (report === undefined) return;
    const answer = await exchange(this.#options.statusSocket, report);
    const { status_code: status, fault_string: reason } = said.parse(answer);
    if (status === 200) return;
    throw new SuperfluidityError('SF-OCTAVIA-SOCKET', { doing: 'report states', reason: reason ?? String(status) });
  }

  #keep(id: string, kept: Kept): void {
    const file = this.#file(id);
    writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    this.#kept.set(id, kept);
  }

  #file(id: string): string {
    return join(this.#options.folder, `${id}.json`);
  }

  #folder(id: string): string {
    return join(this.#options.folder, id.slice(0, NAME_LENGTH));
  }

  #warn(doing: string, error: unknown): void {
    this.#options.log.warn({ doing, error: reportError(error) }, 'the agent of the balancer could not do something');
  }
}

const said = z.looseObject({ status_code: z.number(), fault_string: z.string().nullish() });

function launcherIn(namespace: string, folder: string): Launcher<ProcessRef> {
  return {
    async check(file) {
      await command('haproxy', '-c', '-f', file).catch((error: unknown) => {
        if (!isSuperfluidityError(error, 'SF-OCTAVIA-COMMAND')) throw error;
        throw new SuperfluidityError('SF-HAPROXY-CONFIG', {
          doing: 'check the configuration of a proxy',
          reason: error.details.reason,
        });
      });
    },
    start: (args) => spawnInside(namespace, join(folder, LOG), ['haproxy', ...args]),
    alive: isAlive,
    kill,
  };
}

/** Said at the start, and not by each load balancer that would fail. */
function ensureShort(folder: string): void {
  const bytes = Buffer.byteLength(socketPath(join(folder, 'x'.repeat(NAME_LENGTH))));
  if (bytes <= SOCKET_PATH_BYTES_MAX) return;
  throw new SuperfluidityError('SF-OCTAVIA-FOLDER', {
    doing: 'start the agent',
    reason: `sockets in ${folder} would have ${bytes} bytes in their path, and may have ${SOCKET_PATH_BYTES_MAX}`,
  });
}
