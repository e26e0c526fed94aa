import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import { run } from './command.ts';
import type { LabProcess, Probe } from './item.ts';
import type { LabPaths } from './paths.ts';
import { isAlive, logPath, type StartedProcess } from './processes.ts';

const READY_WITHIN_MS = 300_000;
const PROBE_TIMEOUT_MS = 5000;
const PROBE_INTERVAL_MS = 150;
const LOG_TAIL_BYTES = 2000;

/** Resolves when the process answers; rejects with the end of its log when it ends or takes too long. */
export async function awaitReady(paths: LabPaths, spec: LabProcess, started: StartedProcess): Promise<void> {
  const limitMs = spec.readyWithinMs ?? READY_WITHIN_MS;
  const deadline = performance.now() + limitMs;
  const refuse = (reason: string): never => {
    const log = logPath(paths, spec.name);
    throw new SuperfluidityError('SF-LAB-PROCESS', {
      doing: `start ${spec.name}`,
      reason: `${reason}; its log is ${log}`,
      answer: tail(log),
    });
  };
  while (true) {
    if (!isAlive(started)) refuse('it ended');
    if (await answers(spec.ready)) return;
    if (performance.now() >= deadline) refuse(`no answer within ${limitMs / 1000} s`);
    await sleep(PROBE_INTERVAL_MS);
  }
}

export function answers(probe: Probe): Promise<boolean> {
  switch (probe.kind) {
    case 'started':
      return Promise.resolve(true);
    case 'http':
      return answersHttp(probe.url);
    case 'amqp':
      return answersAmqp(probe.host, probe.port);
    case 'command':
      return run(probe.argv, { timeoutMs: PROBE_TIMEOUT_MS }).then(
        (output) => probe.output === undefined || probe.output.test(output),
        () => false,
      );
  }
}

/** Whatever the status: the service is there. */
function answersHttp(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: PROBE_TIMEOUT_MS }, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
  });
}

const AMQP_HEADER = Buffer.from([...Buffer.from('AMQP'), 0, 0, 9, 1]);

function answersAmqp(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS }, () => socket.write(AMQP_HEADER));
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on('data', () => end(true))
      .on('timeout', () => end(false))
      .on('error', () => end(false))
      .on('close', () => end(false));
  });
}

function tail(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const buffer = Buffer.alloc(Math.min(size, LOG_TAIL_BYTES));
      readSync(file, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}
