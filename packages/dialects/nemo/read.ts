import type { Environment } from '@superfluidity/model';
import { environments, modelLimits } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { Names, renamed } from '../names.ts';
import type { NativeFunction, NativePort, NativeRequirements, NativeService, NativeUnit } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { mentions } from '../recognise.ts';
import { Report } from '../report.ts';
import { toService } from '../to-service.ts';
import { shorten } from '../yaml-text.ts';
import { chainsOf, type Located } from './chains.ts';
import { expand, type Expanded, type Joint, type Leaf, type Pin } from './expand.ts';
import { runScript, type Intent } from './intent.ts';
import { Nets } from './nets.ts';
import { unitProperties } from './models.ts';
import { parseNemo } from './parse.ts';
import type { Value } from './syntax.ts';

export const isNemo = mentions(
  /^[ \t]*(?:(?:CREATE|IMPORT|UPDATE|DELETE)\s+"?(?:Node|NodeModel|Nodemodel|Connection|ConnectionPoint|Flow|Operation)"?\s+"?[\w-]+"?[\s;]|Transaction\s+Begin\s*;)/m,
);

/** Name of the port by which a group outside is attached to the network that it stands for. */
export const INSIDE = 'inside';

/**
 * Reads the scripts of a package as one. Nodes that run become functions: one of a model with nodes inside becomes a
 * function of all units that lie in it, however deep. Groups and connections become networks, flows that operations send
 * through nodes become chains. Never throws.
 */
export function readNemo(files: readonly DescriptorFile[]): ReadResult {
  const report = new Report();
  const found = files.filter(isNemo);
  // An editor knows that a text is a script before anything is written in it.
  const scripts = (found.length > 0 ? found : files.slice(0, 1)).map((file) => ({
    file,
    ...parseNemo(file.bytes, file.path),
  }));
  for (const { problems } of scripts) report.addAll(problems);
  if (report.failed) return { problems: report.problems };
  // Models first, deletions last: which file of a folder comes first says nothing.
  const ordered = scripts.toSorted((a, b) => turnOf(a) - turnOf(b));
  const intent = runScript(
    ordered.flatMap(({ statements }) => statements),
    report,
  );
  const expanded = expand(intent, files, report);
  const main = (ordered.find((script) => turnOf(script) === 1) ?? ordered[0]!).file;
  const start = { file: main.path, line: 1, column: 1 };
  if (intent.Node.size === 0)
    report.error('SF-DESCRIPTOR-MISSING', start, 'when the script has run there is no node: it describes no service');
  if (report.failed) return { problems: report.problems };
  const origins = new Origins();
  origins.note('', start);
  const service = new Reading(intent, expanded, origins, report).service(stem(main.path));
  return toService(service, origins, report.problems);
}

function turnOf({ statements }: ReturnType<typeof parseNemo>): number {
  if (statements.some((one) => one.kind === 'make' && one.item.kind !== 'NodeModel')) return 1;
  return statements.some(({ kind }) => kind === 'delete') ? 2 : 0;
}

/** A script has no name but that of its file. */
function stem(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.[^.]*$/, '');
}

type NativeNetwork = NonNullable<NativeService['networks']>[number];

interface Connected {
  readonly joint?: Joint;
  readonly bandwidthMbps?: number;
}

class Reading {
  readonly #intent: Intent;
  readonly #expanded: Expanded;
  readonly #origins: Origins;
  readonly #report: Report;
  readonly #nets: Nets;
  readonly #touching = new Map<Pin, Joint[]>();
  readonly #connections = new Map<ReadonlySet<Pin>, Connected>();
  readonly #joints = new Map<ReadonlySet<Pin>, Joint[]>();
  readonly #names = new Names();
  readonly #networks: NativeNetwork[] = [];
  /** Names of networks as the scripts have them. */
  readonly #written = new Map<string, string>();
  readonly #networkOf = new Map<ReadonlySet<Pin>, string>();

