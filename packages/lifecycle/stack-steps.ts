import { largest, smallest } from '@superfluidity/core';
import type { NetworkSpec } from '@superfluidity/fabric';
import { splitPortReference } from '@superfluidity/model';
import { type PlannedStack, type PlannedUnit, type StackedUnit, unitsAt } from './actions.ts';
import type { StepGraph } from './step-graph.ts';
import type { Transition } from './transition.ts';

export interface StackedChange {
  readonly kept: readonly PlannedUnit[];
  readonly gone: readonly PlannedUnit[];
  readonly created: readonly PlannedUnit[];
  /** Paths of the units that one of the path waits for. */
  readonly before: (path: string) => readonly string[];
  /** As they are from now on, of these units at the site. */
  readonly networks: (site: string, units: readonly PlannedUnit[]) => readonly NetworkSpec[];
  /** Names of networks that are made anew. */
  readonly changed: ReadonlySet<string>;
}

/**
 * The steps of sites whose orchestrator makes the part of the service as a stack: one that makes what is new, or one that
 * takes out what goes, or one that does both in place where nothing else has to happen in between.
 */
export class StackSteps {
  readonly #graph: StepGraph;
  readonly #request: Transition;
  readonly #change: StackedChange;
  /** What each site has after the steps that are planned. */
  readonly #now = new Map<string, PlannedStack | undefined>();

  constructor(graph: StepGraph, request: Transition, change: StackedChange) {
    this.#graph = graph;
    this.#request = request;
    this.#change = change;
  }

  /** A service is at a site as it was made there; what is new there is made as was asked for. */
  has(site: string): boolean {
    const { units, networks, stacks } = this.#request.current;
    const isThere = units.some((unit) => unit.site === site) || networks.some((network) => network.site === site);
    return isThere ? stacks.includes(site) : this.#request.stacks?.has(site) === true;
  }

