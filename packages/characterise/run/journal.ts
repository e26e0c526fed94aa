import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { canonicalJson, type ErrorReport, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { ExperimentResult } from '../analysis/results.ts';
import type { Characterisation, Experiment } from '../config/characterisation.ts';
import { characteriseLimits as limits } from '../errors.ts';
import type { TrialRecord } from '../search/trial.ts';

const header = z.object({ 'superfluidity-characterise': z.literal(1), digest: z.string().max(128) });
const experiment = z.object({
  index: z.int().min(0),
  configuration: z.int().min(0),
  iteration: z.int().min(0),
  share: z.number().gt(0).max(1).exactOptional(),
});
const sample = z.object({ atMs: z.number(), metrics: z.record(z.string(), z.number().nullable()) });
const record = z.union([
  z.object({ ...experiment.shape, samples: z.array(sample).max(limits.samplesPerExperiment) }),
  z.object({
    ...experiment.shape,
    trial: z.object({ rate: z.number(), durationMs: z.number(), sent: z.number(), lost: z.number() }),
  }),
  z.object({ ...experiment.shape, failed: z.object({ code: z.string(), message: z.string() }) }),
]);

export interface FailedExperiment extends Experiment {
  readonly failed: ErrorReport;
}

export interface JournalContent {
  readonly results: readonly ExperimentResult[];
  readonly failures: readonly FailedExperiment[];
  /** Of experiments that are not finished: trials of their search, by the number of the experiment. */
  readonly trials: ReadonlyMap<number, readonly TrialRecord[]>;
  /** Up to the end of the last line that is whole. */
  readonly bytes: number;
}

/** What decides which experiments there are, and what their results mean. Analysis and costs may change afterwards. */
export function digestOf({
  serviceId,
  parameters,
  bindings,
  neighbours,
  useCase,
  iterations,
}: Characterisation): string {
  const names = parameters.map(({ name, values }) => ({ name, values }));
  const plainly = neighbours.map((one) => (Object.keys(one).length === 1 ? one.serviceId : one));
  const plain = canonicalJson({ serviceId, names, bindings, neighbours: plainly, useCase, iterations });
  return createHash('sha256').update(plain).digest('hex');
}

function unusable(
  file: string,
  reason: string,
  code: 'SF-CHARACTERISE-JOURNAL' | 'SF-CHARACTERISE-LIMIT' = 'SF-CHARACTERISE-JOURNAL',
) {
  return new SuperfluidityError(code, { doing: `read results in ${file}`, reason });
}

/**
 * Reads a file of results: a line that says of which characterisation, and one for each experiment. What was being written in a crash, a
 * last line without an end, is left out; everything before was on the disk. Undefined: there is no such file, or nothing in it.
 */
export async function readJournal(file: string, digest: string): Promise<JournalContent | undefined> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size === 0) return undefined;
  if (size > limits.journalBytes)
    throw unusable(file, `${size} bytes, at most ${limits.journalBytes}`, 'SF-CHARACTERISE-LIMIT');
  const whole = await endOfLastLine(file, size);
  const results = new Map<number, ExperimentResult>();
  const failures: FailedExperiment[] = [];
  const trials = new Map<number, TrialRecord[]>();
  let line = 0;
  if (whole === 0) {
    if (await isBegun(file)) return undefined;
    throw unusable(file, 'line 1 is not the beginning of a file of results');
  }
  const input = createReadStream(file, { end: whole - 1 });
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    const value = parsed(text);
    if (line === 1) {
      const head = header.safeParse(value);
      if (!head.success) throw unusable(file, 'line 1 is not the beginning of a file of results');
      if (head.data.digest !== digest) throw unusable(file, 'it is of another configuration');
      continue;
    }
    const found = record.safeParse(value);
    if (!found.success) throw unusable(file, `line ${line} is not an experiment`);
    if ('trial' in found.data) addTrial(trials, found.data.index, found.data.trial);
    else if ('failed' in found.data) {
      // It begins anew: what it had found may be what made it fail.
      trials.delete(found.data.index);
      failures.push(found.data);
    } else {
      trials.delete(found.data.index);
      // Numbers that JSON has no words for come back as null, and are refused where samples are checked.
      results.set(found.data.index, found.data as ExperimentResult);
    }
  }
  return { results: [...results.values()], failures, trials, bytes: whole };
}

