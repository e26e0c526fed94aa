import type { Sample } from '../../analysis/results.ts';
import { type Fail, runProgram, wholeText } from '../program.ts';
import type { UnderStress, UseCaseKind, UseCasePlugin } from '../use-case.ts';

/**
 * A traffic generator that others have made: how it is called, and how what it prints is read. What is needed to add one: this,
 * and its name in `use-cases.ts`.
 */
export interface ToolAdapter {
  readonly program: string;
  /** Debian package that brings it. */
  readonly package: string;
  readonly metrics: readonly string[];
  /** Seconds of one run; it gets `GRACE_S` more to begin and to end. */
  readonly seconds: number;
  /** How often it is run in one stress; each run gives its samples. */
  readonly runs: number;
  /** Arguments for a run that takes so many seconds, as they are: no shell sees them. */
  arguments(service: UnderStress, seconds: number): readonly string[];
  /** Times of samples count from the beginning of the run. Throws by `fail` what it does not understand. */
  read(output: string, fail: Fail): readonly Sample[];
}

const GRACE_S = 30;
/** Tools count in whole seconds. */
const SHORTEST_S = 1;

export function toolUseCase(adapterOf: (parameters: Readonly<Record<string, unknown>>) => ToolAdapter): UseCaseKind {
  return (parameters, stopwatch): UseCasePlugin => {
    const adapter = adapterOf(parameters);
    const { program, metrics, seconds, runs } = adapter;
    return {
      metrics,
      lengthMs: seconds * runs * 1_000,
      scalable: true,
      async stress(service, signal, hooks) {
        const length = Math.max(SHORTEST_S, Math.round(seconds * (service.share ?? 1)));
        const startMs = stopwatch.now();
        hooks?.begun(Date.now());
        const samples: Sample[] = [];
        for (let run = 0; run < runs; run += 1) {
          const fromMs = stopwatch.now() - startMs;
          const made = await runProgram(
            {
              command: [program, ...adapter.arguments(service, length)],
              timeLimitMs: (length + GRACE_S) * 1_000,
              hint: `It has to be installed where the traffic is made: \`apt install ${adapter.package}\`.`,
            },
            signal,
            async (output, fail) => adapter.read(await wholeText(output, fail), fail),
          );
          for (const { atMs, metrics: measured } of made) samples.push({ atMs: fromMs + atMs, metrics: measured });
        }
        return samples;
      },
    };
  };
}
