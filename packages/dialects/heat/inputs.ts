import type { DescriptorFile } from '../files.ts';
import { at, groupAt, isGroup, listOf, textOf, type Group } from '../groups.ts';
import type { Input, Rule } from '../inputs.ts';
import { entriesOf, sortFiles } from './package.ts';

/** Of `type` (template guide, parameters section). */
const KINDS: Readonly<Record<string, Input['kind']>> = {
  string: 'text',
  number: 'number',
  boolean: 'boolean',
  comma_delimited_list: 'list',
  json: 'map',
};

/** The parameters of the stack; what an environment of the package says is what they begin with. */
export function heatInputs(files: readonly DescriptorFile[]): readonly Input[] {
  const sorted = sortFiles(files);
  const [entry] = sorted.problems.length > 0 ? [] : entriesOf(sorted);
  if (entry === undefined) return [];
  return Object.entries(groupAt(entry.value, 'parameters')).flatMap(([name, declared]) => {
    if (!isGroup(declared)) return [];
    const given = at(sorted.parameters, name) ?? declared['default'];
    const title = textOf(declared['label']);
    const about = textOf(declared['description']);
    return [
      {
        name,
        kind: KINDS[String(declared['type'])] ?? 'text',
        ...(title === undefined ? {} : { title }),
        ...(about === undefined ? {} : { about }),
        ...(given === undefined || given === null ? {} : { initial: given }),
        hidden: declared['hidden'] === true || declared['hidden'] === 'true',
        rules: listOf(declared['constraints']).flatMap((one) => (isGroup(one) ? ruleOf(one) : [])),
      },
    ];
  });
}

/** Constraints that only OpenStack can look at (`custom_constraint`) are left to it. */
function ruleOf(constraint: Group): readonly Rule[] {
  const about = textOf(constraint['description']);
  const message = about === undefined ? {} : { message: `must be otherwise: ${about}` };
  const bounds = (of: 'value' | 'length', group: Group): readonly Rule[] => {
    const [min, max] = [numberOf(group['min']), numberOf(group['max'])];
    return [{ of, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }), ...message }];
  };
  if (isGroup(constraint['length'])) return bounds('length', constraint['length']);
  if (isGroup(constraint['range'])) return bounds('value', constraint['range']);
  if (isGroup(constraint['modulo'])) {
    const [step, offset] = [numberOf(constraint['modulo']['step']), numberOf(constraint['modulo']['offset'])];
    return step === undefined || step === 0 ? [] : [{ step, offset: offset ?? 0, ...message }];
  }
  if (Array.isArray(constraint['allowed_values'])) return [{ one: constraint['allowed_values'], ...message }];
  const pattern = textOf(constraint['allowed_pattern']);
  return pattern === undefined ? [] : [{ pattern, ...message }];
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
