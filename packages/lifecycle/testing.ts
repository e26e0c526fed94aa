import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event, SiteDeclaration } from '@superfluidity/api';
import { silentLogger, systemClock } from '@superfluidity/core';
import { readNative } from '@superfluidity/dialects';
import type { Telemetry } from '@superfluidity/observe';
import type { DriverKind } from '@superfluidity/site';
import type { Store } from '@superfluidity/store';
import { sql } from 'kysely';
import { type MemoryEngine, type MemoryEngineOptions, MemoryJournal, memoryEngine } from '@superfluidity/workflow';
import type { ResolvedDescriptor } from './catalogue.ts';
import { createLifecycle, type Lifecycle } from './lifecycle.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** A whole lifecycle on a database in memory, the deterministic engine and whatever kinds of sites the test brings. */
export interface TestLifecycle {
  readonly lifecycle: Lifecycle;
  readonly store: Store;
  readonly engine: MemoryEngine;
  readonly events: Omit<Event, 'id' | 'at'>[];
  /** Another server on the same database and journal, as after `kill -9` of this one. */
  restart(faults?: MemoryEngineOptions['faults']): Promise<void>;
  close(): Promise<void>;
}

export interface TestLifecycleOptions {
  /** Emptied first. One for a test file: to open one costs a second. */
  readonly store: Store;
  readonly kinds: readonly DriverKind[];
  readonly limits?: Partial<Limits>;
  readonly faults?: MemoryEngineOptions['faults'];
  readonly telemetry?: Telemetry;
  /** Reconcile in the background. Default: only when the test asks. */
  readonly background?: boolean;
}

export async function testLifecycle(options: TestLifecycleOptions): Promise<TestLifecycle> {
  const { store } = options;
  await empty(store);
  const siteFolder = await mkdtemp(join(tmpdir(), 'superfluidity-test-'));
  const journal = new MemoryJournal();
  const events: Omit<Event, 'id' | 'at'>[] = [];
  let server = 0;

  async function boot(faults?: MemoryEngineOptions['faults']) {
    server += 1;
    const executor = `server-${server}`;
    const engine = memoryEngine({ clock: systemClock, executorId: executor, journal, ...(faults ? { faults } : {}) });
    const lifecycle = await createLifecycle({
      store,
      engine,
      events: {
        append: (event) => events.push(event),
        flush: async () => {},
        list: async () => ({ items: [], total: 0 }),
        async *follow() {},
      },
      telemetry: options.telemetry ?? { record: () => {}, list: () => [], async *follow() {}, forget: () => {} },
      kinds: options.kinds,
      siteFolder,
      fence: async () => journal.nextFence(),
      executor,
      clock: systemClock,
      log: silentLogger,
      limits: { ...defaultLimits, stepRetryMs: 1, reconcileMs: 50, healBackoffMs: 1, ...options.limits },
    });
    await lifecycle.open();
    await engine.launch();
    if (server > 1) await engine.takeOver(`server-${server - 1}`);
    if (options.background === true) lifecycle.start();
    return { engine, lifecycle };
  }

  let current = await boot(options.faults);
  return {
    store,
    events,
    get lifecycle() {
      return current.lifecycle;
    },
    get engine() {
      return current.engine;
    },
    async restart(faults) {
      current.engine.crash();
      await current.lifecycle.close();
      current = await boot(faults);
    },
    async close() {
      await current.engine.shutdown();
      await current.lifecycle.close();
      await rm(siteFolder, { recursive: true, force: true });
    },
  };
}

async function empty(store: Store): Promise<void> {
  await sql`truncate site, site_link, descriptor, service, unit, operation, operation_step, chain_path cascade`.execute(
    store.db,
  );
}

export function simulatedSite(name: string, config: Record<string, unknown> = {}): SiteDeclaration {
  const cheap = name === 'core' ? { core: 1, gib: 0.1 } : { core: 4, gib: 0.4 };
  return {
    name,
    kind: 'simulated',
    // As long as flows live on a version that was replaced, a move waits: less than one look at them, here.
    config: { hosts: { count: 2 }, traffic: { flowLifetimeMs: 30 }, ...config },
    tier: name,
    cells: [],
    services: [],
    price: cheap,
  };
}

export function native(text: string): ResolvedDescriptor {
  const { service, problems } = readNative(text);
  if (service === undefined) throw new Error(JSON.stringify(problems, undefined, 2));
  return { service, format: 'native', source: text };
}
