import type { Problem } from '@superfluidity/core';
import type { Service } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import { withQuestions } from '../check-questions.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { Names } from '../names.ts';
import type { NativeFunction, NativeService } from '../native/schema.ts';
import { toModel } from '../native/to-model.ts';
import { Origins } from '../origins.ts';
import { toService } from '../to-service.ts';
import { shorten, type Path } from '../yaml-text.ts';
import { Carrier } from './carry.ts';
import { linkData, linkOf } from './connectivity.ts';
import { findDescriptors, Reporter, type Found } from './package.ts';
import { readChains, type ReadChain } from './read-chains.ts';
import { kduPoints, profileRequirements, readFunction, type FunctionContext } from './read-function.ts';
import type { VnfdSource } from './read-unit.ts';
import { nsdShape, vnfdShape, type Nsd, type VnfProfile } from './shape.ts';
import type { Style } from './style.ts';

/** Reads an ETSI SOL006 package: an NSD with the VNFDs and nested descriptors that it refers to, or one VNFD. Never throws. */
export function readSol006(files: readonly DescriptorFile[]): ReadResult {
  return readEtsi(files, 'sol006');
}

export function readEtsi(files: readonly DescriptorFile[], style: Style): ReadResult {
  const found = findDescriptors(files);
  if (found.problems.length > 0) return { problems: found.problems };
  const reporter = new Reporter();
  const [first, second] = found.nsd;
  if (second !== undefined)
    reporter.report('SF-DESCRIPTOR-UNSUPPORTED', second, [], 'a package has one NSD; this is the second');
  const nsd = first === undefined ? undefined : reporter.shape(first, nsdShape);
  const sources = vnfdSources(found.vnfd, reporter);
  if (reporter.failed) return { problems: reporter.problems };
  const reading = new Reading(style, files, reporter);
  if (first !== undefined && nsd !== undefined) return reading.service(first, nsd, sources, found.pnfd);
  const [only, another] = [...sources.values()];
  if (only === undefined) {
    const [pnfd] = found.pnfd;
    if (pnfd !== undefined)
      reporter.report(
        'SF-DESCRIPTOR-UNSUPPORTED',
        pnfd,
        [],
        'a physical function alone is nothing that can be deployed',
      );
    return { problems: reporter.problems };
  }
  if (another !== undefined) {
    reporter.report(
      'SF-DESCRIPTOR-UNSUPPORTED',
      another.found,
      [],
      'of several VNFDs an NSD must say how they are connected',
    );
    return { problems: reporter.problems };
  }
  return reading.alone(only);
}

function vnfdSources(found: readonly Found[], reporter: Reporter): ReadonlyMap<string, VnfdSource> {
  const byId = new Map<string, VnfdSource>();
  for (const one of found) {
    const vnfd = reporter.shape(one, vnfdShape);
    if (vnfd === undefined) continue;
    if (byId.has(vnfd.id))
      reporter.report('SF-DESCRIPTOR-DUPLICATE-KEY', one, ['id'], `there is a VNFD '${shorten(vnfd.id)}' already`);
    byId.set(vnfd.id, { found: one, vnfd });
  }
  return byId;
}

type NativeNetwork = NonNullable<NativeService['networks']>[number];

/** A function with what it was read from. */
export interface ReadVnf {
  readonly fn: NativeFunction;
  readonly source: VnfdSource;
  readonly profile?: { readonly value: VnfProfile; readonly index: number };
  readonly names: Names;
}

/** A network with the virtual link that it was: of the NSD, or inside a function. */
export interface ReadNetwork {
  readonly network: NativeNetwork;
  readonly link: number;
  readonly inside?: { readonly fn: string; readonly source: VnfdSource };
}

export const VERSION = '1.0';

class Reading {
  readonly #style: Style;
  readonly #files: readonly DescriptorFile[];
  readonly #reporter: Reporter;
  readonly #networks: ReadNetwork[] = [];
  readonly #networkNames = new Names();
  readonly #internal = new Map<string, string>();
  readonly #functionNames = new Names();

