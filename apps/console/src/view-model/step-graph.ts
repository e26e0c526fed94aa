import { largest, smallest } from '@superfluidity/core';
import type { Step, StepState } from '@superfluidity/api';

/** The graph of an operation as it is drawn: one node per step, or per kind of step in a wave where there are too many. */
export interface StepGraph {
  readonly nodes: readonly StepNode[];
  readonly edges: readonly StepEdge[];
  /** Changes only when the layout has to. */
  readonly shape: string;
}

export interface StepNode {
  readonly id: string;
  readonly title: string;
  readonly state: StepState;
  readonly steps: readonly Step[];
  readonly site: string | undefined;
}

export interface StepEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
}

export const STEPS_DRAWN = 60;

export function buildStepGraph(steps: readonly Step[]): StepGraph {
  const known = new Set(steps.map((step) => step.id));
  const depth = depths(steps);
  const collapsed = steps.length > STEPS_DRAWN;
  const groupOf = (step: Step): string =>
    collapsed ? `${depth.get(step.id)!}|${step.verb}|${step.site ?? ''}` : step.id;

  const groups = Map.groupBy(steps, groupOf);
  const nodes = [...groups].map(([id, group]): StepNode => {
    const first = group[0]!;
    return {
      id,
      title: group.length === 1 ? first.title : `${group.length} × ${first.verb}`,
      state: stateOfGroup(group),
      steps: group,
      site: first.site,
    };
  });

  const before = new Map<string, Set<string>>(nodes.map((node) => [node.id, new Set()]));
  const nodeOf = new Map(steps.map((step) => [step.id, groupOf(step)]));
  for (const step of steps) {
    for (const dependency of step.dependsOn) {
      if (!known.has(dependency)) continue;
      const source = nodeOf.get(dependency)!;
      if (source !== nodeOf.get(step.id)) before.get(nodeOf.get(step.id)!)!.add(source);
    }
  }
  const edges = reduced(before).map(([source, target]) => ({ id: `${source}→${target}`, source, target }));
  return { nodes, edges, shape: `${nodes.map((node) => node.id).join(',')};${edges.map((edge) => edge.id).join(',')}` };
}

/** Longest way from a step without predecessors. The graph is acyclic; a step on a cycle would be given depth 0. */
function depths(steps: readonly Step[]): ReadonlyMap<string, number> {
  const byId = new Map(steps.map((step) => [step.id, step]));
  const depth = new Map<string, number>();
  const visit = (id: string): number => {
    const seen = depth.get(id);
    if (seen !== undefined) return seen;
    const step = byId.get(id);
    if (step === undefined) return -1;
    depth.set(id, 0);
    const own = Math.max(-1, ...step.dependsOn.map(visit)) + 1;
    depth.set(id, own);
    return own;
  };
  for (const step of steps) visit(step.id);
  return depth;
}

/** What needs attention wins, then what moves. */
const STATE_ORDER: readonly StepState[] = ['failed', 'undoing', 'running', 'pending', 'undone', 'skipped', 'done'];

export function stateOfGroup(steps: readonly Step[]): StepState {
  const states = new Set(steps.map((step) => step.state));
  if (states.has('pending') && states.has('done') && !states.has('failed') && !states.has('undoing')) return 'running';
  return STATE_ORDER.find((state) => states.has(state)) ?? 'pending';
}

/** Transitive reduction: an edge is left out when its source is reached through another one. */
function reduced(before: ReadonlyMap<string, ReadonlySet<string>>): readonly (readonly [string, string])[] {
  const ancestors = new Map<string, Set<string>>();
  const collect = (id: string): Set<string> => {
    const known = ancestors.get(id);
    if (known !== undefined) return known;
    const own = new Set<string>();
    ancestors.set(id, own);
    for (const source of before.get(id) ?? []) {
      own.add(source);
      for (const ancestor of collect(source)) own.add(ancestor);
    }
    return own;
  };
  return [...before].flatMap(([target, sources]) =>
    [...sources]
      .filter((source) => ![...sources].some((other) => other !== source && collect(other).has(source)))
      .map((source) => [source, target] as const),
  );
}

export interface StepSummary {
  readonly total: number;
  readonly finished: number;
  readonly failed: number;
  readonly running: number;
}

export function summarise(steps: readonly Step[]): StepSummary {
  const count = (...states: StepState[]) => steps.filter((step) => states.includes(step.state)).length;
  return {
    total: steps.length,
    finished: count('done', 'undone', 'skipped'),
    failed: count('failed'),
    running: count('running', 'undoing'),
  };
}

/** How long it took, or has taken so far. */
export function stepDurationMs(steps: readonly Step[], nowMs: number): number | undefined {
  const starts = steps.flatMap((step) => step.startedAt ?? []);
  if (starts.length === 0) return undefined;
  const open = steps.some((step) => step.startedAt !== undefined && step.endedAt === undefined);
  const end = open ? nowMs : largest(steps.map((step) => step.endedAt ?? 0));
  return Math.max(0, end - smallest(starts));
}
