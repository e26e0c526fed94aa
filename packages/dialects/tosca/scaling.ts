import { canonicalJson } from '@superfluidity/core';
import type { Scale } from '@superfluidity/model';
import { shorten } from '../yaml-text.ts';
import { at, groupAt, isGroup, listOf, textOf, type Group } from './groups.ts';
import type { Report } from './templates.ts';
import type { Node, Policy, Topology } from './topology.ts';

/**
 * How many instances of a VDU there are (SOL001, clauses 6.10.2 to 6.10.10): between the bounds of its vdu_profile, at
 * first as many as the default instantiation level says, or the initial delta; more by steps of the scaling aspects.
 */
const PREFIX = 'tosca.policies.nfv.';
const types = [
  'InstantiationLevels',
  'VduInstantiationLevels',
  'VduInitialDelta',
  'ScalingAspects',
  'VduScalingAspectDeltas',
];
type ScalingType =
  | 'InstantiationLevels'
  | 'VduInstantiationLevels'
  | 'VduInitialDelta'
  | 'ScalingAspects'
  | 'VduScalingAspectDeltas';

export const isScaling = ({ type }: Pick<Policy, 'type'>): boolean => types.some((one) => type === PREFIX + one);

/** Numbers of instances of a unit; absent where there is always one. */
export function scaleOf(
  policies: readonly Policy[],
  unit: string,
  profile: { min?: number; max?: number },
): Scale | undefined {
  const levels = of(policies, 'InstantiationLevels').map((policy) => groupAt(policy.value, 'properties'));
  const level = textOf(levels[0]?.['default_level']) ?? Object.keys(groupAt(levels[0], 'levels'))[0];
  const own = (type: ScalingType) => of(policies, type).filter(({ value }) => listOf(value['targets']).includes(unit));
  const inLevel = own('VduInstantiationLevels').map(({ value }) =>
    at(value, 'properties', 'levels', level ?? '', 'number_of_instances'),
  );
  const inDelta = own('VduInitialDelta').map(({ value }) =>
    at(value, 'properties', 'initial_delta', 'number_of_instances'),
  );
  const { min = 1 } = profile;
  const said = [...inLevel, ...inDelta].find((value) => isCount(value));
  const { max = Math.max(1, min, said ?? 0) } = profile;
  const initial = said ?? min;
  return min === 1 && max === 1 && initial === 1 ? undefined : { initial, min, max };
}

/** The policies that say a scale: one aspect for each unit that can grow, a step of which is an instance. */
export function scalingPolicies(units: readonly { readonly name: string; readonly scale: Scale }[]): readonly Group[] {
  if (units.length === 0) return [];
  const growing = units.filter(({ scale }) => scale.max > scale.min);
  const policy = (name: string, type: ScalingType, properties: Group, targets?: readonly string[]) => ({
    [name]: { type: PREFIX + type, properties, ...(targets === undefined ? {} : { targets }) },
  });
  const aspects = growing.map(({ name, scale }) => [
    name,
    { name, description: `Instances of ${name}`, max_scale_level: scale.max - scale.min, step_deltas: ['one'] },
  ]);
  const info = growing.map(({ name, scale }) => [name, { scale_level: scale.initial - scale.min }]);
  return [
    ...(growing.length === 0
      ? []
      : [policy('scaling_aspects', 'ScalingAspects', { aspects: Object.fromEntries(aspects) as Group })]),
    policy('instantiation_levels', 'InstantiationLevels', {
      levels: {
        default: {
          description: 'What is started at first',
          ...(info.length === 0 ? {} : { scale_info: Object.fromEntries(info) as Group }),
        },
      },
      default_level: 'default',
    }),
    ...units.flatMap(({ name, scale }) => [
      policy(`${name}_initial_delta`, 'VduInitialDelta', { initial_delta: { number_of_instances: scale.min } }, [name]),
      policy(
        `${name}_instantiation_levels`,
        'VduInstantiationLevels',
        { levels: { default: { number_of_instances: scale.initial } } },
        [name],
      ),
      ...(scale.max > scale.min
        ? [
            policy(
              `${name}_scaling`,
              'VduScalingAspectDeltas',
              { aspect: name, deltas: { one: { number_of_instances: 1 } } },
              [name],
            ),
          ]
        : []),
    ]),
  ];
}

