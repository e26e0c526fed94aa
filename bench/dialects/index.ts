import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { describeMachine } from '../machine.ts';
import { vnfdText } from './descriptors.ts';

const usage = `Usage: npm run bench -- dialects [options]

  --count N    descriptors (default 1000)
  --threads N  that share them (default 2)
  --json       print one JSON object
`;

const GOAL_MS = 5_000;

/** `npm run bench -- dialects`: descriptors of SOL006 with 500 lines, read, checked and written by worker threads. */
export async function benchDialects(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      count: { type: 'string', default: '1000' },
      threads: { type: 'string', default: '2' },
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
    machine,
  };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(outcome, undefined, 1)}\n`);
    return;
  }
  process.stdout.write(
    `${count} ${outcome.what} (${outcome.linesEach} lines each), ${threads} threads: ${wallMs} ms, ${outcome.cpuMs} ms of CPU; goal ${GOAL_MS} ms\n`,
  );
}
