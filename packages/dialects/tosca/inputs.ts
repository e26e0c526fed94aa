import type { DescriptorFile } from '../files.ts';
import type { Input, Rule } from '../inputs.ts';
import { groupAt, isGroup, listOf, textOf, type Group } from './groups.ts';
import { Templates } from './templates.ts';

const KINDS: Readonly<Record<string, Input['kind']>> = {
  integer: 'integer',
  float: 'number',
  boolean: 'boolean',
  list: 'list',
  map: 'map',
};

/** Inputs of the topology (TOSCA 1.3, clause 3.6.14) that have no value in the template itself. */
export function toscaInputs(files: readonly DescriptorFile[]): readonly Input[] {
  const entry = new Templates(files).entry();
  if (entry === undefined) return [];
  return Object.entries(groupAt(entry.value, 'topology_template', 'inputs')).flatMap(([name, declared]) => {
    if (!isGroup(declared) || declared['value'] !== undefined) return [];
    const about = textOf(declared['description']);
    const initial = declared['default'] ?? (declared['required'] === false ? null : undefined);
    return [
      {
        name,
        kind: KINDS[String(declared['type'])] ?? 'text',
        ...(about === undefined ? {} : { about }),
        ...(initial === undefined ? {} : { initial }),
        // TOSCA has no word for it; what products write is in the metadata.
        hidden: String(groupAt(declared, 'metadata')['sensitive'] ?? '') === 'true',
        rules: listOf(declared['constraints']).flatMap((one) => (isGroup(one) ? ruleOf(one) : [])),
      },
    ];
  });
}

/** Clause 3.6.3. */
function ruleOf(constraint: Group): readonly Rule[] {
  const [only] = Object.entries(constraint);
  if (only === undefined) return [];
  const [word, value] = only;
  const number = Number(value);
  const [low, high] = listOf(value).map((one) => (one === 'UNBOUNDED' ? undefined : Number(one)));
  switch (word) {
    case 'equal':
      return [{ one: [value] }];
    case 'valid_values':
      return Array.isArray(value) ? [{ one: value }] : [];
    case 'pattern':
      return typeof value === 'string' ? [{ pattern: value }] : [];
    case 'length':
      return [{ of: 'length', min: number, max: number }];
    case 'min_length':
      return [{ of: 'length', min: number }];
    case 'max_length':
      return [{ of: 'length', max: number }];
    case 'greater_than':
      return [{ of: 'value', min: number, beyond: true }];
    case 'greater_or_equal':
      return [{ of: 'value', min: number }];
    case 'less_than':
      return [{ of: 'value', max: number, beyond: true }];
    case 'less_or_equal':
      return [{ of: 'value', max: number }];
    case 'in_range':
      return [
        { of: 'value', ...(low === undefined ? {} : { min: low }), ...(high === undefined ? {} : { max: high }) },
      ];
    default:
      return [];
  }
}
