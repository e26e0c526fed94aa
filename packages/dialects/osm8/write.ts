import { splitPortReference, type Block, type Chain, type Network, type Service } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { groupsIn } from '../sol006/form.ts';
import type { Fields } from '../sol006/style.ts';
import { yamlFile } from '../sol006/write.ts';
import { groupIn, textIn } from '../sol006/writing.ts';
import { asCarried, carriedBy, idOf, OSM8, pointOf, same, usual, without } from './carried.ts';
import { ruleOf } from './meaning.ts';
import { nsdOwn } from './own.ts';
import { classifierShape, ipProfiles } from './shape.ts';
import { VnfdWriter } from './write-vnfd.ts';

/** A service as packages of OSM up to release 8: a folder for the NSD, one for each VNFD. */
export function writeOsm8(service: Service, lose: Lose = () => {}): readonly DescriptorFile[] {
  return new Writer(service, lose).files();
}

/** Writes the NSD, and what spans functions. */
class Writer {
  readonly #service: Service;
  readonly #lose: Lose;
  /** Networks that are virtual links inside of one function. */
  readonly #inside: ReadonlyMap<string, Block>;
  readonly #indices: ReadonlyMap<Block, string>;
  readonly #vnfds: VnfdWriter;

  constructor(service: Service, lose: Lose) {
    this.#service = service;
    this.#lose = lose;
    const functions = service.block.children;
    this.#inside = new Map(
      service.networks.flatMap((network): [string, Block][] => {
        const users = functions.filter((fn) =>
          fn.children.some((unit) => unit.ports.some((port) => port.network === network.name)),
        );
        const inner = carriedBy(network)['internal-vld'] !== undefined && users.length === 1;
        return inner && this.#profileHolds(network, carriedBy(users[0]!), groupIn(carriedBy(network), 'internal-vld'))
          ? [[network.name, users[0]!]]
          : [];
      }),
    );
    this.#vnfds = new VnfdWriter(service, this.#inside, lose);
    const taken = new Set<string>();
    let next = 1;
    this.#indices = new Map(
      functions.map((fn, i) => {
        const carried = textIn(groupIn(carriedBy(fn), 'constituent-vnfd'), 'member-vnf-index');
        let index = carried;
        if (index === undefined || taken.has(index)) {
          // From its place on, and never twice through those that are taken.
          for (next = Math.max(next, i + 1); taken.has(String(next)); next += 1);
          index = String(next);
        }
        taken.add(index);
        return [fn, index] as const;
      }),
    );
  }

  files(): readonly DescriptorFile[] {
    const { block, chains } = this.#service;
    const vnfds = new Map<string, { readonly name: string; readonly document: Fields }>();
    const ids = new Map<Block, string>();
    for (const fn of block.children) {
      const document = this.#vnfds.write(fn, idOf(fn));
      const known = vnfds.get(idOf(fn));
      const id = known === undefined || same(known.document, document) ? idOf(fn) : fn.name;
      ids.set(fn, id);
      if (!vnfds.has(id))
        vnfds.set(id, { name: fn.name, document: id === idOf(fn) ? document : this.#vnfds.write(fn, id) });
    }
    const alone = carriedBy(block)['alone'] === true && block.children.length === 1 && chains.length === 0;
    const bare =
      alone && block.description === undefined && this.#service.networks.every(({ name }) => this.#inside.has(name));
    const { name } = block;
    return [
      ...(bare ? [] : [yamlFile(`${name}_ns/${name}_nsd.yaml`, { 'nsd:nsd-catalog': { nsd: [this.#nsd(ids)] } })]),
      ...[...vnfds.values()].map((one) =>
        yamlFile(`${one.name}_vnf/${one.name}_vnfd.yaml`, { 'vnfd:vnfd-catalog': { vnfd: [one.document] } }),
      ),
    ];
  }

  #nsd(ids: ReadonlyMap<Block, string>): Fields {
    const { block, version, networks, chains } = this.#service;
    const carried = carriedBy(block);
    const outside = networks.filter(({ name }) => !this.#inside.has(name));
    const profiles: Fields[] = [];
    const vld = outside.map((network) => {
      const {
        id: _id,
        prefixAssumed: _note,
        'internal-vld': _inner,
        'ip-profile-ref': profile,
        ...rest
      } = carriedBy(network);
      const id = idOf(network);
      const points = this.#points(network, ids);
      return {
        id,
        ...usual(rest, { name: id, 'short-name': id, type: 'ELAN' }),
        ...rest,
        ...this.#profile(network, carried, profile, profiles),
        ...(points.length === 0 ? {} : { 'vnfd-connection-point-ref': points }),
      };
    });
    const used = new Set(profiles.map(({ name }) => name));
    const all = [...groupsIn(carried, 'ip-profiles').filter(({ name }) => !used.has(name)), ...profiles];
    const id = idOf(block);
    const graphs = [...chains.map((chain) => this.#graph(chain, ids)), ...groupsIn(carried, 'vnffgd')];
    block.children.forEach((fn, i) => {
      if (!same(fn.requirements, this.#order(fn)))
        this.#lose(`functions[${i}].requirements`, `requirements of function '${fn.name}'`);
    });
    return {
      id,
      ...usual(carried, { name: id, 'short-name': id }),
      ...without(carried, new Set([...nsdOwn, 'alone', 'ip-profiles'])),
      ...(block.description === undefined ? {} : { description: block.description }),
      version,
      'constituent-vnfd': block.children.map((fn) => ({
        ...groupIn(carriedBy(fn), 'constituent-vnfd'),
        'member-vnf-index': asCarried(
          groupIn(carriedBy(fn), 'constituent-vnfd')['member-vnf-index'],
          this.#indices.get(fn)!,
        ),
        'vnfd-id-ref': ids.get(fn)!,
      })),
      ...(all.length === 0 ? {} : { 'ip-profiles': all }),
      ...(vld.length === 0 ? {} : { vld }),
      ...(graphs.length === 0 ? {} : { vnffgd: graphs }),
    };
  }

  /** What carried dependencies between members ask of a function. */
  #order(fn: Block): unknown {
    const functions = this.#service.block.children;
    const byIndex = new Map(functions.map((one) => [this.#indices.get(one)!, one]));
    const after = groupsIn(carriedBy(this.#service.block), 'vnf-dependency')
      .filter((one) => String(one['vnf-source-ref']) === this.#indices.get(fn))
      .flatMap((one) => {
        const other = byIndex.get(String(one['vnf-depends-on-ref']));
        return (other?.children ?? []).map((unit) => `${other!.name}/${unit.name}`);
      });
    return after.length === 0 ? {} : { after };
  }

  #points(network: Network, ids: ReadonlyMap<Block, string>): readonly Fields[] {
    const points = new Map<string, Fields>();
    for (const fn of this.#service.block.children) {
      for (const unit of fn.children) {
        // Ports of pods are lost: there is no connection point that could be named.
        if (unit.execution?.environment === 'pod') continue;
        for (const port of unit.ports.filter((one) => one.network === network.name)) {
          const point = pointOf(unit, port);
          points.set(`${this.#indices.get(fn)!}\n${point}`, {
            'member-vnf-index-ref': this.#indices.get(fn)!,
            'vnfd-id-ref': ids.get(fn)!,
            'vnfd-connection-point-ref': point,
            ...(port.address === undefined ? {} : { 'ip-address': port.address }),
          });
        }
      }
    }
    return [...points.values()];
  }

  /** Whether the profile to which a link refers has the prefix of the network. */
  #profileHolds(network: Network, owner: Fields, link: Fields): boolean {
    const reference = textIn(link, 'ip-profile-ref');
    const parsed = ipProfiles.safeParse(groupsIn(owner, 'ip-profiles'));
    const profile = parsed.success ? parsed.data?.find(({ name }) => name === reference) : undefined;
    const subnet = profile?.['ip-profile-params']?.['subnet-address'];
    return subnet === network.prefix || isAssumed(OSM8, network);
  }

  #profile(network: Network, owner: Fields, reference: unknown, profiles: Fields[]): Fields {
    const kept = reference === undefined ? {} : { 'ip-profile-ref': reference };
    if (this.#profileHolds(network, owner, kept)) return kept;
    const name = `${idOf(network)}-ip`;
    profiles.push({ name, 'ip-profile-params': { 'ip-version': 'ipv4', 'subnet-address': network.prefix } });
    return { 'ip-profile-ref': name };
  }

  #graph(chain: Chain, ids: ReadonlyMap<Block, string>): Fields {
    const [from, ...rest] = [chain.from, ...chain.through, chain.to].map((reference) => this.#hop(reference, ids));
    const carried = carriedBy(chain);
    const name = chain.name;
    const matches = (chain.ports.length === 0 ? [undefined] : chain.ports).map((port, i) => ({
      id: `match-${i + 1}`,
      ...(chain.protocol === 'any' ? {} : { 'ip-proto': chain.protocol === 'tcp' ? 6 : 17 }),
      'destination-ip-address': chain.address,
      ...(port === undefined ? {} : { 'destination-port': port }),
    }));
    const rsp = groupIn(carried, 'rsp');
    const known = classifierShape.safeParse(carried['classifier']);
    const { address, protocol, ports } = chain;
    const keepsMatches = known.success && same(ruleOf(known.data) ?? {}, { address, protocol, ports });
    const refs = rest.map(({ point, ...member }, order) => ({
      ...member,
      order,
      'vnfd-ingress-connection-point-ref': point,
      'vnfd-egress-connection-point-ref': point,
    }));
    const hop = (ref: Fields) =>
      `${String(ref['member-vnf-index-ref'])} ${String(ref['vnfd-ingress-connection-point-ref'] ?? ref['vnfd-connection-point-ref'])}`;
    const keepsPath = same(groupsIn(rsp, 'vnfd-connection-point-ref').map(hop), refs.map(hop));
    const classifier = groupIn(carried, 'classifier');
    const rspId = textIn(rsp, 'id') ?? `${name}-path`;
    return {
      id: textIn(groupIn(carried, 'vnffgd'), 'id') ?? name,
      name,
      'short-name': name,
      ...groupIn(carried, 'vnffgd'),
      rsp: [
        {
          id: rspId,
          name: rspId,
          ...rsp,
          ...(keepsPath ? {} : { 'vnfd-connection-point-ref': refs }),
        },
      ],
      classifier: [
        {
          id: name,
          name,
          ...classifier,
          'rsp-id-ref': rspId,
          'member-vnf-index-ref': asCarried(classifier['member-vnf-index-ref'], from!['member-vnf-index-ref']),
          'vnfd-id-ref': from!['vnfd-id-ref'],
          'vnfd-connection-point-ref': from!.point,
          ...(keepsMatches ? {} : { 'match-attributes': matches }),
        },
      ],
    };
  }

  #hop(reference: string, ids: ReadonlyMap<Block, string>) {
    const { path, port } = splitPortReference(reference);
    const [name, inner] = path.split('/');
    const fn = this.#service.block.children.find((block) => block.name === name)!;
    const unit = fn.children.find((block) => block.name === inner)!;
    const at = unit.ports.find((one) => one.name === port) ?? unit.ports[0]!;
    return { 'member-vnf-index-ref': this.#indices.get(fn)!, 'vnfd-id-ref': ids.get(fn)!, point: pointOf(unit, at) };
  }
}
