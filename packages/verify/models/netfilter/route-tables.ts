import { constant, meta, type Meta, read } from '../../ir/expression.ts';
import { assign, block, drop, type Instruction } from '../../ir/instruction.ts';
import type { Rule } from '../../ir/table.ts';
import type { Encapsulation } from '../../readers/linux/encapsulation.ts';
import type { Neighbour } from '../../readers/linux/neighbours.ts';
import type { LinuxHop } from '../../readers/linux/routes.ts';
import { setOf, type Range } from '../../readers/netfilter/addresses.ts';
import { broadcastRanges, localRanges, multicastRanges } from './addresses-of-box.ts';
import { NO_INTERFACE, type NetfilterRoute, THIS_HOST } from './box.ts';
import type { Surroundings } from './cubes.ts';

/** The address that is looked up: the packet's destination, or a next hop that a segment names instead. */
export function soughtAddress({ family }: Surroundings, name: string): Meta {
  return meta(`route.to.${family}`, name);
}

export interface Hop {
  readonly encapsulation?: Encapsulation;
  /** The neighbour that gets the packet. Absent: whoever has its destination. */
  readonly neighbour?: Neighbour;
  /** The route names a next hop of which nobody says who it is. */
  readonly isStranger?: true;
}

export function hopOf(name: string): Meta {
  return meta('hop', name);
}

/** Tables of routes as tables of the IR. */
export class Tables {
  readonly hops: Hop[] = [{}];
  readonly nowhere = drop('unreachable: no route leads there');
  readonly #name: string;
  readonly #around: Surroundings;
  readonly #neighbours: ReadonlyMap<string, Neighbour>;
  readonly #numbers = new Map<string, number>([['{}', 0]]);

  constructor(name: string, around: Surroundings) {
    this.#name = name;
    this.#around = around;
    this.#neighbours = new Map(
      around.box.neighbours?.map((one) => [`${one.device} ${one.family} ${one.address}`, one] as const),
    );
  }

  /** The first table that has a route decides. Routes with a prefix of at most `unlessShorter` bits do not count. */
  lookup(tables: readonly string[], miss: Instruction, unlessShorter = -1): Instruction {
    const { family } = this.#around;
    const behaviours: Instruction[] = [this.#out(THIS_HOST, 0), this.nowhere];
    const [HERE, NOWHERE] = [0, 1];
    const rules: Rule[] = [];
    const numbers = new Map<string, number>();
    const add = (ranges: readonly Range[], behaviour: number) => {
      if (ranges.length > 0) rules.push({ match: [setOf(ranges)], behaviour });
    };
    const number = (key: string, make: () => Instruction): number => {
      const known = numbers.get(key);
      if (known !== undefined) return known;
      behaviours.push(make());
      numbers.set(key, behaviours.length - 1);
      return behaviours.length - 1;
    };
    const behaviourOf = (route: NetfilterRoute): number => {
      if (route.type === 'local' || route.type === 'broadcast' || route.type === 'anycast') return HERE;
      if (route.type === 'throw') return number('throw', () => miss);
      const isRefused = route.type !== undefined && route.type !== 'unicast';
      if (isRefused || route.interfaces.length === 0) return NOWHERE;
      const ways = this.#waysOf(route);
      const outs = ways.map(([oif, hop]) => this.#out(oif, hop));
      return number(JSON.stringify(ways.map(String)), () => {
        if (outs.length === 0) return drop('the route leads to an interface that is not here', route.source);
        return outs.length === 1 ? outs[0]! : { op: 'choose', branches: outs };
      });
    };
    for (const table of tables) {
      const routes = this.#routesOf(table);
      if (table === 'local') {
        if (routes.length === 0) {
          add(localRanges(this.#around.box, family), HERE);
          add(broadcastRanges(this.#around.box, family), HERE);
        } else if (family === 'ip') add([LIMITED_BROADCAST], HERE);
        add(multicastRanges(family), NOWHERE);
      }
      for (const route of routes) {
        if (route.length <= unlessShorter) continue;
        const source = route.source === undefined ? {} : { source: route.source };
        rules.push({
          match: [{ kind: 'prefix', value: route.address, length: route.length }],
          behaviour: behaviourOf(route),
          ...source,
        });
      }
    }
    if (rules.length === 0) return miss;
    const key = soughtAddress(this.#around, this.#name);
    return {
      op: 'table',
      table: {
        name: `${this.#name} routes`,
        keys: [{ of: read(key), width: family === 'ip' ? 32 : 128, absent: 'fail' }],
        entries: { kind: 'rules', rules },
        behaviours,
        miss,
      },
    };
  }

  /** A packet that a route throws back goes to the next rule, and not to the next table of one that has several. */
  throws(table: string): boolean {
    return this.#routesOf(table).some(({ type }) => type === 'throw');
  }

  #routesOf(table: string): readonly NetfilterRoute[] {
    return this.#around.box.routes
      .filter((route) => route.family === this.#around.family && (route.table ?? 'main') === table)
      .toSorted((a, b) => b.length - a.length || (a.metric ?? 0) - (b.metric ?? 0));
  }

  #out(oif: bigint, hop: number): Instruction {
    return block(assign(meta('oif', this.#name), constant(oif, 16)), assign(hopOf(this.#name), constant(hop, 16)));
  }

  #waysOf({ interfaces, hops }: NetfilterRoute): readonly (readonly [oif: bigint, hop: number])[] {
    return interfaces.flatMap((device, i) => {
      const oif = this.#around.interfaces.number(device);
      return oif === NO_INTERFACE ? [] : [[oif, this.#hop(hops?.[i])] as const];
    });
  }

  #hop(hop: LinuxHop | undefined): number {
    if (hop === undefined) return 0;
    const { encapsulation, via, viaFamily, device } = hop;
    const neighbour = this.#neighbours.get(`${device} ${viaFamily} ${via}`);
    const made: Hop = {
      ...(encapsulation === undefined ? {} : { encapsulation }),
      ...(neighbour === undefined ? {} : { neighbour }),
      ...(via === undefined || neighbour !== undefined ? {} : { isStranger: true }),
    };
    const { isStranger } = made;
    const plain = { encapsulation, device: neighbour?.device, mac: neighbour?.mac, isStranger };
    const key = JSON.stringify(plain, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.hops.length);
    this.hops.push(made);
    return this.hops.length - 1;
  }
}

const LIMITED_BROADCAST: Range = [0xffff_ffffn, 0xffff_ffffn];
