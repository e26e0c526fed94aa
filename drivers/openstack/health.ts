import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import type { HealthCheck } from '@superfluidity/model';
import { LIMITS, type Reach } from './config.ts';
import type { World } from './world.ts';

/** A look at the unit, from outside: who is not in the networks of a cloud sees what its services and its router let through. */

const TRY_MS = 2_000;
const RETRY_MS = 200;
const RETRY_MAX_MS = 2_000;

export interface HealthTarget {
  readonly address: string | undefined;
  readonly floatingIp: string | undefined;
  readonly console: (signal: AbortSignal) => Promise<string>;
  /** Why the server will never be ready, once that is known. */
  readonly ended: (signal: AbortSignal) => Promise<string | undefined>;
}

/** Resolves when the check passes; `SF-SITE-UNIT-NOT-READY` when its time is over, `SF-SITE-UNIT-FAILED` when the server failed. */
export async function awaitHealthy(
  world: World,
  doing: string,
  check: HealthCheck | undefined,
  target: HealthTarget,
  signal: AbortSignal,
): Promise<void> {
  const look = lookOf(world.config.health, check, target);
  if (look === undefined) return;
  const timeoutMs = check?.timeoutMs ?? LIMITS.readyMs;
  const { clock } = world;
  const deadline = clock.now() + timeoutMs;
  let last = 'nothing was tried';
  for (let pause = RETRY_MS; ; pause = Math.min(RETRY_MAX_MS, pause * 1.5)) {
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const left = deadline - clock.now();
    if (left <= 0) {
      throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', {
        doing,
        reason: `${look.what} did not come about within ${timeoutMs} ms: ${last}`,
        request: look.what,
        answer: last,
      });
    }
    try {
      await look.attempt(AbortSignal.any([signal, AbortSignal.timeout(Math.min(left, TRY_MS))]));
      return;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    const end = signal.aborted ? undefined : await target.ended(signal);
    if (end !== undefined) throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason: end });
    await clock.sleep(Math.min(pause, Math.max(1, deadline - clock.now())), signal);
  }
}

interface Look {
  readonly what: string;
  readonly attempt: (signal: AbortSignal) => Promise<void>;
}

/** Undefined where nothing more can be seen than that Nova says ACTIVE. */
function lookOf(
  { reach, consoleMarker }: World['config']['health'],
  check: HealthCheck | undefined,
  target: HealthTarget,
): Look | undefined {
  if (check?.kind === 'running') return undefined;
  const address = reach.kind === 'floating-ip' ? target.floatingIp : target.address;
  if ((check?.kind === 'tcp' || check?.kind === 'http') && reach.kind !== 'none' && address !== undefined) {
    const { port } = check;
    const open = (signal: AbortSignal) => opened(reach, address, port, signal);
    if (check.kind === 'tcp') {
      return {
        what: `tcp ${address}:${port}`,
        attempt: async (signal) => {
          (await open(signal)).destroy();
        },
      };
    }
    const { path } = check;
    return {
      what: `GET http://${address}:${port}${path}`,
      attempt: async (signal) => getOver(await open(signal), `${address}:${port}`, path, signal),
    };
  }
  // A proxy carries no echoes.
  if (check?.kind === 'ping' && (reach.kind === 'direct' || reach.kind === 'floating-ip') && address !== undefined)
    return { what: `ping ${address}`, attempt: (signal) => pinged(address, signal) };
  if (consoleMarker === undefined) return undefined;
  return {
    what: `'${consoleMarker}' on the console`,
    attempt: async (signal) => {
      if (!(await target.console(signal)).includes(consoleMarker)) throw new Error('the console does not show it');
    },
  };
}

/** Echoes are for programs with rights of their own. */
function pinged(address: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile('ping', ['-n', '-c', '1', '-W', String(TRY_MS / 1_000), address], { signal }, (error) => {
      if (error === null) resolve();
      else if (error.code === 'ENOENT') reject(new Error('the program ping is not installed on this machine'));
      else reject(new Error(`${address} does not answer`));
    });
  });
}

function opened(reach: Reach, address: string, port: number, signal: AbortSignal): Promise<Socket> {
  return reach.kind === 'proxy' ? throughProxy(reach.url, address, port, signal) : directly(address, port, signal);
}

function directly(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** RFC 9110, section 9.3.6. */
function throughProxy(url: string, address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const { hostname, port: proxyPort, username, password } = new URL(url);
  const authority = `${address}:${port}`;
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  return new Promise((resolve, reject) => {
    const asked = request({
      host: hostname,
      port: proxyPort === '' ? 80 : Number(proxyPort),
      method: 'CONNECT',
      path: authority,
      headers: { host: authority, ...(username === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }) },
      signal,
      agent: false,
    });
    asked.once('connect', (answer, socket) => {
      if (answer.statusCode === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(new Error(`the proxy answers ${answer.statusCode} for ${authority}`));
    });
    asked.once('response', (answer) => {
      answer.resume();
      reject(new Error(`the proxy answers ${answer.statusCode} for ${authority}`));
    });
    asked.once('error', reject);
    asked.end();
  });
}

function getOver(socket: Socket, host: string, path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ path, headers: { host }, signal, createConnection: () => socket }, (answer) => {
      answer.resume();
      socket.destroy();
      const { statusCode = 0 } = answer;
      if (statusCode >= 200 && statusCode <= 399) resolve();
      else reject(new Error(`GET ${path} was answered with status ${statusCode}`));
    });
    asked.once('error', (error) => {
      socket.destroy();
      reject(error);
    });
    asked.end();
  });
}
