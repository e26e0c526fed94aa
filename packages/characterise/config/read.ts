import { nearest, type Problem } from '@superfluidity/core';
import { formatPath, type JsonSchema, readShape, readYamlText } from '@superfluidity/dialects';
import type { z } from 'zod';
import { characteriseLimits as limits } from '../errors.ts';
import {
  type Characterisation,
  type Neighbour,
  NO_CLASS,
  type Parameter,
  type ParameterValue,
  type Place,
  type SlaClass,
} from './characterisation.ts';
import { type Comparison, parseComparison } from './comparator.ts';
import { characterisationJsonSchema, characterisationShape } from './schema.ts';

export type ReadCharacterisation =
  | { readonly characterisation: Characterisation; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

type Written = z.infer<typeof characterisationShape>;
type Path = readonly (string | number)[];

/** Reads the file of a characterisation, YAML or JSON. Never throws: what is wrong has line and column. */
export function readCharacterisation(bytes: Uint8Array, file?: string): ReadCharacterisation {
  const source = readYamlText(bytes, file);
  const shape = readShape(source, characterisationShape, characterisationJsonSchema as JsonSchema);
  if (!('value' in shape)) return { problems: shape.problems };
  const problems: Problem[] = [];
  const refuse: Refuse = (path, message, suggestion, what = 'value') =>
    void problems.push({
      severity: 'error',
      code: 'SF-CHARACTERISE-CONFIG',
      message,
      path: formatPath(path),
      position: source.locate(path, what),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  const { value } = shape;
  const characterisation: Characterisation = {
    serviceId: value.service_id,
    instanceName: value.instance_name,
    parameters: parametersOf(value, refuse),
    bindings: bindingsOf(value, refuse),
    neighbours: neighboursOf(value, refuse),
    useCase: {
      name: value.use_case.name,
      parameters: value.use_case.parameters ?? {},
      ...(value.use_case.from === undefined ? {} : { from: placeOf(value.use_case.from) }),
    },
    iterations: value.iterations,
    classes: classesOf(value, refuse),
    analysis: {
      per: value.action.parameters.per,
      outliers: value.action.parameters.outliers,
      probability: value.action.parameters.probability,
    },
  };
  bounded(characterisation, refuse);
  return problems.length === 0 ? { characterisation, problems: [] } : { problems };
}

type Refuse = (path: Path, message: string, suggestion?: string, what?: 'key' | 'value') => void;

function neighboursOf(
  { neighbours = [], deployment_parameters: written }: Written,
  refuse: Refuse,
): readonly Neighbour[] {
  return neighbours.map((one, i) => {
    if (typeof one === 'string') return { serviceId: one };
    for (const [name, wanted] of Object.entries(one.if ?? {})) {
      const path = ['neighbours', i, 'if', name];
      const values = Object.hasOwn(written, name) ? [written[name]!].flat().map(String) : undefined;
      if (values === undefined)
        refuse(path, `there is no deployment parameter '${name}'`, meant(name, Object.keys(written)), 'key');
      else if (!values.includes(String(wanted)))
        refuse(path, `'${name}' has no value ${String(wanted)}`, meant(String(wanted), values));
    }
    const { service_id: serviceId, beside, if: when } = one;
    return { serviceId, ...(beside === undefined ? {} : { beside }), ...(when === undefined ? {} : { when }) };
  });
}

function placeOf({ memory_mib: memoryMiB, ...rest }: NonNullable<Written['use_case']['from']>): Place {
  return { ...rest, memoryMiB };
}

const COSTS: Path = ['action', 'parameters', 'costs'];
const CLASSES: Path = ['action', 'parameters', 'sla_classes'];

function meant(name: string, known: readonly string[]): string | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : `did you mean '${near}'?`;
}

function parametersOf({ deployment_parameters: written, action }: Written, refuse: Refuse): readonly Parameter[] {
  const costs = action.parameters.costs;
  for (const name of Object.keys(costs)) {
    if (!Object.hasOwn(written, name))
      refuse([...COSTS, name], `there is no deployment parameter '${name}'`, meant(name, Object.keys(written)), 'key');
  }
  return Object.entries(written).map(([name, given]) => {
    const values = Array.isArray(given) ? given : [given];
    const texts = values.map(String);
    for (const [i, text] of texts.entries()) {
      if (texts.indexOf(text) < i) refuse(['deployment_parameters', name, i], `${text} is there twice`);
    }
    const own = costs[name] ?? {};
    for (const text of Object.keys(own)) {
      if (!texts.includes(text))
        refuse([...COSTS, name, text], `'${name}' has no value ${text}`, meant(text, texts), 'key');
    }
    return { name, values, costs: texts.map((text) => own[text] ?? 0) };
  });
}

function bindingsOf({ bindings = {}, deployment_parameters: written }: Written, refuse: Refuse) {
  for (const [name, { to, name: variable, values }] of Object.entries(bindings)) {
    const path = ['bindings', name];
    if (!Object.hasOwn(written, name))
      refuse(path, `there is no deployment parameter '${name}'`, meant(name, Object.keys(written)), 'key');
    if ((to === 'env') !== (variable !== undefined)) refuse(path, 'env, and nothing else, has the name of a variable');
    if ((to === 'accelerators') !== (values !== undefined)) refuse(path, 'accelerators, and nothing else, have values');
    if (to === 'env' || to === 'accelerators' || to === 'site' || to === 'neighbours') continue;
    for (const value of [written[name]].flat() as readonly ParameterValue[]) {
      const fits = typeof value === 'number' && value > 0 && (to !== 'instances' || Number.isSafeInteger(value));
      if (!fits) refuse(['deployment_parameters', name], `${to} cannot be ${String(value)}`);
    }
  }
  return bindings;
}

function classesOf({ action }: Written, refuse: Refuse): readonly SlaClass[] {
  const names = new Set<string>();
  const written = Object.entries(action.parameters.sla_classes);
  if (written.length === 0) refuse(CLASSES, 'there is no class');
  if (written.length > limits.classes) refuse(CLASSES, `${written.length} classes, at most ${limits.classes}`);
  return written.map(([key, metrics]) => {
    const name = key.slice(0, 1).toUpperCase() + key.slice(1);
    if (name === NO_CLASS) refuse([...CLASSES, key], `${NO_CLASS} is what is in no class`, undefined, 'key');
    if (names.has(name)) refuse([...CLASSES, key], `${name} is there twice`, undefined, 'key');
    names.add(name);
    if (Object.keys(metrics).length === 0) refuse([...CLASSES, key], 'a class bounds at least one metric');
    const bounds = Object.entries(metrics).map(([metric, texts]) => {
      const comparisons = [texts].flat().flatMap((text, i): readonly Comparison[] => {
        const comparison = parseComparison(text);
        if (comparison !== undefined) return [comparison];
        const path = [...CLASSES, key, metric, ...(Array.isArray(texts) ? [i] : [])];
        refuse(path, `'${text}' is not a comparison: write '{} < 0.92', with <, <=, >, >= or ==`);
        return [];
      });
      if (isEmpty(comparisons)) refuse([...CLASSES, key, metric], 'no number is within these bounds');
      return { metric, comparisons };
    });
    return { name, bounds };
  });
}

/** Whether the bounds contradict each other. */
function isEmpty(comparisons: readonly Comparison[]): boolean {
  let [low, high, open] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, false];
  for (const { operator, bound } of comparisons) {
    if (operator !== '<' && operator !== '<=' && bound >= low)
      [low, open] = [bound, operator === '>' || (bound === low && open)];
  }
  let openHigh = false;
  for (const { operator, bound } of comparisons) {
    if (operator !== '>' && operator !== '>=' && bound <= high)
      [high, openHigh] = [bound, operator === '<' || (bound === high && openHigh)];
  }
  return low > high || (low === high && (open || openHigh));
}

function bounded({ parameters, iterations, classes }: Characterisation, refuse: Refuse): void {
  if (parameters.length > limits.parameters)
    refuse(['deployment_parameters'], `${parameters.length} parameters, at most ${limits.parameters}`);
  const count = parameters.reduce((product, { values }) => product * values.length, 1);
  if (parameters.every(({ values }) => values.length < 2))
    refuse(['deployment_parameters'], 'no parameter has two values: there is nothing to choose');
  if (count > limits.configurations)
    refuse(['deployment_parameters'], `${count} permutations, at most ${limits.configurations}`);
  else if (count * iterations > limits.experiments)
    refuse(['iterations'], `${count * iterations} experiments, at most ${limits.experiments}`);
  const metrics = new Set(classes.flatMap(({ bounds }) => bounds.map(({ metric }) => metric)));
  if (metrics.size > limits.metrics) refuse(CLASSES, `${metrics.size} metrics, at most ${limits.metrics}`);
}
