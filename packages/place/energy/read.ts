import { nearest, type Problem } from '@superfluidity/core';
import { formatPath, type JsonSchema, readShape, readYamlText } from '@superfluidity/dialects';
import { z } from 'zod';
import { designLimits } from '../errors.ts';
import type { EnergyProblem } from './problem.ts';

const name = z.string().min(1).max(256);
const amount = z.number().min(0).max(designLimits.amount);
const part = z.number().min(0).max(1);

const energyShape = z
  .strictObject({
    $schema: name.exactOptional(),
    'superfluidity-energy': z.literal(1).describe('Version of this format'),
    name: name.exactOptional(),
    linkUse: part.describe('Part of links that may be used (default: 0.8)').exactOptional(),
    cpuUse: part.describe('The same of processors').exactOptional(),
    loops: z.boolean().describe('Whether a path may come to a node twice (default: no)').exactOptional(),
    nodes: z
      .array(
        z.strictObject({
          name,
          cpu: amount,
          watts: amount.describe('What it takes when it is on'),
          on: z.boolean().describe('Whether it is on already (default: no)').exactOptional(),
          functions: z.array(name).max(1_000).describe('Kinds of functions that it can run'),
        }),
      )
      .min(1)
      .max(designLimits.nodes),
    links: z
      .array(z.strictObject({ a: name, b: name, mbps: amount.describe('In each direction'), delayMs: amount }))
      .max(designLimits.topologyLinks),
    flows: z
      .array(
        z.strictObject({
          name,
          from: name,
          to: name,
          mbps: amount,
          delayMaxMs: amount,
          functions: z.array(z.strictObject({ kind: name, cpuPerMbps: amount })).max(designLimits.flowFunctions),
        }),
      )
      .max(designLimits.flows),
  })
  .meta({ title: 'Superfluidity flows on a network that takes power, format 1' });

/** JSON Schema (draft 2020-12) of the same. */
export const energyJsonSchema = z.toJSONSchema(energyShape, { io: 'input' });

/** Reads a network with its flows, YAML or JSON. Never throws: what is wrong has line and column. */
export function readEnergy(
  bytes: Uint8Array,
  file?: string,
): { readonly problem?: EnergyProblem; readonly problems: readonly Problem[] } {
  const text = readYamlText(bytes, file);
  const shape = readShape(text, energyShape, energyJsonSchema as JsonSchema);
  if (!('value' in shape)) return shape;
  const { value } = shape;
  const problems: Problem[] = [];
  const add = (path: readonly (string | number)[], message: string, suggestion?: string) =>
    problems.push({
      severity: 'error',
      code: 'SF-DESIGN-INPUT',
      message,
      path: formatPath(path),
      position: text.locate(path),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  const numbers = new Map<string, number>();
  value.nodes.forEach((node, n) => {
    if (numbers.has(node.name)) add(['nodes', n, 'name'], `'${node.name}' is there twice`);
    numbers.set(node.name, n);
  });
  const number = (of: string, path: readonly (string | number)[]) => {
    const found = numbers.get(of);
    if (found !== undefined) return found;
    const likely = nearest(of, [...numbers.keys()]);
    add(path, `there is no node '${of}'`, likely === undefined ? undefined : `did you mean '${likely}'?`);
    return 0;
  };
  const problem: EnergyProblem = {
    name: value.name ?? 'network',
    linkUse: value.linkUse ?? 0.8,
    cpuUse: value.cpuUse ?? 0.8,
    loops: value.loops ?? false,
    nodes: value.nodes.map((node) => ({ ...node, on: node.on ?? false })),
    links: value.links.flatMap(({ a, b, mbps, delayMs }, l) => {
      const [from, to] = [number(a, ['links', l, 'a']), number(b, ['links', l, 'b'])];
      return [
        { from, to, mbps, delayMs },
        { from: to, to: from, mbps, delayMs },
      ];
    }),
    flows: value.flows.map((flow, f) => ({
      ...flow,
      from: number(flow.from, ['flows', f, 'from']),
      to: number(flow.to, ['flows', f, 'to']),
    })),
  };
  return problems.length > 0 ? { problems } : { problem, problems: [] };
}