function addTrial(trials: Map<number, TrialRecord[]>, index: number, trial: TrialRecord): void {
  const kept = trials.get(index) ?? [];
  if (kept.length < limits.trials) kept.push(trial);
  trials.set(index, kept);
}

const BEGINNING = '{"superfluidity-characterise"';

/** Whether all that there is was the beginning of our first line: a crash came before it was whole. */
async function isBegun(file: string): Promise<boolean> {
  const text = await readFile(file, 'utf8');
  return text.startsWith(BEGINNING) || BEGINNING.startsWith(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const CHUNK = 65_536;

async function endOfLastLine(file: string, size: number): Promise<number> {
  const handle = await open(file, 'r');
  try {
    for (let end = size; end > 0; end -= CHUNK) {
      const from = Math.max(0, end - CHUNK);
      const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(end - from), position: from });
      const at = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (at >= 0) return from + at + 1;
    }
    return 0;
  } finally {
    await handle.close();
  }
}

/** A file of results that grows: an experiment that was appended stays, whatever happens to the process or the machine. */
export class Journal {
  readonly results: ExperimentResult[];
  readonly #handle: FileHandle;
  readonly #lock: string;
  readonly #trials: Map<number, TrialRecord[]>;
  #end: number;

  private constructor(lock: string, handle: FileHandle, content: Omit<JournalContent, 'failures'>) {
    this.#lock = lock;
    this.#handle = handle;
    this.results = [...content.results];
    this.#trials = new Map([...content.trials].map(([index, trials]) => [index, [...trials]]));
    this.#end = content.bytes;
  }

  /**
   * Makes the file, or goes on with it where it is of this characterisation. Rejects with SF-CHARACTERISE-JOURNAL, also while
   * another process has it open.
   */
  static async open(file: string, characterisation: Characterisation): Promise<Journal> {
    const lock = `${file}.lock`;
    await takeLock(lock, file);
    try {
      return await Journal.#locked(file, lock, digestOf(characterisation));
    } catch (error) {
      await rm(lock, { force: true });
      throw error;
    }
  }

  static async #locked(file: string, lock: string, digest: string): Promise<Journal> {
    const content = await readJournal(file, digest);
    const handle = await open(file, content === undefined ? 'w' : 'r+');
    try {
      const journal = new Journal(lock, handle, content ?? { results: [], trials: new Map(), bytes: 0 });
      await handle.truncate(journal.#end);
      if (content === undefined) {
        await journal.#write({ 'superfluidity-characterise': 1, digest });
        await syncFolder(dirname(file));
      }
      return journal;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async append(result: ExperimentResult): Promise<void> {
    await this.#write(result);
    this.results.push(result);
    this.#trials.delete(result.index);
  }

  /** What an interrupted search of this experiment has found. */
  trialsOf(index: number): readonly TrialRecord[] {
    return this.#trials.get(index) ?? [];
  }

  async appendTrial({ index, configuration, iteration }: Experiment, trial: TrialRecord): Promise<void> {
    await this.#write({ index, configuration, iteration, trial });
    addTrial(this.#trials, index, trial);
  }

  async appendFailure(failure: FailedExperiment): Promise<void> {
    await this.#write(failure);
    this.#trials.delete(failure.index);
  }

  async close(): Promise<void> {
    await this.#handle.close();
    await rm(this.#lock, { force: true });
  }

  async #write(value: unknown): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    if (this.#end + bytes.length > limits.journalBytes) {
      throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', {
        doing: 'keep a result',
        reason: `the file would have more than ${limits.journalBytes} bytes`,
      });
    }
    await this.#handle.write(bytes, 0, bytes.length, this.#end);
    await this.#handle.datasync();
    this.#end += bytes.length;
  }
}

/** A file with the number of the process: what a process that is gone has left is taken over. */
async function takeLock(lock: string, file: string): Promise<void> {
  for (const again of [true, false]) {
    try {
      return await writeFile(lock, `${process.pid}`, { flag: 'wx' });
    } catch (cause) {
      const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
      if (!again || !Number.isSafeInteger(owner) || owner <= 0 || isAlive(owner)) {
        throw new SuperfluidityError('SF-CHARACTERISE-JOURNAL', {
          doing: `go on with ${file}`,
          reason: owner > 0 ? `process ${owner} is at it (${lock})` : `${lock} cannot be made`,
          cause,
        });
      }
      await rm(lock, { force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The name of a new file is as durable as its folder. Some file systems refuse; then it is as they have it. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
