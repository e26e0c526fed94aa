import { readFileSync } from 'node:fs';
import { canonicalJson, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { Match, SitePath } from '@superfluidity/fabric';
import {
  addRule,
  deleteRoute,
  deleteRule,
  inNamespace,
  replaceRoute,
  transactTolerating,
} from '@superfluidity/netlink';
import { run } from './command.ts';
import { Records } from './records.ts';
import { applyRuleset } from './nft.ts';
import type { Scope } from './scope.ts';
import { UPLINK_INDEX } from './router.ts';
import { TABLE } from './steering.ts';

/**
 * Versions of service chains on the hosts of a site, or on its gateway. The connection mark of a flow is the number of its version; with
 * the port that a packet comes from and its destination it gives the packet mark, which selects a routing table with one
 * route: H.Encaps with the segments to the next hop. Which version a new flow takes is in six maps that are written
 * anew in one transaction whenever a version comes, goes or becomes the active one: see `render-chain.ts` of the fabric
 * for why this moves no flow that exists.
 */
interface PathRecord {
  readonly path: SitePath;
  readonly active: boolean;
  /** Connection mark. */
  readonly mark: number;
  readonly rules: readonly SteerRule[];
}

interface SteerRule {
  readonly host: string;
  readonly device: string;
  readonly match: Match;
  readonly segments: readonly string[];
  readonly classifier: boolean;
  /** Reverse: whose replies these are, the service addresses. Chains with the same users and functions differ by it. */
  readonly sources: readonly string[];
  /** Packet mark and routing table. */
  readonly table: number;
}

/** Where a port is; undefined when the site has no such port. */
export type FindPort = (portId: string) => PortPlace | undefined;

/** Where packets of ports are steered: a host, or a gateway. Its device with the index `UPLINK_INDEX` is there. */
export interface SteeringPlace {
  readonly namespace: string;
}

export interface PortPlace {
  readonly host: string;
  /** By which the packets of the port come in there. */
  readonly device: string;
  /** Those of chains that end there; its own where it has none. */
  readonly addresses: readonly string[];
}

/** Before the rules of the kernel for the main table (32766), after that for local addresses (0). */
const RULE_PRIORITY = 1000;
/** Tables and marks count up from here, apart from those of the system. */
const TABLE_MIN = 10_000;
const TABLE_MAX = 1_000_000;
const PRESENT = ['EEXIST'];
const ABSENT = ['ENOENT', 'ESRCH', 'EAFNOSUPPORT'];
const CONNECTIONS_BYTES_MAX = 64 << 20;

export class Paths {
  readonly #hosts: ReadonlyMap<string, SteeringPlace>;
  readonly #records: Records<PathRecord>;
  readonly #counter: Records<number>;
  readonly #findPort: FindPort;
  /** One change at a time: each writes the maps of its hosts from what is there then. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(scope: Scope, hosts: ReadonlyMap<string, SteeringPlace>, findPort: FindPort, log: Logger) {
    this.#hosts = hosts;
    this.#findPort = findPort;
    this.#records = new Records(`${scope.folder}/paths`, log);
    this.#counter = new Records(`${scope.folder}/counters`, log);
  }

  ensure(path: SitePath): Promise<void> {
    return this.#alone(async () => {
      const id = pathId(path.chainId, path.version);
      const doing = `install version ${path.version} of chain ${path.chainId}`;
      const known = this.#records.get(id);
      if (known !== undefined) {
        if (canonicalJson(known.path) === canonicalJson(path)) return;
        throw new SuperfluidityError('SF-SITE-CONFLICT', { doing, reason: 'it is installed with other hops' });
      }
      const record: PathRecord = { path, active: false, mark: this.#number(), rules: this.#rules(doing, path) };
      // Written down first: what is recorded can be removed, whatever was made of it.
      this.#records.put(id, record);
      try {
        this.#installRoutes(record);
        await this.#writeMaps(hostsOf(record));
      } catch (error) {
        this.#records.delete(id);
        this.#removeRoutes(record);
        await this.#writeMaps(hostsOf(record)).catch(() => {});
        throw error;
      }
    });
  }

  /** As they are written down. */
  installed(): readonly SitePath[] {
    return this.#records.values().map(({ path }) => path);
  }

  /** Installs again what is written down, where the namespaces were made anew. Idempotent. */
  restore(): Promise<void> {
    return this.#alone(async () => {
      const records = this.#records.values();
      for (const record of records) this.#installRoutes(record);
      await this.#writeMaps(new Set(records.flatMap((record) => [...hostsOf(record)])));
    });
  }

  activate(chainId: string, version: number): Promise<void> {
    return this.#alone(async () => {
      const record = this.#records.get(pathId(chainId, version));
      if (record === undefined) {
        throw new SuperfluidityError('SF-SITE-NO-PATH', {
          doing: `activate version ${version} of chain ${chainId}`,
          reason: 'it is not installed',
          data: { chainId, version },
        });
      }
      if (record.active) return;
      const others = this.#versions(chainId).filter((other) => other.active);
      for (const other of others) this.#put({ ...other, active: false });
      this.#put({ ...record, active: true });
      try {
        await this.#writeMaps(new Set([record, ...others].flatMap((one) => [...hostsOf(one)])));
      } catch (error) {
        this.#put(record);
        for (const other of others) this.#put(other);
        throw error;
      }
    });
  }

  remove(chainId: string, version: number): Promise<void> {
    return this.#alone(async () => {
      const record = this.#records.get(pathId(chainId, version));
      if (record === undefined) return;
      this.#records.delete(pathId(chainId, version));
      try {
        await this.#writeMaps(hostsOf(record));
      } catch (error) {
        this.#put(record);
        throw error;
      }
      this.#removeRoutes(record);
    });
  }

  /** Connections that were classified into the version and are not at their end. */
  async countFlows(chainId: string, version: number): Promise<number> {
    const record = this.#records.get(pathId(chainId, version));
    if (record === undefined) return 0;
    const { classifiers, endpoints } = record.path;
    const atClassifier = new Set(classifiers.map(({ match }) => match.fromPort));
    // Behind a translating function the same flow is seen again, from the address of that function.
    const inner = new Set(endpoints.filter(({ portId }) => !atClassifier.has(portId)).map(({ address }) => address));
    const hosts = new Set(record.rules.filter(({ classifier }) => classifier).map(({ host }) => host));
    let flows = 0;
    for (const host of hosts) {
      for (const line of await this.#connections(host)) {
        const flow = readConnection(line);
        if (flow?.mark === record.mark && flow.useful && !inner.has(flow.source)) flows += 1;
      }
    }
    return flows;
  }

  /** The ports that chains lead through: they must not be removed under them without their packets being dropped. */
  #rules(doing: string, path: SitePath): readonly SteerRule[] {
    const of = (
      rule: { readonly match: Match; readonly segments: readonly string[] },
      classifier: boolean,
    ): SteerRule => {
      const port = this.#findPort(rule.match.fromPort);
      if (port === undefined) {
        throw new SuperfluidityError('SF-SITE-CONFLICT', {
          doing,
          reason: `the site has no port ${rule.match.fromPort}`,
          hint: 'Units are started before chains lead through them: retry the operation.',
          data: { port: rule.match.fromPort },
        });
      }
      const { match, segments } = rule;
      // Who does not say where replies come from means all that the port answers to.
      const answers = match.source === undefined ? port.addresses : [hostOf(match.source)];
      return {
        host: port.host,
        device: port.device,
        match,
        segments,
        classifier,
        sources: match.direction === 'reverse' ? answers : [],
        table: this.#number(),
      };
    };
    return [...path.classifiers.map((rule) => of(rule, true)), ...path.steers.map((rule) => of(rule, false))];
  }

  #number(): number {
    const last = this.#counter.get('marks') ?? TABLE_MIN;
    const next = last >= TABLE_MAX ? TABLE_MIN : last + 1;
    this.#counter.put('marks', next);
    return next;
  }

  #versions(chainId: string): readonly PathRecord[] {
    return this.#records.values().filter(({ path }) => path.chainId === chainId);
  }

  #put(record: PathRecord): void {
    this.#records.put(pathId(record.path.chainId, record.path.version), record);
  }

  #installRoutes({ rules }: PathRecord): void {
    for (const { host, table, match, segments } of rules) {
      const namespace = this.#hosts.get(host)!.namespace;
      transactTolerating(namespace, PRESENT, [
        replaceRoute({ ...DEFAULT, table, encap: { kind: 'seg6', mode: 'encap', segments } }),
        // `to` spares the next hop of End.DX4 this rule: it is looked up with the mark that the packet still has.
        addRule({ family: 4, priority: RULE_PRIORITY, mark: table, to: match.destination, table }),
      ]);
    }
  }

  #removeRoutes({ rules }: PathRecord): void {
    for (const { host, table, match } of rules) {
      const namespace = this.#hosts.get(host)?.namespace;
      if (namespace === undefined) continue;
      transactTolerating(namespace, ABSENT, [
        deleteRule({ family: 4, priority: RULE_PRIORITY, mark: table, to: match.destination, table }),
        deleteRoute({ ...DEFAULT, table }),
      ]);
    }
  }

  async #writeMaps(hosts: ReadonlySet<string>): Promise<void> {
    await Promise.all(
      [...hosts].map((name) => applyRuleset(this.#hosts.get(name)!.namespace, mapsText(name, this.#records.values()))),
    );
  }

  async #connections(host: string): Promise<readonly string[]> {
    const { namespace } = this.#hosts.get(host)!;
    try {
      return inNamespace(namespace, () => readFileSync('/proc/thread-self/net/nf_conntrack', 'utf8')).split('\n');
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') throw error;
    }
    // Kernels may leave the file out (CONFIG_NF_CONNTRACK_PROCFS).
    const { stdout } = await run(['conntrack', '-L'], { namespace, outputBytesMax: CONNECTIONS_BYTES_MAX });
    return stdout.split('\n');
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

const DEFAULT = { destination: 'default', family: 4, device: UPLINK_INDEX } as const;

function hostOf(prefix: string): string {
  return prefix.replace(/\/32$/, '');
}

function pathId(chainId: string, version: number): string {
  return `${chainId}/${version}`;
}

function hostsOf({ rules }: PathRecord): ReadonlySet<string> {
  return new Set(rules.map(({ host }) => host));
}

/** States in which a TCP connection still carries something; all others end by themselves. */
const LIVE_TCP = new Set(['SYN_SENT', 'SYN_RECV', 'ESTABLISHED', 'CLOSE_WAIT', 'FIN_WAIT']);

export function readConnection(
  line: string,
): { readonly source: string; readonly mark: number; readonly useful: boolean } | undefined {
  const source = / src=(\S+) /.exec(line)?.[1];
  const mark = / mark=(\d+)/.exec(line)?.[1];
  if (source === undefined || mark === undefined) return undefined;
  const state = / tcp +6 \d+ ([A-Z_]+) /.exec(` ${line}`)?.[1];
  return { source, mark: Number(mark), useful: state === undefined || LIVE_TCP.has(state) };
}

/**
 * Who decides for new flows from a port: the active version where it has a match for the port; else, for steers, the
 * highest installed one that has. A classifier of a version that is not active sends nothing into it.
 */
export function mapsText(host: string, records: readonly PathRecord[]): string {
  const assigned = new Map<string, { readonly rank: number; readonly mark: number; readonly rule: SteerRule }>();
  const steer: string[] = [];
  const versions = new Set<number>();
  const chained = new Set<string>();
  for (const { path, active, mark, rules } of records) {
    for (const rule of rules) {
      if (rule.host !== host) continue;
      versions.add(mark);
      const { device, match } = rule;
      const destination = hostOf(match.destination);
      steer.push(`${mark} . "${device}" . ${destination} : ${rule.table}`);
      if (match.direction === 'forward') chained.add(destination);
      // The last hop only answers: what it answers for must be let in.
      for (const source of rule.sources) chained.add(source);
      if (rule.classifier && !active) continue;
      const key = canonicalJson([path.chainId, device, match]);
      const rank = active ? Number.POSITIVE_INFINITY : path.version;
      if ((assigned.get(key)?.rank ?? 0) < rank) assigned.set(key, { rank, mark, rule });
    }
  }
  const maps = {
    forward_port: new Map<string, number>(),
    forward_protocol: new Map<string, number>(),
    forward_any: new Map<string, number>(),
    reverse_port: new Map<string, number>(),
    reverse_protocol: new Map<string, number>(),
    reverse_any: new Map<string, number>(),
  };
  for (const { mark, rule } of assigned.values()) {
    const { match, device, sources } = rule;
    const { direction, protocol, ports } = match;
    const destination = hostOf(match.destination);
    const ends = direction === 'forward' ? [destination] : sources.map((source) => `${source} . ${destination}`);
    for (const end of ends) {
      const key = `"${device}" . ${end}`;
      if (protocol === 'any') maps[`${direction}_any`].set(key, mark);
      else if (ports.length === 0) maps[`${direction}_protocol`].set(`${key} . ${protocol}`, mark);
      else for (const port of ports) maps[`${direction}_port`].set(`${key} . ${protocol} . ${port}`, mark);
    }
  }
  const fill = (kind: 'map' | 'set', name: string, elements: Iterable<string>) => {
    const list = [...elements].join(', ');
    return `flush ${kind} ip ${TABLE} ${name}\n${list === '' ? '' : `add element ip ${TABLE} ${name} { ${list} }\n`}`;
  };
  return [
    ...Object.entries(maps).map(([name, elements]) =>
      fill(
        'map',
        name,
        [...elements].map(([key, mark]) => `${key} : ${mark}`),
      ),
    ),
    fill('map', 'steer', steer),
    fill('set', 'versions', [...versions].map(String)),
    fill('set', 'chained', chained),
  ].join('');
}
