import { append } from '@superfluidity/core';
import type { Block, Requirements, Service } from './block.ts';

/** A block where it stands in its service. */
export interface Visit {
  /** Names from below the service on, joined by '/'. Empty for the service itself. */
  readonly path: string;
  readonly block: Block;
  /** From the service down to the block's parent. */
  readonly ancestors: readonly Block[];
}

/** Every block under `root` and `root` itself, parents before children, in the order in which they are written. */
export function* walk(root: Block): Generator<Visit> {
  const pending: Visit[] = [{ path: '', block: root, ancestors: [] }];
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    yield visit;
    const { path, block } = visit;
    const ancestors = [...visit.ancestors, block];
    for (let i = block.children.length - 1; i >= 0; i -= 1) {
      const child = block.children[i]!;
      pending.push({ path: path === '' ? child.name : `${path}/${child.name}`, block: child, ancestors });
    }
  }
}

/** The block at a path such as `radio/bbu`. The empty path is the root. */
export function findBlock(root: Block, path: string): Block | undefined {
  let block: Block | undefined = root;
  if (path === '') return block;
  for (const name of path.split('/')) {
    block = block.children.find((child) => child.name === name);
    if (block === undefined) return undefined;
  }
  return block;
}

/** A unit with everything that is known of it from above. */
export interface UnitInService {
  readonly path: string;
  readonly unit: Block;
  /** Path of the unit in which it is nested, where the descriptor says so by containment. */
  readonly inside?: string;
  /** Its own requirements and those it inherits. */
  readonly requirements: Requirements;
}

/** All units of a service, nested ones too, in the order in which they are written. */
export function unitsOf(service: Service): readonly UnitInService[] {
  const units: UnitInService[] = [];
  for (const { path, block, ancestors } of walk(service.block)) {
    if (block.kind !== 'unit') continue;
    const inside = ancestors.at(-1)?.kind === 'unit' ? { inside: path.slice(0, path.lastIndexOf('/')) } : {};
    units.push({ path, unit: block, ...inside, requirements: inheritRequirements([...ancestors, block]) });
  }
  return units;
}

/** The units that a person means: the unit at this path, or all units directly in the function of this name. */
export function resolveUnits(service: Service, reference: string): readonly UnitInService[] {
  return unitsOf(service).filter(
    ({ path }) => path === reference || path.slice(0, path.lastIndexOf('/')) === reference,
  );
}

/** Splits `radio/bbu.eth0` into the path of the unit and the name of its port. */
export function splitPortReference(reference: string): { readonly path: string; readonly port?: string } {
  const dot = reference.indexOf('.');
  return dot === -1 ? { path: reference } : { path: reference.slice(0, dot), port: reference.slice(dot + 1) };
}

/**
 * What the last block of the line asks for, after inheritance. Resources are not inherited from a unit: what an
 * enclosing unit asks for is the budget of those inside it, not a request of each.
 */
export function inheritRequirements(line: readonly Block[]): Requirements {
  const own = line.at(-1);
  return line.reduce<Requirements>((inherited, block) => {
    if (block.kind !== 'unit' || block === own) return { ...inherited, ...block.requirements };
    const {
      cpu: _cpu,
      memoryMiB: _memory,
      storageMiB: _storage,
      accelerators: _accelerators,
      ...rest
    } = block.requirements;
    const { cpu: _c, memoryMiB: _m, storageMiB: _s, accelerators: _a, ...before } = inherited;
    return { ...before, ...rest };
  }, {});
}

/** Freezes a plain value all the way down, and returns it. */
export function deepFreeze<T>(value: T): T {
  const pending: unknown[] = [value];
  while (pending.length > 0) {
    const item = pending.pop();
    if (item === null || typeof item !== 'object' || Object.isFrozen(item)) continue;
    Object.freeze(item);
    append(pending, Object.values(item));
  }
  return value;
}
