import { lastAddress, parseIpv4Prefix } from '@superfluidity/model';
import { assumedAddress } from '../assumed.ts';
import { Names, renamed } from '../names.ts';
import type { NativeService } from '../native/schema.ts';
import type { Origins } from '../origins.ts';
import type { Report } from '../report.ts';
import { shorten } from '../yaml-text.ts';
import type { Expanded, Leaf, Pin } from './expand.ts';
import type { Intent } from './intent.ts';
import { isInteger, type Action, type EndPoint, type FlowItem, type OperationItem, type Value } from './syntax.ts';

/** Where a leaf is in the service. */
export interface Located {
  readonly path: string;
  readonly ports: ReadonlyMap<Pin, string>;
}

type NativeChain = NonNullable<NativeService['chains']>[number];

/** Match items that are read; the others are carried. */
const READ = ['dst-ip', 'proto', 'dst-port'];

/**
 * Flows that an operation sends through nodes, or that have a path, are chains. Their ends are those of the path, else the
 * nodes that have the addresses they match. What is no chain is returned as it was written.
 */
export function chainsOf(
  intent: Intent,
  expanded: Expanded,
  located: ReadonlyMap<Leaf, Located>,
  origins: Origins,
  report: Report,
): { readonly chains: NativeChain[]; readonly statements: readonly string[] } {
  const statements: string[] = [];
  const chains: NativeChain[] = [];
  const names = new Names();
  const chained = new Set<string>();
  const operations = [...intent.Operation.values()].toSorted((a, b) => (b.item.priority ?? 0) - (a.item.priority ?? 0));
  const addresses = [...located].flatMap(([{ properties }, { path }]) => {
    const own = properties.get('ip-prefix') ?? properties.get('ip-address');
    const has = typeof own === 'string' ? parse(own) : undefined;
    return has === undefined ? [] : [{ ...has, path }];
  });
  const add = (flow: FlowItem, operation?: OperationItem): boolean => {
    const chain = chainOf(flow, operation, chains.length, { intent, expanded, located, report, names, addresses });
    if (chain === undefined) return false;
    origins.note(`chains[${chains.length}]`, (operation ?? flow).at);
    chains.push(chain);
    chained.add(flow.name);
    return true;
  };
  for (const { item, text } of operations) {
    const flow = item.target === undefined ? undefined : intent.Flow.get(item.target)?.item;
    const node = item.target === undefined ? undefined : intent.Node.get(item.target);
    if (flow === undefined && node === undefined) {
      if (item.target === undefined)
        report.error('SF-DESCRIPTOR-MISSING', item.at, `operation '${shorten(item.name)}' has no target`);
      else report.missing(item.at, 'flow or node', item.target, [...intent.Flow.keys(), ...intent.Node.keys()]);
      continue;
    }
    const path = flow?.properties.some(({ name }) => name === 'path') ?? false;
    const forwards = item.actions.some(({ name }) => name === 'go-through' || (path && name === 'allow'));
    if (!forwards || flow === undefined || chained.has(flow.name) || !add(flow, item)) statements.push(text);
  }
  for (const { item, text } of intent.Flow.values()) {
    if (chained.has(item.name)) continue;
    const path = item.properties.some(({ name }) => name === 'path');
    if (!path || !add(item)) statements.unshift(text);
  }
  return { chains, statements };
}

interface Context {
  readonly intent: Intent;
  readonly expanded: Expanded;
  readonly located: ReadonlyMap<Leaf, Located>;
  readonly report: Report;
  readonly names: Names;
  /** What nodes that run have for addresses. */
  readonly addresses: readonly (Addresses & { readonly path: string })[];
}

function chainOf(
  flow: FlowItem,
  operation: OperationItem | undefined,
  index: number,
  context: Context,
): NativeChain | undefined {
  const { report, names } = context;
  const path = flow.properties.find(({ name }) => name === 'path');
  const through = operation?.actions.find(({ name }) => name === 'go-through');
  const hops = new Hops(context);
  const whole = path === undefined ? undefined : hops.of(listOf(path.value), path.at);
  const between = through?.value === undefined ? whole?.slice(1, -1) : hops.of(listOf(through.value), through.at);
  const from = whole?.[0] ?? hops.end(flow, 'src-ip');
  const to = whole?.at(-1) ?? hops.end(flow, 'dst-ip');
  if (hops.failed) return undefined;
  if (from === undefined || to === undefined || between === undefined) {
    const message = `nothing says between which nodes flow '${shorten(flow.name)}' passes: give it the property path`;
    report.warn('SF-DESCRIPTOR-UNSUPPORTED', flow.at, message);
    return undefined;
  }
  const match = new Map(flow.match.map(({ name, value }) => [name, value]));
  const address = match.get('dst-ip');
  const single = typeof address === 'string' && /^[0-9.]+$/.test(address) ? address : undefined;
  if (single === undefined) {
    const message = `flow '${shorten(flow.name)}' has no single address as its destination: ${assumedAddress(index)} is assumed`;
    report.warn('SF-DESCRIPTOR-ASSUMED', flow.at, message);
  }
  const ports = listOf(match.get('dst-port') ?? [])
    .filter(isInteger)
    .map(Number);
  const protocol = protocols.get(String(match.get('proto')));
  const wanted = operation?.name ?? flow.name;
  const name = names.fresh(wanted);
  const bandwidth = operation?.actions.find((action) => action.name === 'qos-bandwidth');
  const rate = Number(bandwidth?.value);
  const said = {
    ...renamed(wanted, name),
    ...saidOf(flow, operation, match, single !== undefined, protocol !== undefined),
    ...(hops.group === undefined ? {} : { group: hops.group }),
  };
  return {
    name,
    from,
    through: between,
    to,
    address: single ?? assumedAddress(index),
    protocol: protocol ?? (ports.length > 0 ? 'tcp' : 'any'),
    ports,
    ...(Number.isFinite(rate) && typeof bandwidth?.value === 'string' ? { bandwidthMbps: rate } : {}),
    ...(Object.keys(said).length === 0 ? {} : { carried: { nemo: said } }),
  };
}

