import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { readDescriptor, writeDescriptor } from '@superfluidity/dialects';
import { walk } from '@superfluidity/model';
import { describeMachine } from '../machine.ts';
import { clickText } from './configurations.ts';
import { vnfdText } from './descriptors.ts';

const usage = `Usage: npm run bench -- dialects [options]

  --count N    descriptors (default 1000)
  --threads N  that share them (default 2)
  --click N    lines of a Click configuration (default 50000)
  --json       print one JSON object
`;

const GOAL_MS = 5_000;
const CLICK_GOAL_MS = 2_000;
const CLICK_RUNS = 5;

/**
 * `npm run bench -- dialects`: descriptors of SOL006 with 500 lines, read, checked and written by worker threads; and a Click
 * configuration of 50,000 lines, read in one.
 */
export async function benchDialects(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '1000' },
      threads: { type: 'string', default: '2' },
      click: { type: 'string', default: '50000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const [count, threads] = [Number(values.count), Number(values.threads)];
  const machine = describeMachine();
  const share = Math.ceil(count / threads);
  const workers = Array.from({ length: threads }, (_, i) => {
    const from = i * share;
    return new Worker(new URL('worker.ts', import.meta.url), {
      workerData: { from, count: Math.min(share, count - from) },
    });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const [before, cpu] = [performance.now(), process.cpuUsage()];
  const results = await Promise.all(
    workers.map(async (worker) => {
      worker.postMessage('go');
      const [result] = (await once(worker, 'message')) as [{ readonly lines: number; readonly problems: number }];
      return result;
    }),
  );
  const wallMs = Math.round(performance.now() - before);
  const { user, system } = process.cpuUsage(cpu);
  const outcome = {
    what: 'SOL006 descriptors read, checked and written',
    count,
    threads,
    linesEach: vnfdText(0).split('\n').length - 1,
    linesWritten: results.reduce((sum, { lines }) => sum + lines, 0),
    wallMs,
    cpuMs: Math.round((user + system) / 1000),
    goalMs: GOAL_MS,
    click: benchClick(Number(values.click)),
    machine,
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(outcome, undefined, 1)}\n`);
    return;
  }
  process.stdout.write(
    `${count} ${outcome.what} (${outcome.linesEach} lines each), ${threads} threads: ${wallMs} ms, ${outcome.cpuMs} ms of CPU; goal ${GOAL_MS} ms\n`,
  );
  const { lines, elements, readMs, writeMs } = outcome.click;
  process.stdout.write(
    `Click configuration of ${lines} lines (${elements} elements), median of ${CLICK_RUNS}: read in ${readMs} ms, written in ${writeMs} ms; goal ${CLICK_GOAL_MS} ms for reading\n`,
  );
}

function benchClick(lines: number) {
  const files = [{ path: 'switch.click', bytes: new TextEncoder().encode(clickText(lines)) }];
  const runs = Array.from({ length: CLICK_RUNS }, () => {
    const start = performance.now();
    const { service, problems } = readDescriptor(files);
    const read = performance.now();
    if (service === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
    const { losses } = writeDescriptor(service, 'click');
    if (losses.length > 0) throw new Error('the configuration did not come back whole');
    return { service, readMs: read - start, writeMs: performance.now() - read };
  });
  const median = (of: (run: (typeof runs)[number]) => number) =>
    Math.round(runs.map(of).toSorted((a, b) => a - b)[CLICK_RUNS >> 1]!);
  return {
    lines,
    elements: [...walk(runs[0]!.service.block)].filter(({ block }) => block.kind === 'element').length,
    readMs: median(({ readMs }) => readMs),
    writeMs: median(({ writeMs }) => writeMs),
    goalMs: CLICK_GOAL_MS,
  };
}