/** Policies that were carried, if they still say how many instances there are. */
export function stillSay(
  carried: readonly unknown[],
  units: readonly { readonly name: string; readonly scale?: Scale }[],
): boolean {
  const policies = carried.flatMap((one) =>
    Object.entries(isGroup(one) ? one : {}).map(([name, value]) => ({
      name,
      value: isGroup(value) ? value : {},
      type: textOf(at(value, 'type')) ?? '',
      path: [],
    })),
  );
  return units.every(({ name, scale = { initial: 1, min: 1, max: 1 } }) => {
    const read = scaleOf(policies, name, scale) ?? { initial: 1, min: 1, max: 1 };
    return canonicalJson(read) === canonicalJson(scale);
  });
}

/** What refers to nothing, and what leads out of the bounds of a VDU. */
export function checkScaling(topology: Topology, units: ReadonlyMap<string, Node>, report: Report): void {
  const { policies, template } = topology;
  const aspects = groupAt(of(policies, 'ScalingAspects')[0]?.value, 'properties', 'aspects');
  const levels = groupAt(of(policies, 'InstantiationLevels')[0]?.value, 'properties', 'levels');
  for (const policy of policies.filter(isScaling)) {
    const wrong = (path: readonly string[], message: string, code: 'VALUE' | 'REFERENCE' = 'REFERENCE') =>
      report(`SF-DESCRIPTOR-${code}`, template, [...policy.path, ...path], message);
    for (const [i, target] of listOf(policy.value['targets']).entries()) {
      if (units.has(String(target))) continue;
      report(
        'SF-DESCRIPTOR-REFERENCE',
        template,
        [...policy.path, 'targets', i],
        `there is no VDU '${shorten(String(target))}'`,
      );
    }
    const properties = groupAt(policy.value, 'properties');
    switch (policy.type.slice(PREFIX.length) as ScalingType) {
      case 'InstantiationLevels':
        checkLevels(properties, aspects, wrong);
        break;
      case 'VduInstantiationLevels':
        for (const [level, value] of Object.entries(groupAt(properties, 'levels'))) {
          if (!Object.hasOwn(levels, level))
            wrong(['properties', 'levels', level], `there is no instantiation level '${shorten(level)}'`);
          bounded(topology, units, policy, at(value, 'number_of_instances'), `level '${shorten(level)}'`, (message) =>
            wrong(['properties', 'levels', level], message, 'VALUE'),
          );
        }
        break;
      case 'VduInitialDelta':
        bounded(
          topology,
          units,
          policy,
          at(properties, 'initial_delta', 'number_of_instances'),
          'the initial delta',
          (message) => wrong(['properties', 'initial_delta'], message, 'VALUE'),
        );
        break;
      case 'VduScalingAspectDeltas':
        checkDeltas(topology, units, policy, aspects, wrong);
        break;
      case 'ScalingAspects':
        checkAspects(properties, wrong);
        break;
    }
  }
}

type Wrong = (path: readonly string[], message: string, code?: 'VALUE' | 'REFERENCE') => void;

function checkLevels(properties: Group, aspects: Group, wrong: Wrong): void {
  const levels = groupAt(properties, 'levels');
  const chosen = textOf(properties['default_level']);
  if (chosen !== undefined && !Object.hasOwn(levels, chosen)) {
    wrong(['properties', 'default_level'], `there is no instantiation level '${shorten(chosen)}'`);
  }
  for (const [level, value] of Object.entries(levels)) {
    for (const [aspect, info] of Object.entries(groupAt(value, 'scale_info'))) {
      const path = ['properties', 'levels', level, 'scale_info', aspect];
      if (!Object.hasOwn(aspects, aspect)) wrong(path, `there is no scaling aspect '${shorten(aspect)}'`);
      const [asked, most] = [at(info, 'scale_level'), at(aspects, aspect, 'max_scale_level')];
      if (!isCount(asked)) wrong(path, 'a scale level is a whole number from 0 on', 'VALUE');
      else if (isCount(most) && asked > most)
        wrong(path, `scale level ${asked} is above the ${most} of the aspect`, 'VALUE');
    }
  }
}

