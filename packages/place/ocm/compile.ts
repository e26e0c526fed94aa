import { nearest } from '@superfluidity/core';
import { placeLimits } from '../errors.ts';
import { SiteLatencies } from '../latency.ts';
import type { Chain, ChainsProblem, FunctionFacts, HostFacts, Partner } from './chain.ts';
import type { ChainsRequest } from './request.ts';
import { MICRO_CORES } from './switch-model.ts';

/** What is wrong with a request, and where: `chains[2].functions[0].cpu`. */
export interface RequestProblem {
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export type Compiled =
  | { readonly problem: ChainsProblem; readonly problems: readonly [] }
  | { readonly problems: readonly RequestProblem[] };

/** Numbers what a request names and refuses what cannot be meant. Takes time in proportion to the request. */
export function compileChains(request: ChainsRequest): Compiled {
  const compiler = new Compiler(request);
  const problem = compiler.run();
  return compiler.problems.length === 0 ? { problem, problems: [] } : { problems: compiler.problems };
}

const PROBLEMS_MAX = 100;

class Compiler {
  readonly problems: RequestProblem[] = [];
  readonly #request: ChainsRequest;
  readonly #sites: ReadonlyMap<string, number>;
  readonly #switches: ReadonlyMap<string, number>;
  readonly #chains: ReadonlyMap<string, number>;
  readonly #hosts = new Map<string, number>();
  readonly #hostFacts: HostFacts[] = [];

  constructor(request: ChainsRequest) {
    this.#request = request;
    this.#switches = this.#number(request.switches, 'switches', 'switch');
    this.#sites = this.#number(request.sites, 'sites', 'site');
    this.#chains = this.#number(request.chains, 'chains', 'chain');
  }

  run(): ChainsProblem {
    const { sites, chains, switches, costModel = 'consistent' } = this.#request;
    this.#checkSizes();
    this.#checkSwitches();
    this.#readHosts();
    const latencyMs = this.#latencies();
    const partners = this.#partners();
    return {
      hosts: this.#hostFacts,
      sites: sites.map(({ name, hostLatencyMs = 0 }) => ({ name, hostLatencyMs })),
      latencyMs,
      chains: chains.map((_, number) => this.#chain(number, partners)),
      models: switches,
      costModel,
    };
  }

  #checkSizes(): void {
    const { sites, chains } = this.#request;
    const hosts = sites.reduce((sum, site) => sum + site.hosts.length, 0);
    const over = (what: string, size: number, max: number, path: string) => {
      if (size > max) this.#report(path, `${size} ${what}, at most ${max}`);
    };
    over('hosts', hosts, placeLimits.hosts, 'sites');
    over('sites', sites.length, placeLimits.chainSites, 'sites');
    over('chains', chains.length, placeLimits.chains, 'chains');
    if (hosts === 0) this.#report('sites', 'there are no hosts');
  }

