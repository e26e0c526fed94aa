import { listShapes, pageOf, type PolicyGrid, type ScalingDecision, type UnitScaling } from '@superfluidity/api';
import type { Handlers, Input } from './handlers.ts';
import { tell, type World } from './world.ts';

const EVERY_MS = 15_000;
const DECISIONS = 300;
const MAX = 8;

/** As a Markov model with eight queues of three tasks has it: rows and columns like those of the server. */
const grid: PolicyGrid = {
  vms: Array.from({ length: MAX + 1 }, (_, vms) => vms),
  tasks: Array.from({ length: 3 * MAX + 1 }, (_, tasks) => tasks),
  actions: Array.from({ length: MAX + 1 }, (_row, vms) =>
    Array.from({ length: 3 * MAX + 1 }, (_column, tasks) => {
      if (tasks > 3 * vms) return 'impossible';
      if (vms < MAX && tasks >= 1.5 * vms) return 'build';
      if (tasks === 3 * vms) return 'reject';
      return vms > 1 && tasks > 0 && tasks <= vms * 0.5 ? 'destroy' : 'accept';
    }),
  ),
};

/** A day in little: the load of the one unit comes in waves, that of the other stays. */
export function makeScaling(world: World): void {
  const begin = Date.now() - DECISIONS * EVERY_MS;
  let [instances, changed] = [2, 0];
  for (let i = 0; i < DECISIONS; i += 1) {
    const at = begin + i * EVERY_MS;
    const rate = Math.max(4, 60 + 50 * Math.sin(i / 24) + 9 * Math.sin(i * 12.9898));
    const tasks = rate * 0.11;
    const wanted = Math.max(1, Math.min(MAX, Math.ceil(tasks / 1.6)));
    const cooling = i - changed < 4;
    const to = wanted === instances || cooling ? instances : instances + Math.sign(wanted - instances);
    const seen = `with ${Math.round(tasks)} tasks on ${instances} VMs the policy ${wanted > instances ? 'builds' : wanted < instances ? 'destroys what is left empty' : 'keeps what there is'}`;
    const silent = i > 118 && i < 122;
    world.decisions.push({
      id: world.decisions.length + 1,
      at,
      service: 'mobile-edge',
      unit: 'video/server',
      kind: 'mdp',
      outcome: silent ? 'no-data' : to === instances ? 'kept' : 'scaling',
      from: instances,
      to: silent ? instances : to,
      ...(silent ? {} : { recommended: wanted }),
      reasons: silent
        ? ['no request was reported in the last 30 s']
        : [
            seen,
            ...(cooling && wanted !== instances
              ? [`the last change was ${(i - changed) * 15} s ago, and 60 s are to pass between two`]
              : []),
          ],
      metrics: silent
        ? {}
        : { rate, tasks, latencyMs: 80 + 6 * tasks, latencyP95Ms: 130 + 14 * tasks, failures: 0, megabits: rate * 0.4 },
      executor: 'srv-mock',
      ...(to === instances || silent ? {} : { operation: 'op-0mk000001' }),
    });
    if (to !== instances && !silent) {
      instances = to;
      changed = i;
    }
    if (i % 4 === 0) {
      world.decisions.push({
        id: world.decisions.length + 1,
        at,
        service: 'mobile-edge',
        unit: 'firewall/firewall',
        kind: 'hpa',
        outcome: i % 24 === 0 ? 'recommended' : 'kept',
        from: 1,
        to: i % 24 === 0 ? 2 : 1,
        recommended: i % 24 === 0 ? 2 : 1,
        reasons: [`rate is ${rate.toFixed(1)} in all, ${rate.toFixed(1)} of each, its target 100`],
        metrics: { rate, tasks },
        executor: 'srv-mock',
      });
    }
  }
  const last = (unit: string) => world.decisions.findLast((one) => one.unit === unit)!;
  const base = { state: 'active', origin: 'descriptor', changedAt: begin } as const;
  world.scaling.set('mobile-edge', [
    {
      ...base,
      unit: 'video/server',
      policy: {
        kind: 'mdp',
        cooldownS: 60,
        problem: {
          queues: MAX,
          buffer: 3,
          arrivalRate: 6.5,
          serviceRate: 1,
          rejectFine: 30,
          keepAliveCost: 1,
          buildCost: 2,
          delayCost: 2,
        },
      },
      min: 1,
      max: MAX,
      instances,
      running: instances,
      grid,
      last: last('video/server'),
    },
    {
      ...base,
      unit: 'firewall/firewall',
      policy: { kind: 'hpa', metric: 'rate', target: 100, recommendOnly: true, everyS: 60 },
      min: 1,
      max: 4,
      instances: 1,
      running: 1,
      last: last('firewall/firewall'),
    },
  ]);
}

type Names = 'listScaling' | 'setScaling' | 'stopScaling' | 'listScalingDecisions';

export function scalingHandlers(
  world: World,
  service: (name: string | undefined) => { readonly name: string },
  refuse: (reason: string) => Error,
): Pick<Handlers, Names> {
  const change = ({ params }: Input, unit: string, what: Partial<UnitScaling>): UnitScaling => {
    const { name } = service(params['name']);
    const list = world.scaling.get(name) ?? [];
    const fresh: UnitScaling = {
      unit,
      state: 'active',
      origin: 'user',
      policy: {},
      min: 1,
      max: MAX,
      instances: 1,
      running: 1,
      ...list.find((one) => one.unit === unit),
      ...what,
      changedAt: Date.now(),
    };
    world.scaling.set(name, [...list.filter((one) => one.unit !== unit), fresh]);
    const message = `${name}: ${unit} scales by itself ${fresh.state === 'active' ? 'from now on' : 'no more'}`;
    tell(world, { kind: 'scaling', subject: unit, service: name, severity: 'info', message, body: {} });
    return fresh;
  };
  return {
    listScaling: ({ params }) => world.scaling.get(service(params['name']).name) ?? [],
    setScaling: (input) =>
      change(input, input.body['unit']!, { policy: input.body['policy']!, state: 'active', origin: 'user' }),
    stopScaling: (input) => {
      const unit: string = input.query['unit']!;
      if (!(world.scaling.get(service(input.params['name']).name) ?? []).some((one) => one.unit === unit))
        throw refuse('it has no policy');
      return change(input, unit, { state: 'stopped' });
    },
    listScalingDecisions: ({ query }) =>
      pageOf<ScalingDecision>(world.decisions, query as never, listShapes.scalingDecisions),
  };
}
