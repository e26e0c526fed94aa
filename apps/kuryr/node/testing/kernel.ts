import { parseIpv4, parseIpv4Prefix, prefixHas } from '@superfluidity/model';

/**
 * As much of nftables as the tables of nodes are written in, and as strict as the kernel where it counts: what is deleted is there and
 * nobody leads to it, what is added is not there yet, a set that is asked for exists.
 */
export class KernelModel {
  readonly chains = new Map<string, string[]>();
  readonly sets = new Map<string, Map<string, string>>();

  /** A transaction, without a skeleton: its sets are there from the beginning. */
  constructor(sets: readonly string[]) {
    for (const name of sets) this.sets.set(name, new Map());
  }

  apply(text: string): void {
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const [, verb, kind, name, rest = ''] = /^(\w+) (\w+) ip \w+ (\w+) ?(.*)$/.exec(line) ?? [];
      this.#command(`${verb} ${kind}`, name!, rest);
    }
    for (const rules of this.chains.values())
      for (const rule of rules)
        for (const [, set] of rule.matchAll(/@(\w+)/g))
          if (set !== 'affinity') this.#need(this.sets.has(set!), `set ${set} of a rule`);
  }

  #command(what: string, name: string, rest: string): void {
    const { chains, sets } = this;
    const inner = rest
      .replace(/^\{ | \}$/g, '')
      .split(', ')
      .map((one) => one.split(' : ') as [string, string?]);
    switch (what) {
      case 'add chain':
        this.#need(!chains.has(name), what);
        chains.set(name, []);
        return;
      case 'flush chain':
        this.#need(chains.has(name), what);
        chains.set(name, []);
        return;
      case 'delete chain':
        this.#need(chains.get(name)?.length === 0 && !this.#leadsTo(name), `${what} ${name}`);
        chains.delete(name);
        return;
      case 'add rule':
        for (const [, target] of rest.matchAll(/(?:jump|goto) (\w+)/g)) this.#need(chains.has(target!), rest);
        chains.get(name)!.push(rest);
        return;
      case 'add set':
        this.#need(!sets.has(name), what);
        sets.set(name, new Map());
        return;
      case 'delete set':
        this.#need(sets.has(name) && ![...chains.values()].flat().some((one) => one.includes(`@${name} `)), what);
        sets.delete(name);
        return;
      case 'add element':
        for (const [key, value = ''] of inner) {
          this.#need(!sets.get(name)!.has(key) && (value === '' || chains.has(value.split(' ')[1]!)), `${what} ${key}`);
          sets.get(name)!.set(key, value);
        }
        return;
      case 'delete element':
        for (const [key] of inner) this.#need(sets.get(name)!.delete(key), `${what} ${key}`);
        return;
      default:
        throw new Error(`unknown: ${what}`);
    }
  }

  /** Whether a packet that comes to a chain is let pass by it: `accept`, `drop`, or undefined when it is through. */
  verdict(chain: string, packet: Packet): 'accept' | 'drop' | undefined {
    for (const rule of this.chains.get(chain)!) {
      const words = rule.split(' ');
      const target = /^(?:jump) (\w+)$/.exec(rule)?.[1];
      if (target !== undefined) {
        const inner = this.verdict(target, packet);
        if (inner !== undefined) return inner;
        continue;
      }
      if (rule === 'drop') return 'drop';
      if (this.#matches(rule, packet)) return words.at(-1) as 'accept';
    }
    return undefined;
  }

  #matches(rule: string, { source, destination, protocol, port }: Packet): boolean {
    const l4 = /meta l4proto (\{ [^}]* \}|\w+)/.exec(rule)?.[1];
    if (l4 !== undefined && !l4.split(/[{}, ]+/).includes(protocol)) return false;
    const span = /th dport (\d+)(?:-(\d+))?/.exec(rule);
    if (span !== null && (port < Number(span[1]) || port > Number(span[2] ?? span[1]))) return false;
    const [, end, set] = /ip (saddr|daddr) @(\w+)/.exec(rule) ?? [];
    if (end === undefined) return true;
    const address = parseIpv4(end === 'saddr' ? source : destination)!;
    return [...this.sets.get(set!)!.keys()].some((one) =>
      one.includes('/') ? prefixHas(parseIpv4Prefix(one)!, address) : parseIpv4(one) === address,
    );
  }

  #leadsTo(chain: string): boolean {
    const isTarget = (text: string) => new RegExp(`(?:jump|goto) ${chain}\\b`).test(text);
    return (
      [...this.chains.values()].flat().some(isTarget) ||
      [...this.sets.values()].some((set) => [...set.values()].some(isTarget))
    );
  }

  #need(isSo: boolean, what: string): void {
    if (!isSo) throw new Error(`the kernel would refuse: ${what}`);
  }
}

export interface Packet {
  readonly source: string;
  readonly destination: string;
  /** As nft(8) calls it. */
  readonly protocol: string;
  readonly port: number;
}
