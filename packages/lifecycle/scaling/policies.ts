import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { type Autoscale, type Service, unitsOf, withDocument } from '@superfluidity/model';
import { Decider } from '@superfluidity/scale';
import '../errors.ts';

/** A policy of a unit, with everything in it that it is about. */
export interface UnitPolicy {
  readonly unit: string;
  readonly policy: Autoscale;
}

/** What a descriptor says of scaling, with its files read, and tried. Rejects with SF-LIFECYCLE-SCALING-POLICY. */
export async function policiesOf(
  service: Service,
  baseFolder: string | undefined,
  bytesMax: number,
): Promise<readonly UnitPolicy[]> {
  const found: UnitPolicy[] = [];
  for (const { path, unit } of unitsOf(service)) {
    if (unit.autoscale === undefined) continue;
    const policy = await withFile(unit.autoscale, path, baseFolder, bytesMax);
    deciderOf(policy, unit.scale ?? { min: 1, max: 1 }, path);
    found.push({ unit: path, policy });
  }
  return found;
}

/** Rejects with SF-LIFECYCLE-SCALING-POLICY what cannot decide. */
export function deciderOf(
  policy: Autoscale,
  scale: { readonly min: number; readonly max: number },
  unit: string,
): Decider {
  try {
    return new Decider(policy, scale);
  } catch (cause) {
    if (!isSuperfluidityError(cause)) throw cause;
    throw unusable(unit, cause.details.reason ?? cause.message, cause);
  }
}

async function withFile(
  policy: Autoscale,
  unit: string,
  baseFolder: string | undefined,
  bytesMax: number,
): Promise<Autoscale> {
  if (!('file' in policy) || policy.file === undefined) return policy;
  const { file } = policy;
  if (baseFolder === undefined) throw unusable(unit, `${file} is not here: put what is in it into the descriptor`);
  let value: unknown;
  try {
    const [folder, path] = [await realpath(baseFolder), await realpath(join(baseFolder, file))];
    if (!path.startsWith(folder + sep)) throw new Error('it lies outside of the folder of the descriptor');
    const { size } = await stat(path);
    if (size > bytesMax) throw new Error(`it has ${size} bytes, at most ${bytesMax} are read`);
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw unusable(unit, `${file}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  return withDocument(policy, value);
}

export function unusable(unit: string, reason: string, cause?: unknown): SuperfluidityError {
  return new SuperfluidityError('SF-LIFECYCLE-SCALING-POLICY', { doing: `read the policy of ${unit}`, reason, cause });
}

/** For people: a table of a million states is told by its model, trees by what they were learned from. */
export function policyView(policy: Autoscale): Record<string, unknown> {
  if (policy.kind === 'mdp') {
    const { table, ...rest } = policy;
    return { ...rest, problem: rest.problem ?? (table as { problem?: unknown } | undefined)?.problem };
  }
  if (policy.kind !== 'learned') return { ...policy };
  const { model = {}, ...rest } = policy;
  const { quality, quantile, perPod, fixed, rows } = model;
  return { ...rest, model: { quality, quantile, perPod, fixed, rows } };
}
