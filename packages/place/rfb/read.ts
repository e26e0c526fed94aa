import type { z } from 'zod';
import { nearest, type Problem } from '@superfluidity/core';
import { formatPath, type JsonSchema, readShape, readYamlText, type YamlText } from '@superfluidity/dialects';
import { designLimits } from '../errors.ts';
import { cellsOf } from './cells.ts';
import type { RfbInstance } from './instance.ts';
import { rfbJsonSchema, rfbShape } from './schema.ts';

export type ReadRfb =
  | { readonly instance: RfbInstance; readonly problems: readonly [] }
  | { readonly problems: readonly Problem[] };

/** Reads a network of RFBs, YAML or JSON. Never throws: what is wrong has line and column. */
export function readRfb(bytes: Uint8Array, file?: string): ReadRfb {
  const text = readYamlText(bytes, file);
  const shape = readShape(text, rfbShape, rfbJsonSchema as JsonSchema);
  if (!('value' in shape)) return { problems: shape.problems };
  const problems: Problem[] = [];
  const instance = numbered(shape.value, new Report(text, problems));
  return problems.length > 0 ? { problems } : { instance, problems: [] };
}

class Report {
  readonly #text: YamlText;
  readonly #problems: Problem[];

  constructor(text: YamlText, problems: Problem[]) {
    this.#text = text;
    this.#problems = problems;
  }

  add(path: readonly (string | number)[], message: string, suggestion?: string): void {
    this.#problems.push({
      severity: 'error',
      code: 'SF-DESIGN-INPUT',
      message,
      path: formatPath(path),
      position: this.#text.locate(path),
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  /** Numbers of names; names that come twice, or that nobody has, are reported. */
  index(list: readonly { readonly name: string }[], key: string) {
    const numberOf = new Map<string, number>();
    list.forEach(({ name }, i) => {
      if (numberOf.has(name)) this.add([key, i, 'name'], `'${name}' is there twice`);
      numberOf.set(name, i);
    });
    return (name: string, path: readonly (string | number)[]): number => {
      const number = numberOf.get(name);
      if (number !== undefined) return number;
      const likely = nearest(name, [...numberOf.keys()]);
      const suggestion = likely === undefined ? undefined : `did you mean '${likely}'?`;
      this.add(path, `there is no '${name}' in ${key}`, suggestion);
      return 0;
    };
  }
}

function numbered(value: z.infer<typeof rfbShape>, report: Report): RfbInstance {
  const { rrhTypes, bbuTypes, mecTypes, nodes, users } = value;
  const rrh = report.index(rrhTypes, 'rrhTypes');
  const node = report.index(nodes, 'nodes');
  report.index(bbuTypes, 'bbuTypes');
  report.index(mecTypes, 'mecTypes');
  const links = users.reduce((sum, { reach }) => sum + reach.length, 0);
  if (links > designLimits.links) report.add(['users'], `${links} links of users, at most ${designLimits.links}`);
  const places = (list: readonly string[] | undefined, n: number, key: string) => [
    ...new Set(list === undefined ? [n] : list.map((each, i) => node(each, ['nodes', n, key, i]))),
  ];
  return {
    name: value.name ?? 'network',
    rrhTypes,
    bbuTypes: bbuTypes.map((type, b) => ({
      ...type,
      rrhTypes: type.rrhTypes.map((each, i) => rrh(each, ['bbuTypes', b, 'rrhTypes', i])),
    })),
    mecTypes,
    nodes: nodes.map((each, n) => ({
      ...each,
      bbuAt: places(each.bbuAt, n, 'bbuAt'),
      mecAt: places(each.mecAt, n, 'mecAt'),
    })),
    users: users.length,
    cells: cellsOf(
      users.map(({ reach }, u) => {
        const seen = new Set<string>();
        return reach.map(([at, type, rateMbps], i) => {
          const path = ['users', u, 'reach', i];
          const pair = `${at}/${type}`;
          if (seen.has(pair)) report.add(path, `'${at}' and '${type}' come twice for this user`);
          seen.add(pair);
          return { node: node(at, [...path, 0]), type: rrh(type, [...path, 1]), rateMbps };
        });
      }),
    ),
  };
}