  constructor(intent: Intent, expanded: Expanded, origins: Origins, report: Report) {
    this.#intent = intent;
    this.#expanded = expanded;
    this.#origins = origins;
    this.#report = report;
    this.#nets = new Nets(expanded.joints);
    for (const joint of expanded.joints) {
      if (joint.connection === '' || joint.pins[0] === undefined) continue;
      for (const pin of joint.pins) {
        const touching = this.#touching.get(pin);
        if (touching === undefined) this.#touching.set(pin, [joint]);
        else touching.push(joint);
      }
      const net = this.#nets.members(joint.pins[0]);
      const list = this.#joints.get(net);
      if (list === undefined) this.#joints.set(net, [joint]);
      else list.push(joint);
    }
  }

  service(file: string): NativeService {
    const label = new Names().label(file);
    this.#groups();
    const located = new Map<Leaf, Located>();
    const functions = this.#functions(located);
    const { chains, statements } = chainsOf(this.#intent, this.#expanded, located, this.#origins, this.#report);
    this.#forward(functions, new Set(chains.flatMap(({ through = [] }) => through)), located);
    const kept = [...statements, ...this.#intent.others];
    const said = { ...renamed(file, label), ...(kept.length === 0 ? {} : { statements: kept }) };
    return {
      name: label,
      version: '1.0',
      networks: this.#networks,
      functions,
      chains,
      ...(Object.keys(said).length === 0 ? {} : { carried: { nemo: said } }),
    };
  }

  /** Networks that are nodes. Two of them that a connection joins are two networks still, with a router between. */
  #groups(): void {
    const groups = this.#expanded.leaves.filter(({ role }) => role === 'network');
    const named = new Map(
      groups.map((leaf) => [leaf, this.#network(leaf.path.join('-'), leaf, leaf.properties.get('ip-prefix'))]),
    );
    const told = new Set<ReadonlySet<Pin>>();
    for (const { pins } of this.#expanded.joints) {
      const net = pins[0] === undefined ? undefined : this.#nets.members(pins[0]);
      if (net === undefined || told.has(net)) continue;
      told.add(net);
      const joined = [...new Set([...net].flatMap(({ group }) => group ?? []))];
      const [first, second] = joined;
      if (first !== undefined) this.#networkOf.set(net, named.get(first)!);
      if (second !== undefined)
        this.#report.error(
          'SF-DESCRIPTOR-UNSUPPORTED',
          second.at,
          `networks '${shorten(first!.path.join('.'))}' and '${shorten(second.path.join('.'))}' are joined without a node between them that forwards`,
        );
    }
  }

  #network(
    name: string,
    of: Pick<Leaf, 'at'> & Partial<Pick<Leaf, 'type' | 'properties'>>,
    prefix?: Value,
    carried: Record<string, unknown> = {},
  ): string {
    const label = this.#names.fresh(name);
    const index = this.#networks.length;
    this.#written.set(label, name);
    this.#origins.note(`networks[${index}]`, of.at);
    const group = of.type === undefined ? {} : { type: of.type, ...propertiesOf(of.properties, ['ip-prefix']) };
    const said = { ...group, ...carried, ...renamed(name, label) };
    if (typeof prefix === 'string') {
      this.#networks.push({ name: label, prefix, carried: { nemo: said } });
      return label;
    }
    const assumed = assumedPrefix(index);
    this.#report.warn(
      'SF-DESCRIPTOR-ASSUMED',
      of.at,
      `nothing says which addresses network '${shorten(name)}' has: ${assumed} is assumed`,
    );
    this.#networks.push({ name: label, prefix: assumed, carried: { nemo: { ...said, ...ASSUMED } } });
    return label;
  }