  constructor(style: Style, files: readonly DescriptorFile[], reporter: Reporter) {
    this.#style = style;
    this.#files = files;
    this.#reporter = reporter;
  }

  service(found: Found, nsd: Nsd, sources: ReadonlyMap<string, VnfdSource>, pnfds: readonly Found[]): ReadResult {
    const [df] = nsd.df;
    const profiles = df!['vnf-profile'] ?? [];
    this.#links(found, nsd);
    for (const { id } of profiles) this.#functionNames.label(id);
    const context = this.#context(linkOf(nsd['virtual-link-desc'], df!['virtual-link-profile']));
    const vnfs = profiles.flatMap((profile, index): ReadVnf[] => {
      const source = sources.get(profile['vnfd-id']);
      if (source === undefined) {
        const message = `there is no VNFD '${shorten(profile['vnfd-id'])}' in the package`;
        this.#reporter.report('SF-DESCRIPTOR-REFERENCE', found, ['df', 0, 'vnf-profile', index, 'vnfd-id'], message);
        return [];
      }
      if ((profile['min-number-of-instances'] ?? 1) > 1) {
        const message = `of VNF profile '${shorten(profile.id)}' one instance is made, not several`;
        this.#reporter.report(
          'SF-DESCRIPTOR-UNSUPPORTED',
          found,
          ['df', 0, 'vnf-profile', index, 'min-number-of-instances'],
          message,
          'warning',
        );
      }
      const name = this.#functionNames.label(profile.id);
      const asked = profileRequirements(
        df!,
        profile.id,
        (id) => this.#functionNames.known(id) ?? id,
        (id) => unitsOf(sources, profiles, id, this.#functionNames),
      );
      return [{ ...readFunction(name, source, profile, asked, context), source, profile: { value: profile, index } }];
    });
    const chains = this.#chains(found, nsd, vnfs);
    const description = this.#style === 'osm' ? nsd.description : nsd.name;
    const native: NativeService = {
      name: new Names().label(nsd.id),
      version: nsd.version ?? this.#version(found),
      ...(description === undefined ? {} : { description }),
      networks: this.#networks.map(({ network }) => network),
      functions: vnfs.map(({ fn }) => fn),
      chains: chains.map(({ chain }) => chain),
      ...(nsd.policy === undefined ? {} : { policies: nsd.policy }),
    };
    const read = this.#finish(native, { found, nsd, pnfds }, vnfs, chains);
    return withQuestions(read, found.text, (policy) => [...found.path, 'policy', policy]);
  }

  /** A service of one function. */
  alone(source: VnfdSource): ReadResult {
    const { vnfd, found } = source;
    const name = this.#functionNames.label(vnfd.id);
    const vnf = {
      ...readFunction(
        name,
        source,
        undefined,
        {},
        this.#context(() => undefined),
      ),
      source,
    };
    const native: NativeService = {
      name,
      version: vnfd.version ?? this.#version(found),
      networks: this.#networks.map(({ network }) => network),
      functions: [vnf.fn],
    };
    return this.#finish(native, undefined, [vnf], []);
  }

