import { splitPortReference, type Block, type Network, type Port, type Service } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import { spells } from '../names.ts';
import { attachments, linkData, linkOf } from './connectivity.ts';
import { groupsIn, type Form } from './form.ts';
import { flavourOf } from './meaning.ts';
import { kduPoints } from './read-function.ts';
import { connectivityShape, kduShape, linkProfilesShape, poolsShape, type Pools } from './shape.ts';
import { carriedIn, isGroup, type Fields } from './style.ts';

/** How the ports of a function are connected: as the descriptor that it carries said, or anew. */
interface Connection {
  readonly carried: boolean;
  readonly pools: Pools;
}

/** A service on its way into descriptors: how its parts are called there, and what of what they carry still holds. */
export class Writing {
  readonly form: Form;
  readonly service: Service;
  readonly lose: Lose;
  readonly #connections = new Map<Block, Connection>();
  /** Networks that are internal virtual links, with the one function in which they are. */
  readonly #inside = new Map<Network, Block>();
  readonly #vnfdIds = new Map<Block, string>();

  constructor(form: Form, service: Service, lose: Lose) {
    this.form = form;
    this.service = service;
    this.lose = lose;
    const functions = service.block.children;
    const pools = new Map(functions.map((fn) => [fn, this.#poolsOf(fn)] as const));
    for (const network of service.networks) this.#findInside(network, pools);
    for (const fn of functions)
      this.#connections.set(fn, { pools: pools.get(fn)!, carried: this.#holds(fn, pools.get(fn)!) });
    // A network is inside of a function only as long as that is connected as it was.
    for (const [network, fn] of this.#inside) if (!this.#connections.get(fn)!.carried) this.#inside.delete(network);
    for (const fn of functions) this.#vnfdIds.set(fn, textIn(this.carried(fn), 'id') ?? fn.name);
  }

  carried(thing: { readonly carried?: Fields }): Fields {
    return carriedIn(this.form.style, thing);
  }

  /** The name as the descriptors had it, unless the thing has been renamed since. */
  id(thing: { readonly name: string; readonly carried?: Fields }): string {
    return this.#spelled(textIn(this.carried(thing), 'id'), thing.name);
  }

  profileId(fn: Block): string {
    return this.#spelled(textIn(groupIn(this.carried(fn), 'vnf-profile'), 'id'), fn.name);
  }

  vnfdId(fn: Block): string {
    return this.#vnfdIds.get(fn) ?? fn.name;
  }

  /** Two functions carry the same VNFD, but no longer say the same. */
  callVnfd(fn: Block, id: string): void {
    this.#vnfdIds.set(fn, id);
  }

  /** Carried parts of the VNFD that units share. */
  pools(fn: Block): Pools {
    return this.#connections.get(fn)!.pools;
  }

  /** Whether the connection points are those that the function carries. */
  keepsConnection(fn: Block): boolean {
    return this.#connections.get(fn)!.carried;
  }

  isInside(network: Network): boolean {
    return this.#inside.has(network);
  }

  get outside(): readonly Network[] {
    return this.service.networks.filter((network) => !this.#inside.has(network));
  }

  networksInside(fn: Block): readonly Network[] {
    return [...this.#inside].filter(([, inner]) => inner === fn).map(([network]) => network);
  }

  /** Networks of the service to which ports of a function are attached. */
  networksOf(fn: Block): readonly Network[] {
    const names = new Set(fn.children.flatMap(({ ports }) => ports.flatMap(({ network }) => network ?? [])));
    return this.outside
      .filter(({ name }) => names.has(name))
      .toSorted((a, b) => [...names].indexOf(a.name) - [...names].indexOf(b.name));
  }

  /** Id of the profile under which a VNF is connected to a network. */
  linkProfileId(network: Network): string {
    const [profile] = groupsIn(this.carried(network), 'virtual-link-profile');
    return this.keepsLinkProfiles(network) && profile !== undefined
      ? (textIn(profile, 'id') ?? this.id(network))
      : this.id(network);
  }

  /** Whether carried profiles of a virtual link say what the model does. */
  keepsLinkProfiles(network: Network): boolean {
    const parsed = linkProfilesShape.safeParse(this.carried(network)['virtual-link-profile']);
    if (!parsed.success) return false;
    const { prefix, mtu } = linkData(parsed.data);
    const same = prefix === network.prefix || (prefix === undefined && isAssumed(this.form.style, network));
    return same && mtu === network.mtu;
  }

  /** The external connection point that leads to a port alone. */
  externalOf(fn: Block, unit: Block, port: Port): string {
    const generated = `${this.id(unit)}-${this.id(port)}`;
    if (!this.keepsConnection(fn)) return generated;
    return (
      attachments(this.pools(fn)['ext-cpd']).point(this.id(unit), this.id(port), undefined).external[0] ?? generated
    );
  }

  /** Function, unit and port of a hop of a chain. */
  place(reference: string): { readonly fn: Block; readonly unit: Block; readonly port: Port } {
    const { path, port } = splitPortReference(reference);
    const [name, inner] = path.split('/') as [string, string];
    const fn = this.service.block.children.find((block) => block.name === name)!;
    const unit = fn.children.find((block) => block.name === inner)!;
    return { fn, unit, port: unit.ports.find((one) => one.name === port) ?? unit.ports[0]! };
  }

  #spelled(id: string | undefined, name: string): string {
    return id !== undefined && spells(id, name) ? id : name;
  }

  #poolsOf(fn: Block): Pools {
    const parsed = poolsShape.safeParse(this.carried(fn));
    return parsed.success ? parsed.data : {};
  }

  #findInside(network: Network, pools: ReadonlyMap<Block, Pools>): void {
    const link = groupIn(this.carried(network), 'int-virtual-link-desc');
    const id = textIn(link, 'id');
    const users = this.service.block.children.filter((fn) =>
      fn.children.some((unit) => unit.ports.some((port) => port.network === network.name)),
    );
    const [fn, ...others] = users;
    if (id === undefined || fn === undefined || others.length > 0) return;
    const profiles = flavourOf(pools.get(fn)!, this.flavourId(fn))?.['virtual-link-profile']?.filter(
      (profile) => profile.id === id,
    );
    const { prefix, mtu } = linkData(profiles ?? []);
    const same = prefix === network.prefix || isAssumed(this.form.style, network);
    if (same && mtu === network.mtu) this.#inside.set(network, fn);
  }

  flavourId(fn: Block): string | undefined {
    return textIn(groupIn(this.carried(fn), 'vnf-profile'), 'flavour-id');
  }

  /** Whether what a function carries of its connection points leads its ports to the networks on which they are. */
  #holds(fn: Block, pools: Pools): boolean {
    const carried = this.carried(fn);
    if (carried['ext-cpd'] === undefined) return false;
    const connectivity = connectivityShape.safeParse(
      groupIn(carried, 'vnf-profile')['virtual-link-connectivity'] ?? [],
    );
    if (!connectivity.success) return false;
    const profiles = linkProfilesShape.safeParse(
      this.outside.flatMap((network) => groupsIn(this.carried(network), 'virtual-link-profile')),
    );
    const link = linkOf(
      this.service.networks.map((network) => ({ id: this.id(network) })),
      [
        ...this.service.networks.map((network) => ({
          id: this.linkProfileId(network),
          'virtual-link-desc-id': this.id(network),
        })),
        ...(profiles.success ? profiles.data : []),
      ],
    );
    const attached = attachments(pools['ext-cpd'], connectivity.data, link);
    const inside = new Map(
      this.networksInside(fn).map((network) => [
        textIn(groupIn(this.carried(network), 'int-virtual-link-desc'), 'id'),
        network,
      ]),
    );
    const outside = new Map(this.outside.map((network) => [this.id(network), network]));
    const kdus = new Map(
      fn.children.flatMap((unit) => {
        const kdu = kduShape.safeParse({ name: unit.name, ...groupIn(this.carried(unit), 'kdu') });
        return this.carried(unit)['kdu'] !== undefined && kdu.success ? [[unit, kdu.data] as const] : [];
      }),
    );
    return fn.children.every((unit) => {
      const kdu = kdus.get(unit);
      const points = kdu === undefined ? [] : kduPoints(kdu, [...kdus.values()], pools['ext-cpd']);
      if (kdu !== undefined && points.length !== unit.ports.length) return false;
      return unit.ports.every((port, i) => {
        const internal = textIn(this.carried(port), 'int-virtual-link-desc');
        const at =
          kdu !== undefined
            ? attached.external(points[i]!.external)
            : attached.point(this.id(unit), this.id(port), internal);
        const network = at.link === undefined ? inside.get(internal) : outside.get(at.link);
        return network?.name === port.network && (at.address === undefined || at.address === port.address);
      });
    });
  }
}

export function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;
}

export function groupIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isGroup(value) ? value : {};
}
