import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { table } from './print/table.ts';
import { readYamlFile } from './yaml-file.ts';

export interface GivenInputs {
  /** `name=value`, several. */
  readonly input?: readonly string[];
  /** A file with values by name; those that stand in the command count more. */
  readonly inputs?: string;
}

export async function readInputs({ input, inputs }: GivenInputs): Promise<{ inputs?: Record<string, unknown> }> {
  if (input === undefined && inputs === undefined) return {};
  const ofFile = inputs === undefined ? {} : await readYamlFile(inputs);
  const ofCommand = (input ?? []).map((one) => {
    const at = one.indexOf('=');
    if (at > 0) return [one.slice(0, at), one.slice(at + 1)] as const;
    throw new SuperfluidityError('SF-CLI-USAGE', {
      doing: 'read the inputs',
      reason: 'an input is given as name=value',
    });
  });
  return { inputs: { ...ofFile, ...Object.fromEntries(ofCommand) } };
}

/** Inputs of programs that have types of their own: what is given is read as JSON where it is that. */
export async function readPlainInputs(given: GivenInputs): Promise<Record<string, unknown>> {
  const { inputs = {} } = await readInputs(given);
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, plainOf(value)]));
}

/** `3`, `true` and `["a"]` are what they say; any other text is itself. */
function plainOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Sites that stand for tiers. */
export function standIns(given: readonly string[] | undefined): { sites?: Record<string, string> } {
  if (given === undefined) return {};
  const pairs = given.map((one) => {
    const [tier = '', site = '', ...more] = one.split('=');
    if (tier !== '' && site !== '' && more.length === 0) return [tier, site] as const;
    throw new SuperfluidityError('SF-CLI-USAGE', { doing: 'choose sites', reason: `'${one}' is not tier=site` });
  });
  return { sites: Object.fromEntries(pairs) };
}

/** Of the schema, for people. */
export function inputsText(schema: Readonly<Record<string, unknown>>): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>);
  if (properties.length === 0) return 'it asks for nothing';
  return table(properties, [
    { title: 'INPUT', value: ([name]) => name },
    { title: 'TYPE', value: ([, one]) => (one['writeOnly'] === true ? 'secret:NAME' : String(one['type'])) },
    {
      title: 'DEFAULT',
      value: ([, one]) => (one['default'] === undefined ? 'needed' : JSON.stringify(one['default'])),
    },
    { title: 'WHAT', value: ([, one]) => [one['description'], rulesOf(one)].filter(Boolean).join('; ') },
  ]);
}

const SHOWN = ['type', 'title', 'description', 'default', 'writeOnly'];

function rulesOf(property: Readonly<Record<string, unknown>>): string {
  if (property['writeOnly'] === true) return '';
  return Object.entries(property)
    .filter(([name]) => !SHOWN.includes(name))
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(', ') : String(value)}`)
    .join(', ');
}
