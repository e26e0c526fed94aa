import { setTimeout } from 'node:timers/promises';
import { forgetPeak, peakMiB } from '../memory.ts';
import { timing } from '../statistics.ts';
import { cases } from './cases.ts';
import type { Measured } from './report.ts';
import { measureThreads, THREADS } from './threads.ts';

/**
 * One case in a process of its own, so that it pays for no other's heap: `measure.ts DATA RUNS NAME`. Prints one line of JSON.
 */
const [data = '', runs = '', name = ''] = process.argv.slice(2);
const measured = name === THREADS ? await measureThreads(data, Number(runs)) : await measure();
process.stdout.write(`${JSON.stringify(measured)}\n`);

async function measure(): Promise<Measured> {
  const found = cases(data).find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no case '${name}'`);
  const work = found.prepare();
  const dataMiB = await restedMiB();
  const times: number[] = [];
  let count = 0;
  for (let run = 0; run < Number(runs); run += 1) {
    const began = performance.now();
    count = work();
    times.push(performance.now() - began);
  }
  return {
    ...timing(found.name, times),
    firstMs: Math.round(times[0]! * 100) / 100,
    paths: count,
    counted: found.counted,
    peakMiB: peakMiB(),
    dataMiB,
  };
}

/** In memory before the work. What making the data needed is given back, and its peak forgotten (proc_pid_clear_refs(5)). */
async function restedMiB(): Promise<number> {
  globalThis.gc?.();
  // Other threads give the pages back.
  await setTimeout(500);
  globalThis.gc?.();
  forgetPeak();
  return peakMiB();
}
