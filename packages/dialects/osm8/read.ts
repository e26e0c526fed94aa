import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { Names, renamed } from '../names.ts';
import type { NativeFunction, NativePort, NativeService, NativeUnit } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { Reporter, type Found } from '../sol006/package.ts';
import type { Fields } from '../sol006/style.ts';
import { toService } from '../to-service.ts';
import { shorten, type Path } from '../yaml-text.ts';
import { findCatalogues } from './catalogue.ts';
import { externalOf, flavourOf, internalOf, pointsOf, ruleOf, scaleOf, type Point } from './meaning.ts';
import { nsdOwn, vduOwn, vnfdOwn } from './own.ts';
import { nsdShape, vnfdShape, type Nsd, type Vdu, type Vnfd } from './shape.ts';

interface Source {
  readonly found: Found;
  readonly vnfd: Vnfd;
}

type NativeNetwork = NonNullable<NativeService['networks']>[number];
type LongPort = Exclude<NativePort, string>;

const OSM8 = 'osm8';
const VERSION = '1.0';

/** Reads packages of OSM up to release 8: one NSD with the VNFDs that it is made of, or one VNFD. Never throws. */
export function readOsm8(files: readonly DescriptorFile[]): ReadResult {
  const found = findCatalogues(files);
  if (found.problems.length > 0) return { problems: found.problems };
  const reporter = new Reporter();
  const [first, second] = found.nsd;
  if (second !== undefined)
    reporter.report('SF-DESCRIPTOR-UNSUPPORTED', second, [], 'a package has one NSD; this is the second');
  const nsd = first === undefined ? undefined : reporter.shape(first, nsdShape);
  const sources = new Map<string, Source>();
  for (const one of found.vnfd) {
    const vnfd = reporter.shape(one, vnfdShape);
    if (vnfd === undefined) continue;
    if (sources.has(vnfd.id))
      reporter.report('SF-DESCRIPTOR-DUPLICATE-KEY', one, ['id'], `there is a VNFD '${shorten(vnfd.id)}' already`);
    sources.set(vnfd.id, { found: one, vnfd });
  }
  if (reporter.failed) return { problems: reporter.problems };
  const reading = new Reading(reporter);
  if (first !== undefined && nsd !== undefined) return reading.service(first, nsd, sources);
  const [only, another] = [...sources.values()];
  if (another !== undefined)
    reporter.report(
      'SF-DESCRIPTOR-UNSUPPORTED',
      another.found,
      [],
      'of several VNFDs an NSD must say how they are connected',
    );
  if (only === undefined || reporter.failed) return { problems: reporter.problems };
  return reading.alone(only);
}

/** To be spread into what has something to carry. */
function carry(fields: Fields): { carried?: Record<string, unknown> } {
  return Object.keys(fields).length === 0 ? {} : { carried: { [OSM8]: fields } };
}

function without(value: unknown, own: ReadonlySet<string>): Fields {
  return Object.fromEntries(Object.entries(value as Fields).filter(([name]) => !own.has(name)));
}

