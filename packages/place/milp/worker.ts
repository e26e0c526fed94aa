import { parentPort } from 'node:worker_threads';
import highsModule from 'highs';
import type { MilpQuestion } from './solve.ts';

/** The thread in which HiGHS runs: its main thread would stand still until there is an answer. */
// Its types are those of the CommonJS form; what is loaded is the module itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;
const highs = await loadHighs();
parentPort!.on('message', ({ programme, timeLimitMs }: MilpQuestion) => {
  try {
    const answer = highs.solve(programme, {
      time_limit: timeLimitMs / 1_000,
      mip_rel_gap: 1e-9,
      mip_abs_gap: 1e-9,
      output_flag: false,
    });
    const values = Object.entries(answer.Columns).map(([name, column]) => [name, Number(column.Primal ?? 0)]);
    parentPort!.postMessage({ status: answer.Status, objective: answer.ObjectiveValue, values });
  } catch (error) {
    parentPort!.postMessage({ status: String(error), objective: Number.NaN, values: [] });
  }
});