  #context(link: FunctionContext['link']): FunctionContext {
    return {
      style: this.#style,
      files: this.#files,
      reporter: this.#reporter,
      link,
      networkOf: (id) => this.#networkNames.known(id),
      internalNetwork: (fn, source, link_, df) => {
        const key = `${fn}\n${link_}`;
        const known = this.#internal.get(key);
        if (known !== undefined) return known;
        const name = this.#networkNames.fresh(`${fn}-${link_}`);
        this.#internal.set(key, name);
        const data = linkData((df?.['virtual-link-profile'] ?? []).filter(({ id }) => id === link_));
        const index = (source.vnfd['int-virtual-link-desc'] ?? []).findIndex(({ id }) => id === link_);
        if (index === -1) {
          const [i, j] = pointOn(source, link_);
          const message = `there is no internal virtual link '${shorten(link_)}'`;
          this.#reporter.report(
            'SF-DESCRIPTOR-REFERENCE',
            source.found,
            ['vdu', i, 'int-cpd', j, 'int-virtual-link-desc'],
            message,
          );
        }
        const what = `internal virtual link '${shorten(link_)}'`;
        const network = this.#network(name, what, data, source.found, ['int-virtual-link-desc', Math.max(0, index)]);
        this.#networks.push({ network, link: index, inside: { fn, source } });
        return name;
      },
    };
  }

  #links(found: Found, nsd: Nsd): void {
    const profiles = nsd.df[0]!['virtual-link-profile'] ?? [];
    (nsd['virtual-link-desc'] ?? []).forEach(({ id }, link) => {
      const data = linkData(profiles.filter((profile) => profile['virtual-link-desc-id'] === id));
      const name = this.#networkNames.label(id);
      const network = this.#network(name, `virtual link '${shorten(id)}'`, data, found, ['virtual-link-desc', link]);
      this.#networks.push({ network, link });
    });
  }

  #network(
    name: string,
    what: string,
    data: ReturnType<typeof linkData>,
    found: Found,
    at: (string | number)[],
  ): NativeNetwork {
    const mtu = data.mtu === undefined ? {} : { mtu: data.mtu };
    // Links inside functions do not meet each other: two may have the same prefix, which the networks of a service may not.
    const taken =
      at[0] === 'int-virtual-link-desc' && this.#networks.some(({ network }) => network.prefix === data.prefix);
    if (data.prefix !== undefined && !taken) return { name, prefix: data.prefix, ...mtu };
    const prefix = assumedPrefix(this.#networks.length);
    const message = taken
      ? `the prefix of ${what} is taken: ${prefix} is assumed`
      : `${what} has no profile with a cidr: ${prefix} is assumed`;
    this.#reporter.report('SF-DESCRIPTOR-ASSUMED', found, at, message, 'warning');
    return { name, prefix, ...mtu, carried: { [this.#style]: ASSUMED } };
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

  #chains(found: Found, nsd: Nsd, vnfs: readonly ReadVnf[]): readonly ReadChain[] {
    const hopOf = (profileId: string | undefined, external: string | undefined) => {
      const vnf = vnfs.find(({ profile }) => profile?.value.id === profileId);
      if (vnf === undefined || external === undefined) return undefined;
      return unitBehind(vnf, external);
    };
    return readChains(nsd.vnffgd ?? [], hopOf, new Names(), found, this.#reporter);
  }

  #finish(
    native: NativeService,
    nsd: { readonly found: Found; readonly nsd: Nsd; readonly pnfds: readonly Found[] } | undefined,
    vnfs: readonly ReadVnf[],
    chains: readonly ReadChain[],
  ): ReadResult {
    const problems: readonly Problem[] = this.#reporter.problems;
    const origins = originsOf(nsd?.found, vnfs, this.#networks, chains);
    nsd?.nsd.policy?.forEach((policy, i) => noteAll(origins, nsd.found, `policies[${i}]`, ['policy', i], policy));
    if (this.#reporter.failed) return { problems, locate: origins.locate };
    const plain: Service = toModel(native);
    const carrier = new Carrier(this.#style, native, plain);
    return toService(carrier.carrying(nsd, vnfs, this.#networks, chains), origins, problems);
  }
}

function unitsOf(
  sources: ReadonlyMap<string, VnfdSource>,
  profiles: readonly VnfProfile[],
  id: string,
  functions: Names,
): readonly string[] {
  const profile = profiles.find((one) => one.id === id);
  const vnfd = sources.get(profile?.['vnfd-id'] ?? '')?.vnfd;
  const names = new Names();
  return [...(vnfd?.vdu ?? []).map((vdu) => vdu.id), ...(vnfd?.kdu ?? []).map((kdu) => kdu.name)].map(
    (unit) => `${functions.label(id)}/${names.label(unit)}`,
  );
}

/** The unit behind an external connection point, with the port where the unit has several. */
function unitBehind({ fn, source: { vnfd } }: ReadVnf, external: string): string | undefined {
  const inner = vnfd['ext-cpd']?.find(({ id }) => id === external)?.['int-cpd'];
  const vdus = vnfd.vdu ?? [];
  const index = vdus.findIndex(({ id }) => id === inner?.['vdu-id']);
  const port = (vdus[index]?.['int-cpd'] ?? []).findIndex(({ id }) => id === inner?.cpd);
  if (port !== -1) return hopAt(fn, index, port);
  for (const [i, kdu] of (vnfd.kdu ?? []).entries()) {
    const point = kduPoints(kdu, vnfd.kdu ?? [], vnfd['ext-cpd']).findIndex((one) => one.external === external);
    if (point !== -1) return hopAt(fn, vdus.length + i, point);
  }
  return undefined;
}

function hopAt(fn: NativeFunction, unit: number, port: number): string | undefined {
  const { name, ports = [] } = fn.units![unit]!;
  const at = ports[port];
  if (typeof at !== 'object') return undefined;
  return `${fn.name}/${name}${ports.length > 1 ? `.${at.name}` : ''}`;
}

/** The first connection point on an internal virtual link: indices of its VDU and among those of the VDU. */
function pointOn({ vnfd }: VnfdSource, link: string): readonly [number, number] {
  for (const [i, vdu] of (vnfd.vdu ?? []).entries()) {
    const j = (vdu['int-cpd'] ?? []).findIndex((cpd) => cpd['int-virtual-link-desc'] === link);
    if (j !== -1) return [i, j];
  }
  return [0, 0];
}

/** Functions are shown at their VNFD, units at their VDU, networks and chains where their link and path are. */
function originsOf(
  nsd: Found | undefined,
  vnfs: readonly ReadVnf[],
  networks: readonly ReadNetwork[],
  chains: readonly ReadChain[],
): Origins {
  const origins = new Origins();
  const root = nsd ?? vnfs[0]?.source.found;
  const note = (path: string, found: Found | undefined, ...at: (string | number)[]) =>
    origins.note(path, () => found?.text.locate([...found.path, ...at]));
  note('', root);
  vnfs.forEach(({ source: { found, vnfd } }, i) => {
    note(`functions[${i}]`, found);
    const vdus = vnfd.vdu ?? [];
    vdus.forEach((vdu, j) => {
      note(`functions[${i}].units[${j}]`, found, 'vdu', j);
      vdu['int-cpd']?.forEach((_, k) => note(`functions[${i}].units[${j}].ports[${k}]`, found, 'vdu', j, 'int-cpd', k));
    });
    vnfd.kdu?.forEach((_, j) => note(`functions[${i}].units[${vdus.length + j}]`, found, 'kdu', j));
  });
  networks.forEach(({ link, inside }, i) =>
    inside === undefined
      ? note(`networks[${i}]`, nsd, 'virtual-link-desc', link)
      : note(`networks[${i}]`, inside.source.found, 'int-virtual-link-desc', Math.max(0, link)),
  );
  chains.forEach(({ graph, path }, i) => note(`chains[${i}]`, nsd, 'vnffgd', graph, 'nfpd', path));
  return origins;
}

/** Policies are written as in the model: each part of one has a place of its own. */
function noteAll(origins: Origins, nsd: Found, modelPath: string, path: Path, value: unknown): void {
  origins.note(modelPath, () => nsd.text.locate([...nsd.path, ...path]));
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${modelPath}[${key}]` : `${modelPath}.${key}`;
    noteAll(origins, nsd, at, [...path, Array.isArray(value) ? Number(key) : key], inner);
  }
}