const protocols: ReadonlyMap<string, 'tcp' | 'udp'> = new Map([
  ['tcp', 'tcp'],
  ['6', 'tcp'],
  ['udp', 'udp'],
  ['17', 'udp'],
]);

/** What a flow and its operation say beside the chain. */
function saidOf(
  flow: FlowItem,
  operation: OperationItem | undefined,
  match: ReadonlyMap<string, Value>,
  addressed: boolean,
  known: boolean,
): Record<string, unknown> {
  const rest = [...match].filter(
    ([name]) => !READ.includes(name) || (name === 'dst-ip' && !addressed) || (name === 'proto' && !known),
  );
  const actions = (operation?.actions ?? []).filter(
    ({ name }) => !['go-through', 'allow', 'qos-bandwidth'].includes(name),
  );
  const properties = flow.properties
    .filter(({ name }) => name !== 'path')
    .map(({ name, value }) => [name, value] as const);
  return {
    ...(operation === undefined || flow.name === operation.name ? {} : { flow: flow.name }),
    ...(rest.length === 0 ? {} : { match: Object.fromEntries(rest) }),
    ...(addressed ? {} : { addressAssumed: true }),
    ...(properties.length === 0 ? {} : { properties: Object.fromEntries(properties) }),
    ...(actions.length === 0
      ? {}
      : { actions: actions.map(({ name, value }) => ({ name, ...(value === undefined ? {} : { value }) })) }),
    ...(operation?.condition === undefined ? {} : { condition: operation.condition }),
    ...((operation?.priority ?? 0) === 0 ? {} : { priority: operation!.priority }),
  };
}

function listOf(value: Value): readonly string[] {
  if (typeof value === 'string') return [value];
  return 'from' in value ? [] : value;
}

/** Nodes that are named in values, as units of the service. */
class Hops {
  failed = false;
  /** The chain-group that was named, where it alone was. */
  group: string | undefined;
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  of(names: readonly string[], at: Action['at']): string[] {
    const { intent } = this.#context;
    const [only] = names;
    return names.flatMap((name) => {
      const [node = '', point] = name.split('.');
      const named = intent.Node.get(node)?.item;
      if (named?.type !== 'chain-group') return this.#hop({ node, at, ...(point === undefined ? {} : { point }) });
      if (names.length === 1) this.group = only;
      return (named.contain ?? []).flatMap((end) => this.#hop(end));
    });
  }

  /** The node that has the addresses of a flow's source or destination: the first whose prefix, or address, contains them. */
  end(flow: FlowItem, item: 'src-ip' | 'dst-ip'): string | undefined {
    const wanted = flow.match.find(({ name }) => name === item)?.value;
    const prefix = typeof wanted === 'string' ? parse(wanted) : undefined;
    if (prefix === undefined) return undefined;
    return this.#context.addresses.find(({ first, last }) => first <= prefix.first && last >= prefix.last)?.path;
  }

  #hop(end: EndPoint): readonly string[] {
    const { expanded, located, report, intent } = this.#context;
    const found = expanded.at(end);
    const place = found === undefined ? undefined : located.get(found.leaf);
    if (found === undefined || place === undefined) {
      this.failed = true;
      const shown = end.point === undefined ? end.node : `${end.node}.${end.point}`;
      report.missing(end.at, 'node that packets could pass', shown, intent.Node.keys());
      return [];
    }
    const port = found.port === undefined ? undefined : place.ports.get(found.port.pin);
    return [port === undefined ? place.path : `${place.path}.${port}`];
  }
}

interface Addresses {
  readonly first: number;
  readonly last: number;
}

function parse(text: string): Addresses | undefined {
  const prefix = parseIpv4Prefix(text.includes('/') ? text : `${text}/32`);
  return prefix === undefined ? undefined : { first: prefix.base, last: lastAddress(prefix) };
}
