import { parentPort } from 'node:worker_threads';
import { systemClock } from '@superfluidity/core';
import highsModule from 'highs';
import type { RawAnswer, RawQuestion } from './solve.ts';

/** The thread in which HiGHS runs: its main thread would stand still until there is an answer. */
// Its types are those of the CommonJS form; what is loaded is the module itself.
const loadHighs = highsModule as unknown as typeof highsModule.default;
const highs = await loadHighs();
parentPort!.on('message', (question: RawQuestion) => {
  parentPort!.postMessage(answerOf(question));
});

function answerOf({ programme, timeLimitMs, endsAt, relativeGap = 1e-9, solutionsMax }: RawQuestion): RawAnswer {
  const { modelStatus, solutionStatus } = highs.constants;
  try {
    return highs.withModel({ format: 'lp', data: programme }, (model): RawAnswer => {
      model.options.set({
        // HiGHS may have been loaded, and the programme read, since it was asked; and the clock may have been set.
        time_limit: Math.max(0, Math.min(timeLimitMs, endsAt - systemClock.now())) / 1_000,
        ...(solutionsMax === undefined ? {} : { mip_max_improving_sols: solutionsMax }),
        mip_rel_gap: relativeGap,
        mip_abs_gap: 1e-9,
        mip_feasibility_tolerance: 1e-7,
        output_flag: false,
      });
      const names = Array.from({ length: model.getDimensions().numCols }, (_, i) => model.getColName(i));
      const status = model.run().modelStatus;
      if (status === modelStatus.infeasible) return { status: 'infeasible' };
      const optimal = status === modelStatus.optimal;
      if (!optimal && status !== modelStatus.timeLimit && status !== modelStatus.solutionLimit)
        return { status: 'failed', reason: `status ${status}` };
      if (model.info.get('primal_solution_status') !== solutionStatus.feasible) {
        return { status: 'limit', reason: 'it found no solution within the time limit' };
      }
      const objective = model.getObjectiveValue();
      // A programme without whole numbers has no bound of its own: its optimum is proven by its dual.
      const bound = Number(model.info.get('mip_dual_bound'));
      const { colValue } = model.getSolution();
      return {
        status: optimal ? 'optimal' : 'limit',
        solution: {
          objective,
          bound: Number.isFinite(bound) ? Math.min(bound, objective) : optimal ? objective : Number.NEGATIVE_INFINITY,
          values: names.map((name, i) => [name, colValue[i]!]),
        },
      };
    });
  } catch (error) {
    return { status: 'failed', reason: String(error) };
  }
}
