import type { Service } from '@superfluidity/model';
import { osmForm } from '../osm/form.ts';
import type { NativeFunction, NativePort, NativeService, NativeUnit } from '../native/schema.ts';
import { renamed } from '../names.ts';
import { groupsIn, sol006Form } from './form.ts';
import type { Found } from './package.ts';
import type { ReadChain } from './read-chains.ts';
import { kduPoints } from './read-function.ts';
import type { ReadNetwork, ReadVnf } from './read.ts';
import type { VnfdSource } from './read-unit.ts';
import type { Nsd } from './shape.ts';
import { isGroup, type Fields, type Style } from './style.ts';
import { nsdOwn } from './write-nsd.ts';
import { cpdOwn, vduOwn } from './write-unit.ts';
import { vnfdOwn } from './write-vnfd.ts';
import { writeDescriptors } from './write.ts';

type Carried = { carried?: Record<string, unknown> };

/**
 * What a descriptor says and the model cannot is carried by what it belongs to, field by field: of an NSD by the service, of
 * a VNFD and its profile by the function, of a VDU by the unit, of connection points by ports, of virtual links by networks,
 * of forwarding graphs by chains. A field that would be written like that anyhow is not carried.
 */
export class Carrier {
  readonly #style: Style;
  readonly #native: NativeService;
  /** What would be written of the service if it carried nothing. */
  readonly #nsd: Fields;
  readonly #vnfds: ReadonlyMap<string, Fields>;

  constructor(style: Style, native: NativeService, plain: Service) {
    this.#style = style;
    this.#native = native;
    const { nsd, vnfds } = writeDescriptors(style === 'osm' ? osmForm : sol006Form, plain, () => {});
    this.#nsd = nsd.document ?? {};
    this.#vnfds = new Map(vnfds.map(({ name, document }) => [name, document]));
  }

