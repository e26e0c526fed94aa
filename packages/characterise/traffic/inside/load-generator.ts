import { mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, SuperfluidityError } from '@superfluidity/core';
import type { Block, Service } from '@superfluidity/model';
import type { Sample } from '../../analysis/results.ts';
import type { Place, UseCase } from '../../config/characterisation.ts';
import { characteriseLimits as limits } from '../../errors.ts';
import type { StressHooks, UnderStress } from '../use-case.ts';
import { answerFile, answerShape, type Order, ORDER_VARIABLE, type OrderAnswer, POLL_MS, SILENCE_MS } from './order.ts';

/** What the function is called that is added to a service. */
export const GENERATOR = 'load-generator';
const PROGRAM = fileURLToPath(new URL('generator.ts', import.meta.url));
const CHUNK_BYTES = 65_536;

/**
 * Traffic from a unit inside of the service, for units that nobody outside reaches, as those in namespaces. The unit is a
 * process on the machine of its site, which has to be this one: orders and answers are files.
 */
export class LoadGenerator {
  readonly #folder: string;
  readonly #useCase: UseCase;
  readonly #place: Place;
  readonly #clock: Clock;
  #made = 0;

  private constructor(folder: string, useCase: UseCase, place: Place, clock: Clock) {
    this.#folder = folder;
    this.#useCase = useCase;
    this.#place = place;
    this.#clock = clock;
  }

  static async open(useCase: UseCase, place: Place, clock: Clock): Promise<LoadGenerator> {
    return new LoadGenerator(await mkdtemp(join(tmpdir(), 'superfluidity-load-')), useCase, place, clock);
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The service with the unit that makes its traffic, and the order that this one waits for. */
  placedIn(service: Service): { readonly service: Service; readonly order: string } {
    const { network, site, cpu, memoryMiB } = this.#place;
    const refuse = (reason: string, hint: string) =>
      new SuperfluidityError('SF-CHARACTERISE-USE-CASE', { doing: 'put the traffic into the service', reason, hint });
    if (!service.networks.some(({ name }) => name === network)) {
      const there = service.networks.map(({ name }) => name).join(', ') || 'none';
      throw refuse(`it has no network ${network}`, `Networks are: ${there}.`);
    }
    if (service.block.children.some(({ name }) => name === GENERATOR))
      throw refuse(`it has a function ${GENERATOR} already`, 'Give that another name.');
    this.#made += 1;
    const order = join(this.#folder, `${this.#made}.json`);
    const unit: Block = {
      kind: 'unit',
      name: GENERATOR,
      ports: [{ name: 'eth0', network }],
      children: [],
      links: [],
      requirements: {
        cpu,
        memoryMiB,
        ...(site === undefined ? {} : { location: { sites: [site] } }),
      },
      execution: { environment: 'process', command: ['node', PROGRAM], env: { [ORDER_VARIABLE]: order } },
    };
    const made: Block = { ...unit, kind: 'function', ports: [], requirements: {}, children: [unit] };
    const { execution: _none, ...generator } = made;
    const block = { ...service.block, children: [...service.block.children, generator] };
    return { service: { ...service, block }, order };
  }

  async stress(
    order: string,
    { configuration, addresses, experiment, share }: UnderStress,
    signal: AbortSignal,
    hooks: StressHooks,
  ): Promise<readonly Sample[]> {
    const { name, parameters } = this.#useCase;
    const asked: Order = {
      useCase: { name, parameters: { ...parameters } },
      service: { configuration: { ...configuration }, addresses: { ...addresses }, experiment, share },
      trials: hooks.trials.map((trial) => ({ ...trial })),
    };
    // Whole, or not there.
    await writeFile(`${order}.new`, JSON.stringify(asked), { mode: 0o600 });
    await rename(`${order}.new`, order);
    const samples: Sample[] = [];
    for await (const answer of this.#answers(order, signal)) {
      if ('begun' in answer) hooks.begun(answer.begun);
      else if ('trial' in answer) await hooks.keep(answer.trial);
      else if ('sample' in answer) samples.push(answer.sample);
      else if ('failed' in answer) throw failure(`${answer.failed.message} (${answer.failed.code})`);
      if (samples.length > limits.samplesPerExperiment) throw failure('it gives too many samples');
      if ('done' in answer) return samples;
    }
    throw failure('its answer ends too early');
  }

  async *#answers(order: string, signal: AbortSignal): AsyncGenerator<OrderAnswer> {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const decoder = new TextDecoder();
    let [position, rest, heardMs] = [0, '', this.#clock.now()];
    for (;;) {
      const bytes = await readAt(answerFile(order), buffer, position);
      if (bytes === 0) {
        if (this.#clock.now() - heardMs > SILENCE_MS)
          throw failure(`nothing was heard of it for ${SILENCE_MS / 1_000} s`);
        await this.#clock.sleep(POLL_MS, signal);
        continue;
      }
      position += bytes;
      heardMs = this.#clock.now();
      if (position > limits.outputBytes) throw failure('it says too much');
      const lines = (rest + decoder.decode(buffer.subarray(0, bytes), { stream: true })).split('\n');
      rest = lines.pop()!;
      for (const line of lines) yield answerOf(line);
    }
  }
}

function answerOf(line: string): OrderAnswer {
  try {
    return answerShape.parse(JSON.parse(line));
  } catch (cause) {
    throw new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
      doing: 'hear of the load generator',
      reason: 'it says what nobody understands',
      answer: line.slice(0, 256),
      cause,
    });
  }
}

/** 0: there is nothing yet. */
async function readAt(file: string, buffer: Buffer, position: number): Promise<number> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return 0;
  try {
    return (await handle.read({ buffer, position })).bytesRead;
  } finally {
    await handle.close();
  }
}

function failure(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-CHARACTERISE-USE-CASE', {
    doing: 'make traffic inside of the service',
    reason,
    hint: 'It runs as a process on the machine of its site, which has to be this one. Read its output: `superfluidity service logs NAME load-generator`.',
  });
}
