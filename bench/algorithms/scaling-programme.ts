import type { ScalingProblem } from '@superfluidity/scale';

/**
 * The scaling model of alike VMs as a linear programme, in the LP format: the greatest gain for which values w of the states exist so
 * that in none of them any choice costs less than that in the long run. Written from the definition of the model, with none of
 * the solver's code: its optimum is the least cost for each unit of time. A state is how many tasks each VM has, ascending,
 * -1 being off. Without deployment time and discount.
 */
export function scalingProgramme(problem: ScalingProblem): string {
  const { queues, buffer, arrivalRate, serviceRate, rejectFine, reward = 0, buildCost = 0, destroyCost = 0 } = problem;
  const { keepAliveCost, delayCost = 0, delayWeights } = problem;
  const weight = (tasks: number) => delayWeights?.[tasks - 1] ?? tasks;
  const states = multisets(queues, buffer);
  const nameOf = new Map(states.map((state, i) => [state.join(' '), `w${i}`]));
  const after = (state: readonly number[], vm: number, tasks: number) =>
    nameOf.get(
      state
        .with(vm, tasks)
        .toSorted((a, b) => a - b)
        .join(' '),
    )!;
  const rows: string[] = [];
  const free = ['gain', ...nameOf.values()];
  states.forEach((state, s) => {
    let rate = 0;
    const events: string[] = [];
    /** What happens costs the least of the choices: the variable is at most each of them. */
    const event = (at: number, choices: readonly (readonly [target: string, cost: number])[]) => {
      const name = `c${s}_${events.length}`;
      free.push(name);
      events.push(`- ${at} ${name}`);
      for (const [target, cost] of choices) {
        // To stay where one is changes no value.
        const values = target === `w${s}` ? '' : ` - ${target} + w${s}`;
        rows.push(`${name}${values} <= ${cost}`);
      }
    };
    const arrivals: (readonly [string, number])[] = [[`w${s}`, rejectFine]];
    state.forEach((tasks, vm) => {
      if (tasks < 0) arrivals.push([after(state, vm, 1), buildCost - reward]);
      else if (tasks < buffer) arrivals.push([after(state, vm, tasks + 1), -reward]);
    });
    event(arrivalRate, arrivals);
    state.forEach((tasks, vm) => {
      if (tasks < 0) return;
      rate += keepAliveCost + (tasks > 0 ? delayCost * weight(tasks) : 0);
      if (tasks === 0) return;
      const kept = [after(state, vm, tasks - 1), 0] as const;
      event(serviceRate, tasks > 1 ? [kept] : [kept, [after(state, vm, -1), destroyCost]]);
    });
    rows.push(`gain ${events.join(' ')} <= ${rate}`);
  });
  return [
    'Maximize',
    'obj: gain',
    'Subject To',
    ...rows.map((row, i) => `r${i}: ${row}`),
    ' w0 = 0',
    'Bounds',
    ...free.map((name) => `${name} free`),
    'End',
  ].join('\n');
}

/** All ascending lists of that length, from -1 up to `most`. */
function multisets(length: number, most: number, least = -1): readonly number[][] {
  if (length === 0) return [[]];
  const lists: number[][] = [];
  for (let first = least; first <= most; first += 1) {
    for (const rest of multisets(length - 1, most, first)) lists.push([first, ...rest]);
  }
  return lists;
}
