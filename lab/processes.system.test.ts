import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LabProcess } from './item.ts';
import { type LabPaths, pathsIn } from './paths.ts';
import { awaitReady } from './probe.ts';
import { isAlive, startedProcess, startProcess, stopProcess } from './processes.ts';

let paths: LabPaths;
beforeEach(() => {
  paths = pathsIn(mkdtempSync(join(tmpdir(), 'superfluidity-lab-')));
});
afterEach(() => rmSync(paths.folder, { recursive: true, force: true }));

function shell(script: string, more: Partial<LabProcess> = {}): LabProcess {
  const base = { kind: 'process', name: 'one', after: [], ready: { kind: 'started' } } as const;
  return { ...base, argv: ['sh', '-c', script], patienceMs: 200, ...more };
}

it('ends a process that does not listen, with its children', async () => {
  const spec = shell('trap "" TERM; sleep 60 & echo child $!; while :; do sleep 60; done');
  const started = await startProcess(paths, spec, 'digest');
  await expect.poll(() => readFileSync(join(paths.log, 'one.log'), 'utf8')).toMatch(/child \d+/);
  const child = Number(/child (\d+)/.exec(readFileSync(join(paths.log, 'one.log'), 'utf8'))![1]);
  expect(startedProcess(paths, 'one')).toEqual(started);
  expect(await stopProcess(paths, started)).toBe(true);
  expect(isAlive(started)).toBe(false);
  await expect.poll(() => isRunning(child)).toBe(false);
  expect(startedProcess(paths, 'one')).toBeUndefined();
});

it('leaves alone a process that has the number of an old one', async () => {
  const started = await startProcess(paths, shell('sleep 60'), 'digest');
  const old = { ...started, startTime: started.startTime - 1 };
  expect(await stopProcess(paths, old)).toBe(false);
  expect(isAlive(started)).toBe(true);
  await stopProcess(paths, started);
});

it('says why a process ended before it was ready', async () => {
  const spec = shell('echo no database >&2; exit 1', { ready: { kind: 'http', url: 'http://127.0.0.1:1/' } });
  const started = await startProcess(paths, spec, 'digest');
  await expect(awaitReady(paths, spec, started)).rejects.toMatchObject({
    code: 'SF-LAB-PROCESS',
    details: { answer: 'no database\n' },
  });
});

function isRunning(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
