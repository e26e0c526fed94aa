import {
  block,
  branch,
  compare,
  constant,
  constrain,
  drop,
  field,
  forward,
  type Instruction,
  assign,
  read,
  type Rule,
} from '@superfluidity/verify';
import { destination, numberOf, rangeOf } from './addresses.ts';
import { end, isEncapsulated, outerDestination } from './srv6.ts';

/** What the router of a site knows. */
export interface SiteRouter {
  readonly site: string;
  readonly sid: bigint;
  /** Addresses and segments of units here, with the box of their host. */
  readonly units: readonly { readonly address: string; readonly sid: bigint; readonly host: string }[];
  /** Sites that a link leads to. */
  readonly neighbours: readonly {
    readonly site: string;
    /** Segments of that site have these first bits. */
    readonly locator: { readonly value: bigint; readonly length: number };
    /** Parts of networks that are there. */
    readonly prefixes: readonly string[];
  }[];
}

const ttl = field('IPv4.ttl');

/** Routes by address, and by segments after it has done its own (End). What has no place goes nowhere. */
export function routerProgram({ site, sid, units, neighbours }: SiteRouter): Instruction {
  const toHost = (host: string) => forward(`${host}:up:in`);
  const toSite = (other: string) => forward(`${other}/router:in`);
  const table = (
    name: string,
    width: number,
    of: typeof outerDestination,
    entries: readonly { readonly value: bigint; readonly length: number; readonly go: Instruction }[],
    miss: string,
  ): Instruction => ({
    op: 'table',
    table: {
      name: `${site}/router ${name}`,
      keys: [{ of, width, absent: 'fail' }],
      entries: {
        kind: 'rules',
        rules: entries.map(
          ({ value, length }, behaviour): Rule => ({ match: [{ kind: 'prefix', value, length }], behaviour }),
        ),
      },
      behaviours: entries.map(({ go }) => go),
      miss: drop(miss),
    },
  });
  const segments = table(
    'segments',
    128,
    outerDestination,
    [
      ...units.map((unit) => ({ value: unit.sid, length: 128, go: toHost(unit.host) })),
      ...neighbours.map((other) => ({ ...other.locator, go: toSite(other.site) })),
    ],
    'no link leads to that segment',
  );
  const isOwn = compare(outerDestination, '==', constant(sid, 128));
  const addresses = table(
    'addresses',
    32,
    read(destination),
    [
      ...units.map((unit) => ({ value: numberOf(unit.address), length: 32, go: toHost(unit.host) })),
      ...neighbours.flatMap((other) =>
        other.prefixes.map((prefix) => ({
          value: rangeOf(prefix)[0],
          length: Number(prefix.split('/')[1]),
          go: toSite(other.site),
        })),
      ),
    ],
    'no route leads there',
  );
  return branch(
    isEncapsulated,
    block(branch(isOwn, end, block()), segments),
    block(
      constrain(compare(read(ttl), '>', constant(1, 8)), 'time to live exceeded'),
      assign(ttl, { kind: 'binary', op: 'sub', left: read(ttl), right: constant(1, 8) }),
      addresses,
    ),
  );
}