  carrying(
    nsd: { readonly found: Found; readonly nsd: Nsd; readonly pnfds: readonly Found[] } | undefined,
    vnfs: readonly ReadVnf[],
    networks: readonly ReadNetwork[],
    chains: readonly ReadChain[],
  ): NativeService {
    const raw = nsd === undefined ? undefined : (nsd.found.value as Fields);
    return {
      ...this.#native,
      ...this.#carry(nsd === undefined ? { alone: true } : this.#service(raw!, nsd.pnfds, chains)),
      networks: networks.map((one) => ({ ...one.network, ...this.#carry(this.#network(one, raw), one.network) })),
      functions: vnfs.map((vnf) => this.#function(vnf, raw, networks)),
      ...(nsd === undefined
        ? {}
        : { chains: chains.map((one) => ({ ...one.chain, ...this.#carry(this.#chain(one, raw!)) })) }),
    };
  }

  #carry(fields: Fields, thing: Carried = {}): Carried {
    const note = isGroup(thing.carried?.[this.#style]) ? (thing.carried![this.#style] as Fields) : {};
    const all = { ...note, ...fields };
    return Object.keys(all).length === 0 ? {} : { carried: { [this.#style]: all } };
  }

  #service(raw: Fields, pnfds: readonly Found[], chains: readonly ReadChain[]): Fields {
    const description = this.#style === 'osm' ? 'description' : 'name';
    const [df, ...more] = groupsIn(raw, 'df');
    const { 'vnf-profile': _profiles, 'virtual-link-profile': _links, ...flavour } = df ?? {};
    const [usualDf] = groupsIn(this.#nsd, 'df');
    const { 'vnf-profile': _p, 'virtual-link-profile': _l, ...usual } = usualDf ?? {};
    const flavours = more.length === 0 && same(flavour, usual) ? {} : { df: [flavour, ...more] };
    const graphs = groupsIn(raw, 'vnffgd').flatMap((graph, g) => {
      const paths = groupsIn(graph, 'nfpd').filter(
        (_, p) => !chains.some((chain) => chain.graph === g && chain.path === p),
      );
      return paths.length === 0 && chains.some((chain) => chain.graph === g)
        ? []
        : [{ ...graph, ...(paths.length === 0 ? {} : { nfpd: paths }) }];
    });
    return {
      ...this.#id(raw['id'], this.#native.name),
      ...different(raw, this.#nsd, new Set([...nsdOwn, description])),
      ...flavours,
      ...(graphs.length === 0 ? {} : { vnffgd: graphs }),
      ...(pnfds.length === 0 ? {} : { pnfd: pnfds.map(({ value }) => value) }),
    };
  }

  #id(id: unknown, label: string): Fields {
    return renamed(String(id), label);
  }

  #network({ network, link, inside }: ReadNetwork, nsd: Fields | undefined): Fields {
    if (inside !== undefined) {
      const desc = groupsIn(inside.source.found.value as Fields, 'int-virtual-link-desc')[link];
      return { 'int-virtual-link-desc': desc ?? { id: '' } };
    }
    const raw = groupsIn(nsd!, 'virtual-link-desc')[link]!;
    const usual = groupsIn(this.#nsd, 'virtual-link-desc').find(({ id }) => id === network.name) ?? {};
    const profiles = (df: Fields | undefined, id: unknown) =>
      groupsIn(df ?? {}, 'virtual-link-profile').filter((one) => one['virtual-link-desc-id'] === id);
    const own = profiles(groupsIn(nsd!, 'df')[0], raw['id']);
    const anyhow = profiles(groupsIn(this.#nsd, 'df')[0], network.name);
    return {
      ...this.#id(raw['id'], network.name),
      ...different(raw, usual, new Set(['id'])),
      ...(same(own, anyhow) ? {} : { 'virtual-link-profile': own }),
    };
  }

  #function(
    { fn, source, profile }: ReadVnf,
    nsd: Fields | undefined,
    networks: readonly ReadNetwork[],
  ): NativeFunction {
    const raw = source.found.value as Fields;
    const usual = this.#vnfds.get(fn.name) ?? {};
    const rawProfile =
      nsd === undefined ? {} : (groupsIn(groupsIn(nsd, 'df')[0] ?? {}, 'vnf-profile')[profile!.index] ?? {});
    const usualProfile =
      groupsIn(groupsIn(this.#nsd, 'df')[0] ?? {}, 'vnf-profile').find(({ id }) => id === fn.name) ?? {};
    const connected = this.#isUsual(raw, usual, rawProfile, usualProfile);
    const description =
      this.#style === 'osm' && raw['product-info-description'] === undefined
        ? 'description'
        : 'product-info-description';
    const plain = this.#style === 'sol006' && groupsIn(raw, 'vdu').some((vdu) => vdu['vduNestedDesc'] === undefined);
    const shared = new Set(['virtual-compute-desc', 'virtual-storage-desc', 'sw-image-desc']);
    const internal = new Set(networks.filter(({ inside }) => inside?.fn === fn.name).map(({ link }) => link));
    const fields: Record<string, unknown> = {
      ...this.#id(raw['id'], fn.name),
      ...different(raw, usual, new Set([...vnfdOwn, description, 'ext-cpd', 'int-virtual-link-desc', ...shared])),
    };
    for (const name of shared) {
      const items = groupsIn(raw, name).filter(
        (item) => plain || !groupsIn(usual, name).some((one) => same(one, item)),
      );
      if (items.length > 0) fields[name] = items;
    }
    const { id, 'vnfd-id': _vnfd, 'virtual-link-connectivity': connectivity, ...rest } = rawProfile;
    const profileFields = {
      ...(id === undefined ? {} : this.#id(id, fn.name)),
      ...different(rest, usualProfile, new Set()),
      ...(connected || connectivity === undefined ? {} : { 'virtual-link-connectivity': connectivity }),
    };
    if (Object.keys(profileFields).length > 0) fields['vnf-profile'] = profileFields;
    if (!connected) {
      fields['ext-cpd'] = raw['ext-cpd'] ?? [];
      const inner = groupsIn(raw, 'int-virtual-link-desc').filter((_, i) => !internal.has(i));
      if (inner.length > 0) fields['int-virtual-link-desc'] = inner;
    }
    return { ...fn, ...this.#carry(fields), units: this.#units(fn, source, usual, connected) };
  }

  /** Whether connection points and what they are connected to are written like that anyhow. */
  #isUsual(raw: Fields, usual: Fields, profile: Fields, usualProfile: Fields): boolean {
    const links = (vnfd: Fields) =>
      groupsIn(vnfd, 'vdu').map((vdu) => groupsIn(vdu, 'int-cpd').map((cpd) => cpd['int-virtual-link-desc'] ?? ''));
    const services = (vnfd: Fields) => groupsIn(vnfd, 'kdu').map((kdu) => kdu['service'] ?? []);
    const connectivity = 'virtual-link-connectivity';
    return (
      same(groupsIn(raw, 'ext-cpd'), groupsIn(usual, 'ext-cpd')) &&
      same(groupsIn(raw, 'int-virtual-link-desc'), groupsIn(usual, 'int-virtual-link-desc')) &&
      same(profile[connectivity] ?? [], usualProfile[connectivity] ?? []) &&
      same(links(raw), links(usual)) &&
      same(services(raw), services(usual))
    );
  }

  #units(
    fn: NativeFunction,
    source: VnfdSource,
    usual: Fields,
    connected: boolean,
  ): NonNullable<NativeFunction['units']> {
    const raw = source.found.value as Fields;
    const vdus = groupsIn(raw, 'vdu');
    const kdus = groupsIn(raw, 'kdu');
    return fn.units!.map((unit, i) => {
      const kdu = kdus[i - vdus.length];
      if (i >= vdus.length && kdu !== undefined) return this.#pod(unit, kdu, source, i - vdus.length, connected);
      const vdu = vdus[i]!;
      const usually = groupsIn(usual, 'vdu').find(({ id }) => id === unit.name) ?? {};
      const plain = this.#style === 'sol006' && vdu['vduNestedDesc'] === undefined;
      const references = ['virtual-compute-desc', 'virtual-storage-desc', 'sw-image-desc'].flatMap((name) =>
        plain && vdu[name] !== undefined ? [[name, vdu[name]] as const] : [],
      );
      const fields = {
        ...this.#id(vdu['id'], unit.name),
        ...different(vdu, usually, vduOwn),
        ...Object.fromEntries(references),
      };
      const cpds = groupsIn(vdu, 'int-cpd');
      const ports = (unit.ports ?? []).map((port, j): NativePort => {
        const cpd = cpds[j]!;
        const long = port as Exclude<NativePort, string>;
        const own = new Set([...cpdOwn, 'int-virtual-link-desc']);
        const link = cpd['int-virtual-link-desc'];
        const inner = groupsIn(usually, 'int-cpd')[j] ?? {};
        const carried = {
          ...this.#id(cpd['id'], long.name),
          ...different(cpd, inner, own),
          ...(connected || link === undefined ? {} : { 'int-virtual-link-desc': link }),
        };
        return { ...long, ...this.#carry(carried) };
      });
      return { ...unit, ...this.#carry(fields), ports };
    });
  }

  #pod(unit: NativeUnit, raw: Fields, { vnfd }: VnfdSource, index: number, connected: boolean): NativeUnit {
    const own = new Set(['name', 'description', ...(connected ? ['service'] : [])]);
    const kdu = Object.fromEntries(Object.entries(raw).filter(([field]) => !own.has(field)));
    const points = kduPoints(vnfd.kdu![index]!, vnfd.kdu!, vnfd['ext-cpd']);
    const ports = (unit.ports ?? []).map((port, i): NativePort => {
      const long = port as Exclude<NativePort, string>;
      return { ...long, ...this.#carry(this.#id(points[i]!.name, long.name)) };
    });
    const fields = { ...this.#id(raw['name'], unit.name), ...(Object.keys(kdu).length === 0 ? {} : { kdu }) };
    return { ...unit, ...this.#carry(fields), ports };
  }

  #chain({ chain, graph, path }: ReadChain, nsd: Fields): Fields {
    const { nfpd: _paths, ...raw } = groupsIn(nsd, 'vnffgd')[graph]!;
    const own = groupsIn(groupsIn(nsd, 'vnffgd')[graph]!, 'nfpd')[path]!;
    const usual = groupsIn(this.#nsd, 'vnffgd').find(({ id }) => id === chain.name) ?? {};
    const { nfpd, ...around } = usual;
    return same(around, raw) && same(nfpd, [own]) ? {} : { vnffgd: raw, nfpd: own };
  }
}

/** The fields that are not written like that anyhow. */
function different(raw: Fields, usual: Fields, own: ReadonlySet<string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).filter(([name, value]) => !own.has(name) && !same(value, usual[name])));
}

/** Equal, or other ways of writing the same: numbers as text, one group for a list of one. */
function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) !== Array.isArray(b)) {
    const [list, one] = Array.isArray(a) ? [a, b] : [b as readonly unknown[], a];
    return isGroup(one) && list.length === 1 && same(list[0], one);
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (isGroup(a) && isGroup(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((name) => name in b && same(a[name], b[name]));
  }
  return typeof a === typeof b ? a === b : (typeof a === 'number' || typeof b === 'number') && Number(a) === Number(b);
}
