import { z } from 'zod';
import type { Sample } from '../analysis/results.ts';
import { characteriseLimits as limits } from '../errors.ts';
import { type Fail, runProgram } from './program.ts';
import { filled, parametersOf, type UseCaseKind } from './use-case.ts';

const shape = z.strictObject({
  command: z
    .array(z.string().max(4_096))
    .min(1)
    .max(256)
    .describe('Program and arguments, as they are: no shell. {video} is the address of a unit, {vm_ram} a value'),
  time_limit: z.number().gt(0).max(86_400).describe('Seconds'),
  metrics: z.array(z.string().max(128)).max(limits.metrics).exactOptional().describe('That its samples have'),
});

const line = z.object({ atMs: z.number(), metrics: z.record(z.string(), z.number()) });

/**
 * A program that makes the traffic and prints what it measured: a line `{"atMs": 3000, "metrics": {"latency": 0.9}}` for each
 * sample. Configuration and addresses are in its environment as SUPERFLUIDITY_STRESS, in JSON.
 */
export const external: UseCaseKind = (given) => {
  const { command, time_limit: seconds, metrics } = parametersOf('external', shape, given);
  return {
    lengthMs: seconds * 1_000,
    ...(metrics === undefined ? {} : { metrics }),
    async stress(service, signal) {
      const { configuration, addresses, experiment, share } = service;
      const told = JSON.stringify({ configuration, addresses, experiment, ...(share === undefined ? {} : { share }) });
      const program = {
        command: command.map((text) => filled(text, service)) as [string, ...string[]],
        timeLimitMs: seconds * 1_000,
        env: { SUPERFLUIDITY_STRESS: told },
      };
      return runProgram(program, signal, readSamples);
    },
  };
};

async function readSamples(output: AsyncIterable<Buffer>, fail: Fail): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const decoder = new TextDecoder();
  let [bytes, rest] = [0, ''];
  const take = (text: string) => {
    if (text.trim() === '') return;
    samples.push(sampleOf(text, fail));
    if (samples.length > limits.samplesPerExperiment)
      throw fail(`it prints more than ${limits.samplesPerExperiment} samples`);
  };
  for await (const chunk of output) {
    bytes += chunk.length;
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    if (bytes > limits.outputBytes || rest.length > limits.lineBytes) throw fail('it prints too much');
    for (const text of lines) take(text);
  }
  take(rest);
  return samples;
}

function sampleOf(text: string, fail: Fail): Sample {
  try {
    return line.parse(JSON.parse(text));
  } catch {
    throw fail('it prints a line that is not a sample', text.slice(0, 256));
  }
}