function checkAspects(properties: Group, wrong: Wrong): void {
  for (const [aspect, value] of Object.entries(groupAt(properties, 'aspects'))) {
    const [most, steps] = [at(value, 'max_scale_level'), at(value, 'step_deltas')];
    const path = ['properties', 'aspects', aspect];
    if (most !== undefined && !isCount(most))
      wrong([...path, 'max_scale_level'], 'it is a whole number from 0 on', 'VALUE');
    if (!Array.isArray(steps) || !isCount(most) || steps.length === 1 || steps.length === most) continue;
    wrong([...path, 'step_deltas'], `${steps.length} steps for ${most} levels: there is one, or one for each`, 'VALUE');
  }
}

/** Initial instances and all steps together stay within the bounds of each VDU. */
function checkDeltas(
  topology: Topology,
  units: ReadonlyMap<string, Node>,
  policy: Policy,
  aspects: Group,
  wrong: Wrong,
): void {
  const properties = groupAt(policy.value, 'properties');
  const name = textOf(properties['aspect']) ?? '';
  const aspect = groupAt(aspects, name);
  if (!Object.hasOwn(aspects, name))
    return wrong(['properties', 'aspect'], `there is no scaling aspect '${shorten(name)}'`);
  const deltas = groupAt(properties, 'deltas');
  const steps = listOf(aspect['step_deltas']).map(String);
  let added = 0;
  for (const step of steps) {
    const number = at(deltas, step, 'number_of_instances');
    if (number === undefined)
      return wrong(['properties', 'deltas'], `there is no delta '${shorten(step)}' of the steps of '${name}'`);
    if (!isCount(number)) return wrong(['properties', 'deltas', step], 'a delta is a whole number from 0 on', 'VALUE');
    added += number;
  }
  const most = aspect['max_scale_level'];
  if (steps.length === 1 && isCount(most)) added *= most;
  for (const unit of listOf(policy.value['targets']).flatMap((target) => units.get(String(target)) ?? [])) {
    const base = of(topology.policies, 'VduInitialDelta').find(({ value }) =>
      listOf(value['targets']).includes(unit.name),
    );
    const initial = at(base?.value, 'properties', 'initial_delta', 'number_of_instances');
    const { min = 1, max } = profileOf(topology, unit);
    const reached = (isCount(initial) ? initial : min) + added;
    if (max !== undefined && reached > max) {
      wrong(
        ['properties', 'deltas'],
        `the steps of '${shorten(name)}' lead to ${reached} instances of '${unit.name}', at most are ${max}`,
        'VALUE',
      );
    }
  }
}

function bounded(
  topology: Topology,
  units: ReadonlyMap<string, Node>,
  policy: Policy,
  number: unknown,
  what: string,
  wrong: (message: string) => void,
): void {
  if (!isCount(number)) return wrong(`${what} has no number of instances from 0 on`);
  for (const unit of listOf(policy.value['targets']).flatMap((target) => units.get(String(target)) ?? [])) {
    const { min = 0, max = number } = profileOf(topology, unit);
    if (number >= min && number <= max) continue;
    wrong(`${what} has ${number} instances of '${unit.name}', which has ${min} to ${max}`);
  }
}

export function profileOf(topology: Topology, unit: Node): { min?: number; max?: number } {
  const [min, max] = (['min', 'max'] as const).map((end) =>
    topology.property(unit, 'vdu_profile', `${end}_number_of_instances`),
  );
  return { ...(isCount(min) ? { min } : {}), ...(isCount(max) ? { max } : {}) };
}

function of(policies: readonly Policy[], type: ScalingType): readonly Policy[] {
  return policies.filter((policy) => policy.type === PREFIX + type);
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1_000_000;
