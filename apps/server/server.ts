import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Access,
  accessHandlers,
  adminTokenFile,
  createAccess,
  createVault,
  keyRingOfFile,
  keyRingOfText,
} from '@superfluidity/access';
import type { Handlers, RouteName } from '@superfluidity/api';
import { type Logger, SuperfluidityError, systemClock } from '@superfluidity/core';
import {
  descriptorFormats,
  createLifecycle,
  defaultLimits,
  type Lifecycle,
  lifecycleHandlers,
} from '@superfluidity/lifecycle';
import { createEventLog, createTelemetry, observeHandlers } from '@superfluidity/observe';
import { AnomalyWatch, anomalyHandlers, watchedEvents, watchedTelemetry } from '@superfluidity/observe/live';
import { openStore } from '@superfluidity/store';
import { dbosRuns, durableEngine } from '@superfluidity/workflow';
import type { FastifyInstance } from 'fastify';
import type { Logger as PinoLogger } from 'pino';
import packageJson from './package.json' with { type: 'json' };
import { buildApp } from './app.ts';
import { auditEvent } from './audit.ts';
import { Closers } from './closers.ts';
import './errors.ts';
import { joinHandlers } from './handlers.ts';
import { driverKinds } from './kinds.ts';
import { limits } from './limits.ts';
import { durationHandlers } from './durations.ts';
import { createMetrics, type PoolCount } from './metrics.ts';
import type { ServerOptions } from './options.ts';
import { playbookRunner } from './playbooks/runner.ts';
import { serverId } from './server-id.ts';
import { openStateFolder } from './state-folder.ts';
import { systemHandlers } from './system.ts';
import { terminalHandlers } from './terminals.ts';

export interface RunningServer {
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  readonly adminToken: string;
  /** A password for the first admin, where nobody has one yet. To be shown once, to a person. */
  firstPassword: Access['firstPassword'];
  readonly handlers: Handlers<RouteName>;
  /** Makes ready what the first deployment would else wait for. */
  warm(): void;
  /** Lets go of everything, in the reverse order; what runs in the sites keeps running. */
  close(): Promise<void>;
}

/** Runs are continued by servers of this version only: raise it when workflow code would replay old runs differently. */
const WORKFLOW_VERSION = '2';
const clock = systemClock;

export async function startServer(options: ServerOptions, pino: PinoLogger): Promise<RunningServer> {
  const log: Logger = pino;
  const closers = new Closers();
  try {
    const state = await openStateFolder(options.state, options.sites);
    closers.add(() => state.release());
    if (options.port !== 0) await tryAddress(options);
    // The vault tells the sites what is new, and metrics read the pools: of the lifecycle that comes later.
    const opened: Lifecycle[] = [];
    const store = await openStore(options.database, { clock, log });
    closers.add(() => store.close());
    const access = createAccess({
      store,
      clock,
      onLocked: (name, address) => {
        const message = `sign-in as ${name} from ${address}: too many passwords were wrong`;
        events.append({
          kind: 'audit',
          subject: name,
          severity: 'warning',
          message,
          body: { route: 'signIn', address },
        });
      },
    });
    const keys = options.secretKey === undefined ? keyRingOfFile(options.keyFile) : keyRingOfText(options.secretKey);
    const vault = createVault({
      store,
      clock,
      keys,
      onChange: async (name) => opened[0]?.sites.secretChanged(name),
    });
    const adminToken = await access.ensureAdmin(adminTokenFile(state.path));
    let watch: AnomalyWatch | undefined;
    const telemetry = watchedTelemetry(createTelemetry({ clock }), () => watch);
    const executor = await serverId(state.path);
    const engine = durableEngine(
      { store, executorId: executor, applicationVersion: WORKFLOW_VERSION },
      options.runs === 'dbos' ? await dbosRuns(store, executor, WORKFLOW_VERSION) : undefined,
    );

    // Metrics watch the events that the lifecycle writes.
    const metrics = createMetrics({
      store,
      pools: async () => (await Promise.all(opened.map(poolsOf))).flat(),
      scaling: () => opened.flatMap(({ autoscaler }) => autoscaler.counts()),
    });
    const events = watchedEvents(metrics.watch(await createEventLog({ store, clock, log })), () => watch);
    closers.add(() => events.close());
    if (options.anomalies !== undefined) {
      watch = new AnomalyWatch(clock, (event) => events.append(event), options.anomalies);
    }
    const lifecycle = await createLifecycle({
      store,
      engine,
      events,
      telemetry,
      kinds: driverKinds,
      secrets: vault,
      ...(options.playbooks === undefined
        ? {}
        : {
            playbooks: playbookRunner({
              folder: options.playbooks,
              artifacts: join(state.path, 'playbooks'),
              secrets: vault,
              now: () => clock.now(),
            }),
          }),
      siteFolder: options.sites,
      fence: () => engine.leases.drawFence(engine.leases.epoch),
      executor,
      clock,
      log,
      limits: defaultLimits,
    });
    closers.add(() => lifecycle.close());
    await lifecycle.open();
    opened.push(lifecycle);
    closers.add(() => engine.shutdown());
    await engine.launch();
    lifecycle.start();

    const handlers = joinHandlers(
      systemHandlers({
        version: packageJson.version,
        executor,
        database: store.label,
        kinds: driverKinds,
        formats: descriptorFormats,
      }),
      accessHandlers(access, vault),
      observeHandlers(events, telemetry),
      anomalyHandlers(watch),
      lifecycleHandlers(lifecycle),
      terminalHandlers(lifecycle.terminals, options.terminals),
      durationHandlers(metrics),
    );
    const app = await buildApp({
      handlers,
      access,
      metrics,
      log: pino,
      audit: (attempt) => events.append(auditEvent(attempt)),
      terminals: {
        terminals: lifecycle.terminals,
        enabled: options.terminals,
        audit: (event) => events.append(event),
        limits: limits.terminals,
      },
      openApi: await readFile(new URL('../../packages/api/openapi.json', import.meta.url), 'utf8'),
      consoleFolder: fileURLToPath(new URL('../console/dist', import.meta.url)),
    });
    closers.add(() => app.close());
    const url = await listen(app, options);
    return {
      url,
      adminToken,
      firstPassword: access.firstPassword,
      handlers,
      warm: () => lifecycle.warm(),
      close: () => closers.close(),
    };
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** Before work of others is taken over: a server that nobody could reach shall not begin. */
async function tryAddress(options: ServerOptions): Promise<void> {
  const { host, port } = options;
  const listener = createServer();
  try {
    await once(listener.listen({ host, port }), 'listening');
  } catch (cause) {
    throw notListening(options, cause);
  }
  listener.close();
  await once(listener, 'close');
}

async function listen(app: FastifyInstance, options: ServerOptions): Promise<string> {
  const { host, port } = options;
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw notListening(options, cause);
  }
  const address = app.server.address() as AddressInfo;
  // A wildcard address is no place to go to.
  const reachable = ['0.0.0.0', '::'].includes(address.address) ? 'localhost' : address.address;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${address.port}`;
}

function notListening({ host, port }: ServerOptions, cause: unknown): SuperfluidityError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const inUse = code === 'EADDRINUSE';
  const reason = inUse ? 'another program listens there' : message;
  const doing = `listen on ${host} port ${port}`;
  return new SuperfluidityError(inUse ? 'SF-SERVER-PORT-IN-USE' : 'SF-SERVER-ADDRESS', { doing, reason, cause });
}

const poolsOf = ({ watcher }: Lifecycle): Promise<readonly PoolCount[]> => watcher.pools();
