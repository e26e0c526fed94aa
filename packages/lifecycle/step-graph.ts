import { invariant } from '@superfluidity/core';
import type { Action, PlannedStep, PlannedUnit } from './actions.ts';

/** Collects steps in an order in which each follows those that it depends on. */
export class StepGraph {
  readonly #steps: PlannedStep[] = [];
  readonly #ids = new Set<string>();
  /** `create video/server#0` -> id of the step that does it, alone or in a batch. */
  readonly #byUnit = new Map<string, string>();

  get steps(): readonly PlannedStep[] {
    return this.#steps;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string, title: string, dependsOn: readonly string[], action: Action): void {
    invariant(!this.#ids.has(id), `step ${id} is planned twice`);
    const unknown = dependsOn.find((other) => !this.#ids.has(other));
    invariant(unknown === undefined, `step ${id} depends on ${unknown}, which is not planned before it`);
    this.#ids.add(id);
    this.#steps.push({ id, title, dependsOn: [...new Set(dependsOn)], action });
  }

  addOnce(id: string, title: string, dependsOn: readonly string[], action: Action): void {
    if (!this.has(id)) this.add(id, title, dependsOn, action);
  }

  addUnits(
    what: 'create' | 'remove',
    units: readonly PlannedUnit[],
    dependsOn: readonly string[],
    where: string,
    action: Action,
  ): void {
    const names = units.map((unit) => `${unit.spec.path}#${unit.spec.index}`);
    const single = units.length === 1;
    const id = single ? `${what}:${names[0]}` : `${what}:${names[0]}+${units.length - 1}@${units[0]!.site}`;
    const title = single
      ? `${what} ${units[0]!.spec.execution.environment} ${names[0]} ${where}`
      : `${what} ${units.length} units ${where}`;
    this.add(id, title, dependsOn, action);
    for (const name of names) this.#byUnit.set(`${what} ${name}`, id);
  }

  /** One step that creates some units and removes others, both by name. */
  addStack(
    id: string,
    title: string,
    dependsOn: readonly string[],
    action: Action,
    units: { readonly created: readonly string[]; readonly removed: readonly string[] },
  ): void {
    this.add(id, title, dependsOn, action);
    for (const name of units.created) this.#byUnit.set(`create ${name}`, id);
    for (const name of units.removed) this.#byUnit.set(`remove ${name}`, id);
  }

  /** The steps that create or remove these units, where there are any. */
  stepsOf(what: 'create' | 'remove', units: readonly string[]): readonly string[] {
    const found = units.flatMap((unit) => this.#byUnit.get(`${what} ${unit}`) ?? []);
    return [...new Set(found)];
  }
}