class Reading {
  readonly #reporter: Reporter;
  readonly #origins = new Origins();
  readonly #networks: NativeNetwork[] = [];
  readonly #names = new Names();
  readonly #functionNames = new Names();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  service(found: Found, nsd: Nsd, sources: ReadonlyMap<string, Source>): ReadResult {
    this.#note('', found);
    const raw = found.value as Fields;
    const attached = new Map<string, { readonly network: string; readonly address?: string }>();
    (nsd.vld ?? []).forEach((vld, i) => {
      const name = this.#names.label(vld.id);
      const profile = nsd['ip-profiles']?.find((one) => one.name === vld['ip-profile-ref']);
      const rawVld = (raw['vld'] as readonly unknown[])[i];
      const carried = { ...renamed(vld.id, name), ...without(rawVld, new Set(['id', 'vnfd-connection-point-ref'])) };
      this.#network(
        name,
        `virtual link '${shorten(vld.id)}'`,
        profile?.['ip-profile-params']?.['subnet-address'],
        carried,
        found,
        ['vld', i],
      );
      for (const one of vld['vnfd-connection-point-ref'] ?? []) {
        const address = one['ip-address'];
        attached.set(`${one['member-vnf-index-ref']}\n${one['vnfd-connection-point-ref']}`, {
          network: name,
          ...(address === undefined ? {} : { address }),
        });
      }
    });
    const byIndex = new Map<string, NativeFunction>();
    const sourceOf = new Map<string, Source>();
    nsd['constituent-vnfd'].forEach((member, i) => {
      const source = sources.get(member['vnfd-id-ref']);
      if (source === undefined) {
        const message = `there is no VNFD '${shorten(member['vnfd-id-ref'])}' in the package`;
        this.#reporter.report('SF-DESCRIPTOR-REFERENCE', found, ['constituent-vnfd', i, 'vnfd-id-ref'], message);
        return;
      }
      const index = member['member-vnf-index'];
      const constituent = without((raw['constituent-vnfd'] as readonly unknown[])[i], new Set(['vnfd-id-ref']));
      byIndex.set(
        index,
        this.#function(source, byIndex.size, (point) => attached.get(`${index}\n${point}`), {
          'constituent-vnfd': constituent,
        }),
      );
      sourceOf.set(index, source);
    });
    for (const [index, fn] of byIndex) {
      const before = (nsd['vnf-dependency'] ?? [])
        .filter((one) => one['vnf-source-ref'] === index)
        .map((one) => byIndex.get(one['vnf-depends-on-ref']));
      const after = before.flatMap((other) => (other?.units ?? []).map((unit) => `${other!.name}/${unit.name}`));
      if (after.length > 0) fn.requirements = { after };
    }
    const { chains, unread } = this.#chains(found, nsd, byIndex, sourceOf);
    const name = new Names().label(nsd.id);
    return this.#finish({
      name,
      version: nsd.version ?? this.#version(found),
      ...(nsd.description === undefined ? {} : { description: nsd.description }),
      ...carry({
        ...renamed(nsd.id, name),
        ...without(raw, nsdOwn),
        ...(unread.length === 0 ? {} : { vnffgd: unread }),
      }),
      networks: this.#networks,
      functions: [...byIndex.values()],
      chains,
    });
  }

  alone(source: Source): ReadResult {
    this.#note('', source.found);
    const fn = this.#function(source, 0, () => undefined, {});
    return this.#finish({
      name: fn.name,
      version: source.vnfd.version ?? this.#version(source.found),
      ...carry({ alone: true }),
      networks: this.#networks,
      functions: [fn],
    });
  }

  #finish(native: NativeService): ReadResult {
    return toService(native, this.#origins, this.#reporter.problems);
  }

  #version(found: Found): string {
    this.#reporter.report(
      'SF-DESCRIPTOR-ASSUMED',
      found,
      ['version'],
      `there is no version: ${VERSION} is assumed`,
      'warning',
    );
    return VERSION;
  }

  #network(name: string, what: string, subnet: string | undefined, carried: Fields, found: Found, at: Path): void {
    this.#note(`networks[${this.#networks.length}]`, found, ...at);
    const prefix = subnet?.includes(':') === true ? undefined : subnet;
    if (prefix !== undefined && !this.#networks.some((one) => one.prefix === prefix)) {
      this.#networks.push({ name, prefix, ...carry(carried) });
      return;
    }
    const assumed = assumedPrefix(this.#networks.length);
    const why = prefix === undefined ? `${what} has no IPv4 subnet` : `the subnet of ${what} is taken`;
    this.#reporter.report('SF-DESCRIPTOR-ASSUMED', found, at, `${why}: ${assumed} is assumed`, 'warning');
    this.#networks.push({ name, prefix: assumed, ...carry({ ...ASSUMED, ...carried }) });
  }

  #function(
    source: Source,
    index: number,
    attached: (point: string) => { readonly network: string; readonly address?: string } | undefined,
    more: Fields,
  ): NativeFunction {
    const { vnfd, found } = source;
    const name = this.#functionNames.fresh(vnfd.id);
    this.#note(`functions[${index}]`, found);
    const raw = found.value as Fields;
    const inner = new Map<string, string>();
    (vnfd['internal-vld'] ?? []).forEach((vld, i) => {
      const network = this.#names.fresh(`${name}-${vld.id}`);
      const subnet = vnfd['ip-profiles']?.find((one) => one.name === vld['ip-profile-ref'])?.['ip-profile-params']?.[
        'subnet-address'
      ];
      const { 'internal-connection-point': _points, ...rest } = (raw['internal-vld'] as readonly Fields[])[i]!;
      this.#network(network, `internal virtual link '${shorten(vld.id)}'`, subnet, { 'internal-vld': rest }, found, [
        'internal-vld',
        i,
      ]);
      for (const point of vld['internal-connection-point'] ?? []) inner.set(point['id-ref'], network);
    });
    const names = new Names();
    const units = (vnfd.vdu ?? []).map((vdu, i): NativeUnit => {
      this.#note(`functions[${index}].units[${i}]`, found, 'vdu', i);
      const requirements = flavourOf(vdu);
      const scale = scaleOf(vdu.id, vdu.count, vnfd['scaling-group-descriptor']);
      const unit = names.fresh(vdu.id);
      return {
        name: unit,
        ...(vdu.description === undefined ? {} : { description: vdu.description }),
        environment: 'vm',
        ...(vdu.image === undefined ? {} : { image: `name:${vdu.image}` }),
        ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
        ...(scale === undefined ? {} : { scale }),
        ...carry({ ...renamed(vdu.id, unit), ...without((raw['vdu'] as readonly unknown[])[i], vduOwn) }),
        ports: this.#ports(
          vdu,
          (raw['vdu'] as readonly Fields[])[i]!,
          inner,
          attached,
          found,
          `functions[${index}].units[${i}]`,
          ['vdu', i],
        ),
      };
    });
    const pods = (vnfd.kdu ?? []).map((kdu, i): NativeUnit => {
      const pod = names.fresh(kdu.name);
      this.#note(`functions[${index}].units[${units.length + i}]`, found, 'kdu', i);
      const rest = without((raw['kdu'] as readonly unknown[])[i], new Set(['name', 'description']));
      return {
        name: pod,
        ...(kdu.description === undefined ? {} : { description: kdu.description }),
        environment: 'pod',
        ...carry({ ...renamed(kdu.name, pod), kdu: rest }),
      };
    });
    return {
      name,
      ...(vnfd.description === undefined ? {} : { description: vnfd.description }),
      ...carry({ ...renamed(vnfd.id, name), ...without(raw, vnfdOwn), ...more }),
      units: [...units, ...pods],
    };
  }

  #ports(
    vdu: Vdu,
    raw: Fields,
    inner: ReadonlyMap<string, string>,
    attached: (point: string) => { readonly network: string; readonly address?: string } | undefined,
    found: Found,
    at: string,
    place: Path,
  ): LongPort[] {
    const names = new Names();
    return pointsOf(vdu).map((point, i): LongPort => {
      this.#note(`${at}.ports[${i}]`, found, ...place, point.list, point.index);
      const name = names.fresh(point.value.name);
      const external = externalOf(point);
      const outside = external === undefined ? undefined : attached(external);
      const network = outside?.network ?? inner.get(internalOf(point) ?? '');
      const bandwidth = point.value['virtual-interface']?.bandwidth ?? 0;
      const { name: _name, 'mac-address': _mac, ...rest } = (raw[point.list] as readonly Fields[])[point.index]!;
      const mac = point.value['mac-address']?.toLowerCase().replaceAll('-', ':');
      return {
        name,
        ...(network === undefined ? {} : { network }),
        ...(outside?.address === undefined ? {} : { address: outside.address }),
        ...(mac === undefined ? {} : { mac }),
        ...(name.length > 15 ? { internalIf: `eth${i}` } : {}),
        ...(bandwidth === 0 ? {} : { bandwidthMbps: bandwidth / 1e6 }),
        ...carry({ ...renamed(point.value.name, name), [point.list]: rest }),
      };
    });
  }

  /** A classifier with its rendered service path is a chain, from the point of the classifier on. */
  #chains(
    found: Found,
    nsd: Nsd,
    functions: ReadonlyMap<string, NativeFunction>,
    sources: ReadonlyMap<string, Source>,
  ) {
    const names = new Names();
    const raw = (found.value as Fields)['vnffgd'] as readonly Fields[] | undefined;
    const unread: Fields[] = [];
    const chains = (nsd.vnffgd ?? []).flatMap((graph, g) => {
      const read = (graph.classifier ?? []).map((classifier, c) => {
        const at: Path = ['vnffgd', g, 'classifier', c];
        const rule = ruleOf(classifier);
        const path = graph.rsp?.find(({ id }) => id === classifier['rsp-id-ref']);
        if (rule === undefined || path === undefined) {
          const why =
            path === undefined
              ? `there is no rsp '${shorten(classifier['rsp-id-ref'])}'`
              : 'it names no destination address';
          const message = `classifier '${shorten(classifier.id)}' is not made: ${why}`;
          this.#reporter.report(
            path === undefined ? 'SF-DESCRIPTOR-REFERENCE' : 'SF-DESCRIPTOR-UNSUPPORTED',
            found,
            at,
            message,
            path === undefined ? 'error' : 'warning',
          );
          return undefined;
        }
        const refs = (path['vnfd-connection-point-ref'] ?? []).toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0));
        const hops = [
          hopOf(classifier['member-vnf-index-ref'], classifier['vnfd-connection-point-ref'], functions, sources),
          ...refs.map((ref) =>
            hopOf(
              ref['member-vnf-index-ref'],
              ref['vnfd-ingress-connection-point-ref'] ??
                ref['vnfd-connection-point-ref'] ??
                ref['vnfd-egress-connection-point-ref'],
              functions,
              sources,
            ),
          ),
        ];
        if (hops.length < 2 || hops.includes(undefined)) {
          this.#reporter.report(
            'SF-DESCRIPTOR-REFERENCE',
            found,
            at,
            `classifier '${shorten(classifier.id)}' leads over connection points that are not there`,
          );
          return undefined;
        }
        const [from, ...rest] = hops as string[];
        const to = rest.pop()!;
        const { rsp: _rsp, classifier: _classifiers, ...around } = raw![g]!;
        const own = (raw![g]!['classifier'] as readonly Fields[])[c];
        const rsp = (raw![g]!['rsp'] as readonly Fields[])[graph.rsp!.indexOf(path)];
        return {
          name: names.fresh(classifier.id),
          from: from!,
          through: rest,
          to,
          ...rule,
          ...carry({ vnffgd: around, classifier: own, rsp }),
        };
      });
      const done = read.filter((chain) => chain !== undefined);
      if (done.length === 0) unread.push(raw![g]!);
      return done;
    });
    chains.forEach((_, i) => this.#note(`chains[${i}]`, found, 'vnffgd'));
    return { chains, unread };
  }

  #note(path: string, found: Found, ...at: (string | number)[]): void {
    this.#origins.note(path, () => found.text.locate([...found.path, ...at]));
  }
}

/** The port behind a connection point of a member. */
function hopOf(
  index: string,
  external: string | undefined,
  functions: ReadonlyMap<string, NativeFunction>,
  sources: ReadonlyMap<string, Source>,
): string | undefined {
  const fn = functions.get(index);
  for (const [i, vdu] of (sources.get(index)?.vnfd.vdu ?? []).entries()) {
    const port = pointsOf(vdu).findIndex((point: Point) => externalOf(point) === external);
    const unit = fn?.units?.[i];
    if (port !== -1 && unit !== undefined) return `${fn!.name}/${unit.name}.${(unit.ports![port] as LongPort).name}`;
  }
  return undefined;
}
