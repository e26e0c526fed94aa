import { request as httpRequest } from 'node:http';
import { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import type { HealthCheck } from '@superfluidity/model';
import '@superfluidity/site';
import {
  AF_INET,
  errnoName,
  inNamespace,
  parseIpOf,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  systemCall,
  trySystemCall,
} from '@superfluidity/netlink';
import { ping } from './kernel/icmp.ts';

/** Asks a unit, from the host on which it runs, whether it is ready. */

export const HEALTH_DEFAULT: HealthCheck = { kind: 'ping', timeoutMs: 10_000 };

const SOCK_STREAM = 1;
const EINPROGRESS = 115;
const EALREADY = 114;
const EISCONN = 106;
const EAGER_MS = 3;
const RETRY_MS = 5;
const CONNECT_TRY_MS = 1000;
const HTTP_TRY_MS = 2000;

export interface HealthTarget {
  readonly namespace: string;
  readonly address: string;
  /** Undefined while the unit runs; else why it ended, which ends the waiting too. */
  readonly ended: () => string | undefined;
}

/** Resolves when the check passes; `SF-SITE-UNIT-NOT-READY` when its time is over, `SF-SITE-UNIT-FAILED` when the unit ended. */
export async function awaitHealthy(
  doing: string,
  check: HealthCheck,
  target: HealthTarget,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + check.timeoutMs;
  let last = 'nothing was tried';
  for (let tries = 0; ; tries += 1) {
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const end = target.ended();
    if (end !== undefined) throw new SuperfluidityError('SF-SITE-UNIT-FAILED', { doing, reason: end });
    const left = deadline - performance.now();
    if (left <= 0) {
      const request = `${check.kind} ${target.address}`;
      throw new SuperfluidityError('SF-SITE-UNIT-NOT-READY', {
        doing,
        reason: `its ${check.kind} check did not pass within ${check.timeoutMs} ms: ${last}`,
        request,
        answer: last,
      });
    }
    try {
      await attempt(check, target, Math.min(left, CONNECT_TRY_MS), signal);
      return;
    } catch (error) {
      if (!(error instanceof SuperfluidityError) && !(error instanceof Error)) throw error;
      last = error instanceof SuperfluidityError ? error.details.reason : error.message;
    }
    // A server that is starting refuses at once: look again soon, then less often.
    await pause(Math.min(100, RETRY_MS * (1 + tries / 4)));
  }
}

async function attempt(
  check: HealthCheck,
  target: HealthTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  switch (check.kind) {
    case 'running':
      return;
    case 'ping':
      await ping(target.namespace, target.address, { timeoutMs, signal });
      return;
    case 'tcp': {
      const fd = await connectFrom(target.namespace, target.address, check.port, timeoutMs);
      systemCall('close a socket', 'close', fd);
      return;
    }
    case 'http': {
      const fd = await connectFrom(target.namespace, target.address, check.port, timeoutMs);
      const status = await getStatus(fd, target.address, check.port, check.path, signal);
      if (status < 200 || status > 399) throw new Error(`GET ${check.path} was answered with status ${status}`);
    }
  }
}

/** A connected, non-blocking socket that belongs to the namespace. */
async function connectFrom(namespace: string, ipv4: string, port: number, timeoutMs: number): Promise<number> {
  const doing = `connect to ${ipv4}:${port} from ${namespace}`;
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set(parseIpOf(AF_INET, ipv4), 4);
  const fd = inNamespace(namespace, () =>
    systemCall(doing, 'socket', AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
  );
  const start = performance.now();
  for (;;) {
    // Asking again tells what became of the first request (connect(2)).
    const result = trySystemCall('connect', fd, address, address.length);
    if (result === 0 || result === -EISCONN) return fd;
    const late = performance.now() - start > timeoutMs;
    if ((result !== -EINPROGRESS && result !== -EALREADY) || late) {
      systemCall(doing, 'close', fd);
      throw new Error(`${ipv4}:${port}: ${late ? 'no answer' : errnoName(-result)}`);
    }
    await (performance.now() - start < EAGER_MS ? nextTurn() : pause(1));
  }
}

function getStatus(fd: number, host: string, port: number, path: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd, readable: true, writable: true });
    const asked = httpRequest(
      { host, port, path, signal, timeout: HTTP_TRY_MS, createConnection: () => socket },
      (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
        socket.destroy();
      },
    );
    asked.once('timeout', () => asked.destroy(new Error(`GET ${path}: no answer in ${HTTP_TRY_MS} ms`)));
    asked.once('error', (error) => {
      socket.destroy();
      reject(error);
    });
    asked.end();
  });
}