  /**
   * Groups of one site and one level, so that all units of a stack are made in one step where other sites allow it: after
   * those that they wait for, and before those that wait for them. Where both is the case, one step for each level.
   */
  inOrder(
    groups: readonly (readonly PlannedUnit[])[],
    levelOf: (path: string) => number,
  ): readonly (readonly PlannedUnit[])[] {
    const created = this.#change.created;
    const perSite = Map.groupBy(groups, (group) => group[0]!.site);
    const placed: { readonly group: readonly PlannedUnit[]; readonly level: number }[] = [];
    for (const [site, own] of perSite) {
      const units = own.flat();
      const levels = own.map((group) => levelOf(group[0]!.spec.path));
      const here = new Set(units.map(({ spec }) => spec.path));
      const elsewhere = created.filter((unit) => unit.site !== site);
      const away = new Set(elsewhere.map(({ spec }) => spec.path));
      const waits = units.some(({ spec }) => this.#change.before(spec.path).some((path) => away.has(path)));
      const isWaitedFor = elsewhere.some(({ spec }) => this.#change.before(spec.path).some((path) => here.has(path)));
      if (!this.has(site) || (waits && isWaitedFor)) {
        own.forEach((group, at) => placed.push({ group, level: levels[at]! }));
      } else placed.push({ group: units, level: waits ? largest(levels) : smallest(levels) });
    }
    return placed.toSorted((a, b) => a.level - b.level).map(({ group }) => group);
  }

  grow(site: string, created: readonly PlannedUnit[], dependsOn: readonly string[], order: Transition['order']): void {
    const gone = this.#goneAt(site);
    const before = this.#at(site);
    const inPlace = order === 'make-before-break' && gone.length > 0 && this.#isQuiet(site, gone);
    const leaves = new Set((inPlace ? gone : []).map(({ spec }) => spec.id));
    const units = [...(before?.units ?? []).filter(({ spec }) => !leaves.has(spec.id)), ...created];
    this.#set(site, units, dependsOn, { created, removed: inPlace ? gone : [] });
  }

  /** Nothing is left to do where it was done in place. */
  trim(site: string, dependsOn: readonly string[], order: Transition['order']): void {
    const there = new Set((this.#at(site)?.units ?? []).map(({ spec }) => spec.id));
    const gone = this.#goneAt(site).filter(({ spec }) => there.has(spec.id));
    if (gone.length === 0) return;
    const leaves = new Set(gone.map(({ spec }) => spec.id));
    const units = this.#at(site)!.units.filter(({ spec }) => !leaves.has(spec.id));
    this.#set(site, units, dependsOn, { created: [], removed: gone }, order === 'break-before-make');
  }

  /** Those that a failed operation left without a unit. */
  drop(): void {
    const { current, target } = this.#request;
    for (const site of current.stacks) {
      const isEmpty = !current.units.some((unit) => unit.site === site) && !target.some((unit) => unit.site === site);
      const isLeft = target.length === 0 || current.networks.some((network) => network.site === site);
      if (isEmpty && isLeft && !this.#now.has(site)) this.#set(site, [], [], { created: [], removed: [] });
    }
  }

  #set(
    site: string,
    units: readonly PlannedUnit[],
    dependsOn: readonly string[],
    { created, removed }: { readonly created: readonly PlannedUnit[]; readonly removed: readonly PlannedUnit[] },
    isFirst = false,
  ): void {
    const previous = this.#at(site);
    const stack = this.#stack(site, units, isFirst);
    const done = this.#now.has(site) ? this.#lastStep(site) : [];
    this.#now.set(site, stack);
    const count = this.#steps(site);
    const id = count === 0 ? `stack@${site}` : `stack-${count + 1}@${site}`;
    const name = this.#request.name;
    const title =
      stack === undefined
        ? `delete stack ${name} at ${site}`
        : `${previous === undefined ? 'create' : 'update'} stack ${name} at ${site}: ${told(stack, created, removed)}`;
    const names = (list: readonly PlannedUnit[]) => list.map(({ spec }) => `${spec.path}#${spec.index}`);
    this.#graph.addStack(
      id,
      title,
      [...dependsOn, ...done],
      { verb: 'set-stack', site, stack, previous },
      {
        created: names(created),
        removed: names(removed),
      },
    );
  }

  #steps(site: string): number {
    return this.#graph.steps.filter(({ action }) => action.verb === 'set-stack' && action.site === site).length;
  }

  #lastStep(site: string): readonly string[] {
    const last = this.#graph.steps.findLast(({ action }) => action.verb === 'set-stack' && action.site === site);
    return last === undefined ? [] : [last.id];
  }

  #at(site: string): PlannedStack | undefined {
    if (this.#now.has(site)) return this.#now.get(site);
    const units = this.#request.current.units.filter((unit) => unit.site === site);
    const specs = this.#request.current.networks.flatMap((one) => (one.site === site && one.spec ? [one.spec] : []));
    if (units.length === 0 && !this.#request.current.stacks.includes(site)) return undefined;
    const known = specs.length === 0 ? this.#change.networks(site, units) : specs;
    return { ...this.#head(site), networks: sorted(known), units: this.#ordered(units) };
  }

  #stack(site: string, units: readonly PlannedUnit[], isFirst: boolean): PlannedStack | undefined {
    const { kept, created, changed, networks } = this.#change;
    const end = [...kept, ...created].filter((unit) => unit.site === site);
    if (units.length === 0 && end.length === 0) return undefined;
    const wanted = networks(site, [...units, ...end]);
    // Between the old and the new form of a network there is none.
    const specs = isFirst ? wanted.filter(({ name }) => !changed.has(name)) : wanted;
    if (units.length === 0 && specs.length === 0) return undefined;
    return { ...this.#head(site), networks: sorted(specs), units: this.#ordered(units) };
  }

  #head(site: string) {
    const { name, stackRollback, current } = this.#request;
    const adopted = current.adopted?.[site];
    return {
      id: `${name}@${site}`,
      service: name,
      ...(stackRollback === true ? { rollback: true } : {}),
      ...(adopted === undefined ? {} : { adopted }),
    };
  }

  #ordered(units: readonly PlannedUnit[]): readonly StackedUnit[] {
    return units.map((unit) => {
      const before = new Set(this.#change.before(unit.spec.path));
      return { ...unit, after: units.filter(({ spec }) => before.has(spec.path)).map(({ spec }) => spec.id) };
    });
  }

  #goneAt(site: string): readonly PlannedUnit[] {
    return this.#change.gone.filter((unit) => unit.site === site);
  }

  /** Whether nothing has to be sent elsewhere before these units go. */
  #isQuiet(site: string, gone: readonly PlannedUnit[]): boolean {
    const { service, previous, current } = this.#request;
    const paths = new Set(gone.map(({ spec }) => spec.path));
    const ids = new Set(gone.map(({ spec }) => spec.id));
    const inChain = [...current.chains, ...current.leftovers].some(({ hops }) =>
      hops.some((hop) => unitsAt(hop).some((id) => ids.has(id))),
    );
    const ends = [...service.chains, ...(previous?.chains ?? [])].some((chain) =>
      [chain.from, ...chain.through, chain.to].some((hop) => paths.has(splitPortReference(hop).path)),
    );
    const balanced = [...service.balancers, ...(previous?.balancers ?? [])].some(({ unit }) => paths.has(unit));
    const moves = this.#change.created.some((unit) => unit.site !== site && paths.has(unit.spec.path));
    return !inChain && !ends && !balanced && !moves;
  }
}

const sorted = (networks: readonly NetworkSpec[]) => networks.toSorted((a, b) => (a.name < b.name ? -1 : 1));

function told(stack: PlannedStack, created: readonly PlannedUnit[], removed: readonly PlannedUnit[]): string {
  const changes = [
    ...(created.length === 0 ? [] : [`${created.length} more`]),
    ...(removed.length === 0 ? [] : [`${removed.length} less`]),
  ];
  const size = `${stack.networks.length} networks, ${stack.units.length} units`;
  return created.length === stack.units.length ? size : `${size} (${changes.join(', ')})`;
}
