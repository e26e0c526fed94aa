import { SuperfluidityError } from '@superfluidity/core';
import {
  type Assembled,
  Coverage,
  defaultLimits,
  type ExploreOptions,
  field,
  fields,
  type Layout,
  layouts,
  parseFilter,
  type Start,
  z3Solver,
} from '@superfluidity/verify';

export interface VerifyOptions {
  readonly from: readonly string[];
  readonly to?: string;
  readonly packet?: string;
  readonly fields?: readonly string[];
  readonly at?: string;
  readonly back?: string;
  readonly through?: readonly string[];
  /** Bytes. */
  readonly size?: number;
  readonly fragments?: boolean;
  readonly layout?: string;
  readonly paths?: number;
  readonly timeLimit: number;
  readonly maxPaths?: number;
  readonly maxNodes?: number;
  readonly sarif?: true;
  readonly pcap?: string;
  readonly dot?: true;
  readonly mermaid?: true;
  readonly coverage?: true;
}

export function startsOf(
  { entries }: Assembled,
  { from, packet, layout }: VerifyOptions,
): readonly [Start, ...Start[]] {
  const [first, ...more] = from.length > 0 ? from : entries;
  if (first === undefined)
    throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: 'the network has no inputs: name one with --from' });
  const some = layout === undefined ? {} : { layouts: knownLayouts(layout) };
  const assume = packet === undefined ? {} : { assume: parseFilter(packet) };
  const start = (port: string): Start => ({ port, ...some, ...assume });
  return [start(first), ...more.map(start)];
}

export function boundsOf({ timeLimit, maxPaths, maxNodes, coverage }: VerifyOptions): ExploreOptions {
  // Started when a path needs it, and ended with the process.
  const { solve } = z3Solver(defaultLimits.formulaMilliseconds);
  return {
    limits: {
      milliseconds: timeLimit * 1_000,
      ...(maxPaths === undefined ? {} : { paths: maxPaths }),
      ...(maxNodes === undefined ? {} : { diagramNodes: maxNodes }),
    },
    solve,
    ...(coverage === undefined ? {} : { coverage: new Coverage() }),
  };
}

function knownLayouts(text: string): readonly Layout[] {
  const found = layouts.filter(({ name }) => name === text || name.startsWith(`${text}/`));
  if (found.length > 0) return found;
  const reason = `there is no layout '${text}'; there are ${layouts.map(({ name }) => name).join(', ')}`;
  throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason });
}

export function knownField(name: string) {
  if (fields[name] !== undefined) return field(name);
  throw new SuperfluidityError('SF-VERIFY-QUESTION', {
    reason: `there is no field '${name}'; fields are named IPv4.src, TCP.dport, ...`,
  });
}

export function needed(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: `name the place with --${name}` });
}

export function neededAll(name: string, values: readonly string[] | undefined): readonly string[] {
  if (values !== undefined && values.length > 0) return values;
  throw new SuperfluidityError('SF-VERIFY-QUESTION', { reason: `name the places with --${name}` });
}