  #checkSwitches(): void {
    this.#request.switches.forEach(({ name, coefficients }, i) => {
      for (const [key, value] of Object.entries(coefficients)) {
        this.#check(`switches[${i}].coefficients.${key}`, value, `${key} of ${name}`);
      }
    });
  }

  #readHosts(): void {
    const { sites } = this.#request;
    const known = this.#lookup(this.#switches, 'switch');
    const byDefault = known(this.#request.switch, 'switch');
    sites.forEach(({ name: site, hosts, hostLatencyMs }, s) => {
      if (hostLatencyMs !== undefined)
        this.#check(`sites[${s}].hostLatencyMs`, hostLatencyMs, `the latency in ${site}`);
      hosts.forEach((host, h) => {
        const path = `sites[${s}].hosts[${h}]`;
        const name = `${site}/${host.name}`;
        if (this.#hosts.has(name)) this.#report(`${path}.name`, `there are two hosts '${name}'`);
        this.#check(`${path}.cpu`, host.cpu, `cpu of ${name}`);
        if (host.memoryMiB !== undefined) this.#check(`${path}.memoryMiB`, host.memoryMiB, `memory of ${name}`);
        const model = host.switch === undefined ? byDefault : known(host.switch, `${path}.switch`);
        this.#hosts.set(name, this.#hostFacts.length);
        this.#hostFacts.push({
          name,
          site: s,
          capacity: micro(host.cpu),
          memoryMiB: host.memoryMiB ?? Number.POSITIVE_INFINITY,
          accelerators: host.accelerators ?? [],
          model,
        });
      });
    });
  }

  #latencies(): Float64Array {
    const { sites, links, chains } = this.#request;
    const known = this.#lookup(this.#sites, 'site');
    const usable = links.filter((link, i) => {
      this.#check(`links[${i}].latencyMs`, link.latencyMs, `the latency between ${link.a} and ${link.b}`);
      const ends = [known(link.a, `links[${i}].a`), known(link.b, `links[${i}].b`)];
      return ends.every((end) => end >= 0) && link.latencyMs >= 0;
    });
    const ways = new SiteLatencies(usable.map((link) => ({ ...link, bandwidthMbps: 1 })));
    const matrix = new Float64Array(sites.length * sites.length);
    // Without links and bounds, nobody has said anything about distances.
    const silent = links.length === 0 && chains.every(({ latencyMaxMs }) => latencyMaxMs === undefined);
    sites.forEach(({ name }, a) => {
      const row = ways.from(name);
      sites.forEach((other, b) => {
        matrix[a * sites.length + b] = a === b || silent ? 0 : (row.get(other.name) ?? Number.POSITIVE_INFINITY);
      });
      if (a > 0 && !silent && matrix[a] === Number.POSITIVE_INFINITY) {
        this.#report(
          `sites[${a}]`,
          `there is no way from ${sites[0]!.name} to ${name}: the graph of links is in parts`,
        );
      }
    });
    return matrix;
  }

  #chain(number: number, partners: ReadonlyMap<string, Partner[]>): Chain {
    const chain = this.#request.chains[number]!;
    const path = `chains[${number}]`;
    const site = this.#lookup(this.#sites, 'site');
    this.#check(`${path}.ratePps`, chain.ratePps, `the rate of ${chain.name}`);
    if (chain.ratePps === 0) this.#report(`${path}.ratePps`, `the rate of ${chain.name} is 0`);
    if (chain.latencyMaxMs !== undefined) {
      this.#check(`${path}.latencyMaxMs`, chain.latencyMaxMs, `the latency of ${chain.name}`);
    }
    if (chain.functions.length === 0) this.#report(`${path}.functions`, `chain ${chain.name} is empty`);
    if (chain.functions.length > placeLimits.chainFunctions) {
      this.#report(`${path}.functions`, `${chain.functions.length} functions, at most ${placeLimits.chainFunctions}`);
    }
    this.#number(chain.functions, `${path}.functions`, 'function');
    const end = (which: 'from' | 'to') => {
      const name = chain[which];
      return name === undefined ? {} : { [which]: site(name, `${path}.${which}`) };
    };
    return {
      name: chain.name,
      number,
      ratePps: chain.ratePps,
      functions: chain.functions.map((each, i) =>
        this.#function(each, `${path}.functions[${i}]`, partners.get(`${number} ${i}`)),
      ),
      ...end('from'),
      ...end('to'),
      latencyMaxMs: chain.latencyMaxMs ?? Number.POSITIVE_INFINITY,
    };
  }

  #function(
    { name, cpu, memoryMiB, accelerators, sites, hosts }: ChainsRequest['chains'][number]['functions'][number],
    path: string,
    partners: readonly Partner[] = [],
  ): FunctionFacts {
    this.#check(`${path}.cpu`, cpu, `cpu of ${name}`);
    if (memoryMiB !== undefined) this.#check(`${path}.memoryMiB`, memoryMiB, `memory of ${name}`);
    const [site, host] = [this.#lookup(this.#sites, 'site'), this.#lookup(this.#hosts, 'host')];
    return {
      name,
      guest: micro(cpu),
      memoryMiB: memoryMiB ?? 0,
      accelerators: accelerators ?? [],
      ...(sites === undefined ? {} : { sites: new Set(sites.map((each, i) => site(each, `${path}.sites[${i}]`))) }),
      ...(hosts === undefined ? {} : { hosts: new Set(hosts.map((each, i) => host(each, `${path}.hosts[${i}]`))) }),
      partners,
    };
  }

  /** By `chain function`, in numbers. */
  #partners(): ReadonlyMap<string, Partner[]> {
    const { chains } = this.#request;
    const all = new Map<string, Partner[]>();
    let count = 0;
    const add = (chain: number, of: number, partner: Partner) => {
      const key = `${chain} ${of}`;
      const list = all.get(key);
      if (list === undefined) all.set(key, [partner]);
      else list.push(partner);
      count += 1;
    };
    chains.forEach(({ functions }, chain) => {
      functions.forEach(({ affinity = [] }, own) => {
        affinity.forEach(({ kind, scope, with: references }, a) => {
          references.forEach((reference, r) => {
            const path = `chains[${chain}].functions[${own}].affinity[${a}].with[${r}]`;
            for (const other of this.#refer(reference, chain, path)) {
              if (other.chain === chain && other.function === own) continue;
              add(chain, own, { kind, scope, ...other });
              add(other.chain, other.function, { kind, scope, chain, function: own });
            }
          });
        });
      });
    });
    if (count > placeLimits.partners) this.#report('chains', `affinity joins more than ${placeLimits.partners} pairs`);
    return all;
  }

  #refer(reference: string, chain: number, path: string): readonly Pick<Partner, 'chain' | 'function'>[] {
    const { chains } = this.#request;
    const slash = reference.indexOf('/');
    const own = chains[chain]!.functions.findIndex(({ name }) => name === reference);
    if (own >= 0) return [{ chain, function: own }];
    const number = this.#chains.get(slash < 0 ? reference : reference.slice(0, slash));
    const other = number === undefined ? undefined : chains[number]!;
    if (other !== undefined && slash < 0) {
      return other.functions.map((_, i) => ({ chain: number!, function: i }));
    }
    const there = other?.functions.findIndex(({ name }) => name === reference.slice(slash + 1)) ?? -1;
    if (there >= 0) return [{ chain: number!, function: there }];
    const names = [
      ...chains[chain]!.functions.map(({ name }) => name),
      ...(other?.functions ?? []).map(({ name }) => `${other!.name}/${name}`),
      ...this.#chains.keys(),
    ];
    this.#unknown(path, `there is no function or chain '${reference}'`, reference, names);
    return [];
  }

  #number(list: readonly { readonly name: string }[], path: string, what: string): ReadonlyMap<string, number> {
    const numbers = new Map<string, number>();
    list.forEach(({ name }, i) => {
      if (numbers.has(name))
        this.#report(`${path}[${i}].name`, `there are two of the name '${name}': a ${what} has one of its own`);
      else numbers.set(name, i);
    });
    return numbers;
  }

  #lookup(known: ReadonlyMap<string, number>, what: string): (name: string, path: string) => number {
    return (name, path) => {
      const number = known.get(name);
      if (number === undefined) this.#unknown(path, `there is no ${what} '${name}'`, name, known.keys());
      return number ?? -1;
    };
  }

  #check(path: string, value: number, what: string): void {
    if (!Number.isFinite(value)) this.#report(path, `${what} is not a number`);
    else if (value < 0) this.#report(path, `${what} is less than 0`);
    else if (value > placeLimits.amount) this.#report(path, `${what} is more than ${placeLimits.amount}`);
  }

  #unknown(path: string, message: string, name: string, candidates: Iterable<string>): void {
    const near = nearest(name, candidates);
    this.#report(path, message, near === undefined ? undefined : `did you mean '${near}'?`);
  }

  #report(path: string, message: string, suggestion?: string): void {
    if (this.problems.length >= PROBLEMS_MAX) return;
    this.problems.push(suggestion === undefined ? { path, message } : { path, message, suggestion });
  }
}

const micro = (cores: number) => Math.round(cores * MICRO_CORES);
