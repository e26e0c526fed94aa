import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PolicyGrid, ScalingDecision, UnitScaling } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import { autoscaleShape, type Autoscale, withDocument } from '@superfluidity/model';
import type { Context } from '../context.ts';
import { type ListOptions, noteMore } from '../list-options.ts';
import { facts, table } from '../print/table.ts';
import { dateTime } from '../print/values.ts';
import { readYamlFile } from '../yaml-file.ts';

export async function show(context: Context, name: string, unit: string | undefined): Promise<void> {
  const all = await (await context.client()).call('listScaling', { params: { name } });
  if (unit === undefined) {
    await context.show(all, () => (all.length === 0 ? `no unit of ${name} scales by itself` : unitTable(all)));
    return;
  }
  const one = all.find((each) => each.unit === unit || each.unit === `${unit}/${unit}`);
  if (one === undefined) {
    throw new SuperfluidityError('SF-CLI-USAGE', {
      doing: `show the scaling of ${unit}`,
      reason: `${name} has no such unit that scales by itself`,
      hint: 'Those that do: `superfluidity service scaling show NAME`.',
    });
  }
  await context.show(one, () => unitText(one));
}

export async function set(
  context: Context,
  name: string,
  unit: string,
  file: string,
  options: { readonly recommendOnly?: boolean },
): Promise<void> {
  const policy = { ...(await readPolicy(file)), ...(options.recommendOnly === true ? { recommendOnly: true } : {}) };
  const client = await context.client();
  const one = await client.call('setScaling', { params: { name }, body: { unit, policy } });
  await context.show(one, () => unitText(one));
}

export async function stop(context: Context, name: string, unit: string): Promise<void> {
  const one = await (await context.client()).call('stopScaling', { params: { name }, query: { unit } });
  await context.show(one, () => `${one.unit} scales by itself no more; there are ${one.instances} of it`);
}

export async function decisions(
  context: Context,
  name: string | undefined,
  options: ListOptions & { readonly unit?: string },
): Promise<void> {
  const query = { ...options, ...(name === undefined ? {} : { service: name }) };
  const page = await (await context.client()).call('listScalingDecisions', { query: query as never });
  await context.show(page.items, () =>
    table(page.items, [
      { title: 'TIME', value: ({ at }) => dateTime(at) },
      { title: 'SERVICE', value: ({ service }) => service },
      { title: 'UNIT', value: (each) => each.unit },
      { title: 'OUTCOME', value: ({ outcome }) => outcome },
      { title: 'INSTANCES', value: change, align: 'right' },
      { title: 'WHY', value: ({ reasons }) => reasons.join('; ') },
    ]),
  );
  noteMore(context, page);
}

const change = ({ from, to }: ScalingDecision) => (from === to ? String(to) : `${from} > ${to}`);

/** What a policy names as a file is put in its place: the server does not have it. */
async function readPolicy(file: string): Promise<Autoscale> {
  const fail = (reason: string) => new SuperfluidityError('SF-CLI-USAGE', { doing: `read ${file}`, reason });
  const parsed = autoscaleShape.safeParse(await readYamlFile(file));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw fail(`${path.join('.')}${path.length === 0 ? '' : ': '}${message}`);
  }
  const policy = parsed.data;
  if (!('file' in policy) || policy.file === undefined) return policy;
  const { file: named } = policy;
  try {
    const value: unknown = JSON.parse(await readFile(join(dirname(file), named), 'utf8'));
    return withDocument(policy, value);
  } catch (cause) {
    throw fail(`${named}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function unitTable(all: readonly UnitScaling[]): string {
  return table(all, [
    { title: 'UNIT', value: ({ unit }) => unit },
    { title: 'STATE', value: ({ state, problem }) => (problem === undefined ? state : 'cannot be used') },
    { title: 'POLICY', value: policyText },
    { title: 'BOUNDS', value: ({ min, max }) => `${min} to ${max}`, align: 'right' },
    { title: 'INSTANCES', value: ({ instances }) => String(instances), align: 'right' },
    { title: 'LAST', value: ({ last }) => (last === undefined ? '' : `${last.outcome}: ${last.reasons.join('; ')}`) },
  ]);
}

function unitText(one: UnitScaling): string {
  const { last, grid } = one;
  return [
    facts([
      ['unit', one.unit],
      ['state', `${one.state}, by the ${one.origin}, since ${dateTime(one.changedAt)}`],
      ['problem', one.problem],
      ['policy', policyText(one)],
      ['bounds', `${one.min} to ${one.max}`],
      ['instances', `${one.instances}, ${one.running} of them run`],
      [
        'last',
        last === undefined ? 'nothing was decided yet' : `${dateTime(last.at)} ${last.outcome} (${change(last)})`,
      ],
      ['why', last?.reasons.join('; ')],
    ]),
    ...(grid === undefined ? [] : [gridText(grid)]),
  ].join('\n\n');
}

function policyText({ policy }: UnitScaling): string {
  const { kind, metric, target, above, below, recommendOnly, atMost } = policy;
  const by: Readonly<Record<string, string>> = {
    hpa: `${String(metric)} to ${String(target)}`,
    threshold: `${String(metric)} between ${String(below)} and ${String(above)}`,
    mdp: `a table of a Markov model${policy['unitS'] === undefined ? '' : ', solved anew on drift'}`,
    learned: `a learned model, at most ${String(atMost)}`,
  };
  return `${String(kind)}: ${by[String(kind)] ?? ''}${recommendOnly === true ? ', advice alone' : ''}`;
}

const LETTERS = { accept: '.', build: '+', reject: 'x', destroy: '-', impossible: ' ' } as const;

/** Rows of VMs and columns of tasks. */
function gridText({ vms, tasks, actions }: PolicyGrid): string {
  const width = String(vms.at(-1) ?? 0).length;
  const rows = vms.map(
    (count, i) => `${String(count).padStart(width)} ${actions[i]!.map((each) => LETTERS[each]).join('')}`,
  );
  return [
    `VMs down, tasks across (0 to ${tasks.at(-1)}): + builds, - destroys, x rejects, . accepts`,
    ...rows.toReversed(),
  ].join('\n');
}