  #functions(located: Map<Leaf, Located>): NativeFunction[] {
    const names = new Names();
    const tops = new Map<string, Leaf[]>();
    for (const leaf of this.#expanded.leaves) {
      if (leaf.role !== 'function' && leaf.role !== 'external') continue;
      const list = tops.get(leaf.path[0]!);
      if (list === undefined) tops.set(leaf.path[0]!, [leaf]);
      else list.push(leaf);
    }
    return [...tops].map(([top, leaves], i): NativeFunction => {
      const name = names.label(top);
      this.#origins.note(`functions[${i}]`, this.#intent.Node.get(top)?.item.at);
      const within = new Names();
      const imported = this.#intent.Node.get(top)?.imported === true ? { imported: true } : {};
      const said = { ...renamed(top, name), ...imported };
      return {
        name,
        ...(Object.keys(said).length === 0 ? {} : { carried: { nemo: said } }),
        units: leaves.map((leaf, j) => {
          const own = leaf.path.length === 1 ? name : within.fresh(leaf.path.slice(1).join('-'));
          const at = `functions[${i}].units[${j}]`;
          this.#origins.note(at, leaf.at);
          const ports = new Map<Pin, string>();
          const unit = this.#unit(leaf, own, at, ports);
          located.set(leaf, { path: `${name}/${own}`, ports });
          return unit;
        }),
      };
    });
  }

  /** Of nodes whose type says nothing of how they run, those that chains pass forward. */
  #forward(functions: readonly NativeFunction[], hops: ReadonlySet<string>, located: ReadonlyMap<Leaf, Located>): void {
    const paths = new Set([...hops].map((hop) => hop.split('.')[0]!));
    const passed = new Set(
      [...located].flatMap(([leaf, { path }]) => (leaf.implicit && paths.has(path) ? [path] : [])),
    );
    for (const { name, units = [] } of functions)
      for (const unit of units) if (passed.has(`${name}/${unit.name}`)) unit.forwards = true;
  }

  #unit(leaf: Leaf, name: string, at: string, portNames: Map<Pin, string>): NativeUnit {
    const { unit, type, properties } = leaf;
    const names = new Names();
    const ports: NativePort[] = [];
    if (leaf.role === 'external') {
      const network = this.#network(leaf.path.join('-'), { at: leaf.at }, properties.get('ip-prefix'), {
        outside: true,
      });
      ports.push({ name: names.fresh(INSIDE), network });
    }
    for (const port of leaf.ports) {
      const label = names.fresh(port.name);
      portNames.set(port.pin, label);
      const net = this.#nets.members(port.pin);
      const network = this.#networkOf.get(net) ?? this.#connectionNetwork(net);
      const { joint, bandwidthMbps } = this.#connected(port.pin);
      const fits = label.length <= modelLimits.interfaceName;
      const said = {
        ...renamed(port.name, label),
        ...(leaf.implicit || joint === undefined || joint.connection === this.#written.get(network ?? '')
          ? {}
          : { connection: joint.connection }),
      };
      this.#origins.note(`${at}.ports[${ports.length}]`, joint?.at ?? leaf.at);
      ports.push({
        name: label,
        ...(network === undefined ? {} : { network }),
        ...(fits ? {} : { internalIf: `eth${ports.length}` }),
        ...(bandwidthMbps === undefined ? {} : { bandwidthMbps }),
        ...(Object.keys(said).length === 0 ? {} : { carried: { nemo: said } }),
      });
    }
    const mac = leaf.role === 'external' || ports.length !== 1 ? undefined : macOf(properties.get('mac-address'));
    const [only] = ports;
    if (mac !== undefined && typeof only === 'object') ports[0] = { ...only, mac };
    const own = Object.keys(unitProperties).filter((property) => property !== 'mac-address' || mac !== undefined);
    const environment = this.#environment(leaf);
    const forwards = leaf.role === 'external' ? 'true' : properties.get('forwards');
    const requirements = requirementsOf(leaf);
    const said = {
      ...(leaf.implicit ? { type } : {}),
      ...propertiesOf(properties, leaf.role === 'external' ? ['ip-prefix'] : own),
      ...renamed(leaf.path.at(-1)!, name),
    };
    const carried = {
      ...(Object.keys(said).length === 0 ? {} : { nemo: said }),
      ...(unit === undefined ? {} : { vnfd: unit.source }),
    };
    return {
      name,
      ...(unit?.description === undefined ? {} : { description: unit.description }),
      ...environment,
      ...text('program', properties),
      ...text('files', properties),
      ...(Array.isArray(properties.get('command')) ? { command: [...(properties.get('command') as string[])] } : {}),
      ...(forwards === 'true' || forwards === 'false' ? { forwards: forwards === 'true' } : {}),
      ...(requirements === undefined ? {} : { requirements }),
      ports,
      ...(Object.keys(carried).length === 0 ? {} : { carried }),
    };
  }

  /** The connection by which a port leads out of its node, else one inside; and what the narrowest of them lets pass. */
  #connected(pin: Pin): Connected {
    const members = this.#expanded.inside.members(pin);
    const known = this.#connections.get(members);
    if (known !== undefined) return known;
    const joints = [...members].flatMap((one) => this.#touching.get(one) ?? []);
    const joint = joints.find(({ inside }) => !inside) ?? joints[0];
    const [rate] = joints.flatMap(({ bandwidthMbps = [] }) => bandwidthMbps).toSorted((a, b) => a - b);
    const connected = {
      ...(joint === undefined ? {} : { joint }),
      ...(rate === undefined ? {} : { bandwidthMbps: rate }),
    };
    this.#connections.set(members, connected);
    return connected;
  }

  /** A network that is nothing but a connection, or a point that a node shows and nothing is connected to. */
  #connectionNetwork(net: ReadonlySet<Pin>): string | undefined {
    const joints = this.#joints.get(net) ?? [];
    const point = [...net].find(({ name }) => name !== undefined);
    const joint = joints.find(({ inside }) => !inside) ?? joints[0];
    if (joint === undefined && point === undefined) return undefined;
    const shown = point !== undefined && !joints.some(({ inside }) => !inside);
    const name = shown ? point.name! : joint!.connection;
    const at = joint?.at ?? point!.at;
    const network = this.#network(name, { at }, undefined, { connection: joint?.type ?? 'p2p' });
    this.#networkOf.set(net, network);
    return network;
  }

  #environment(leaf: Leaf): { readonly environment: Environment; readonly image?: string } {
    const written = leaf.properties.get('environment');
    const environment = environments.find((one) => one === written) ?? 'vm';
    if (written !== undefined && written !== environment)
      this.#report.missing(leaf.at, 'environment', String(written), environments);
    const image = leaf.properties.get('image');
    if (typeof image === 'string') return { environment, image };
    if (leaf.unit?.image !== undefined) return { environment, image: `name:${leaf.unit.image}` };
    if (environment !== 'vm') return { environment };
    if (leaf.role === 'function')
      this.#report.warn(
        'SF-DESCRIPTOR-ASSUMED',
        leaf.at,
        `nothing says how '${shorten(leaf.path.join('.'))}' runs: an image called '${shorten(leaf.type)}' is assumed`,
      );
    return { environment, image: `name:${leaf.type}` };
  }
}

