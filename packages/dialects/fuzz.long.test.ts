import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { readDescriptor, writeDescriptor } from './descriptor.ts';
import { dialects } from './dialects.ts';
import type { DescriptorFile } from './files.ts';
import type { Fuzzed } from './testing/fuzz.ts';
import type { FuzzTask } from './testing/fuzz-worker.ts';

/**
 * Every reader for a minute of processor time on CI, where readers take turns on all processors; for less elsewhere.
 * `npm run fuzz` says for how much longer, and with which seed again. CI breaks the same things each time, so that a change is
 * judged by what it changes; who searches for new holes does so elsewhere.
 */
const onCi = process.env['CI'] === 'true' || process.env['CI'] === '1';
const seconds = Number(process.env['SUPERFLUIDITY_FUZZ_SECONDS'] ?? (onCi ? 60 : 10));
const seed = Number(
  process.env['SUPERFLUIDITY_FUZZ_SEED'] ?? (onCi ? 643_460_251 : Math.floor(Math.random() * 2 ** 32)),
);
const here = fileURLToPath(new URL('.', import.meta.url));
const example = readFileSync(join(here, '../../examples/mobile-edge/service.yaml'));
const readers = dialects.filter(({ read }) => read !== undefined);
/** One that gets no processor is as good as one that hangs. */
const PATIENCE = 5;
const longestMs = seconds * 1_000 * PATIENCE + 60_000;

describe('readers', () => {
  const free = Array.from({ length: availableParallelism() }, () => Promise.resolve());
  test.concurrent.each(readers.map(({ format, writer }) => [format, writer] as const))(
    `%s is read for ${seconds} s, whatever is broken (seed ${seed})`,
    async (format, writer) => {
      const { service } = readDescriptor([{ path: 'service.yaml', bytes: example }]);
      const written = writer === undefined ? [] : [writeDescriptor(service!, format).files];
      const corpus = [...goldenPackages(format), ...written].filter((files) => files.length > 0);
      expect(corpus).not.toEqual([]);
      const before = free.shift()!;
      const fuzzed = before.then(() => inThread({ corpus, cpuMs: seconds * 1_000, seed }));
      free.push(
        fuzzed.then(
          () => {},
          () => {},
        ),
      );
      const { packages, cpuMs } = await fuzzed;
      expect(cpuMs).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(packages).toBeGreaterThan(seconds);
    },
    readers.length * longestMs,
  );
});

function inThread(task: FuzzTask): Promise<Fuzzed> {
  const worker = new Worker(new URL('./testing/fuzz-worker.ts', import.meta.url), { workerData: task });
  return new Promise<Fuzzed>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`a reader hangs: seed ${task.seed}`)), longestMs);
    worker
      .once('message', resolve)
      .once('error', reject)
      .once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the thread of a reader ended with ${code}: seed ${task.seed}`));
      });
  }).finally(() => worker.terminate());
}

/** Each file of the golden folder, and each folder in it as a package. */
function goldenPackages(format: string): readonly (readonly DescriptorFile[])[] {
  const folder = join(here, format, 'golden');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const at = join(folder, entry.name);
    if (entry.isFile()) return [{ path: entry.name, bytes: readFileSync(at) }];
    const inside = readdirSync(at, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    return inside.map((one) => ({ path: one.name, bytes: readFileSync(join(one.parentPath, one.name)) }));
  });
}