function text<K extends 'program' | 'files'>(name: K, properties: Leaf['properties']): { readonly [P in K]?: string } {
  const value = properties.get(name);
  return typeof value === 'string' ? ({ [name]: value } as { readonly [P in K]?: string }) : {};
}

function requirementsOf({ unit, properties }: Leaf): NativeRequirements | undefined {
  const number = (name: keyof typeof unitProperties): number | undefined => {
    const value = properties.get(name);
    const parsed = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN;
    return Number.isFinite(parsed) ? parsed : undefined;
  };
  const asked = {
    cpu: number('cpu') ?? unit?.cpu,
    memoryMiB: number('memory-mib') ?? unit?.memoryMiB,
    storageMiB: number('storage-mib') ?? unit?.storageMiB,
    latencyMaxMs: number('latency-max-ms'),
  };
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as NativeRequirements);
}

/** What else stands there is carried: `mac-address` may be a word for one that the network gives. */
function macOf(value: Value | undefined): string | undefined {
  const mac = typeof value === 'string' ? value.toLowerCase() : '';
  return /^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
}

/** What is not read of the properties of a node. */
function propertiesOf(
  properties: Leaf['properties'] | undefined,
  read: readonly string[],
): { readonly properties?: Record<string, Value> } {
  const rest = [...(properties ?? [])].filter(([name]) => !read.includes(name));
  return rest.length === 0 ? {} : { properties: Object.fromEntries(rest) };
}
