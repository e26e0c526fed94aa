import type { Block, Network, Port, Service } from '@superfluidity/model';
import { Document } from 'yaml';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { nameIn } from '../names.ts';
import { withAddresses } from './metadata.ts';
import { fieldsOf } from './project.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A project as RDCL 3D saves it: an NSD, a VNFD for each function, what lies nested in VDUs, and where nodes are drawn. */
export function writeRdcl(service: Service, lose: Lose): readonly DescriptorFile[] {
  const project = new Project(service, lose);
  return project.files();
}

class Project {
  readonly #service: Service;
  readonly #lose: Lose;
  readonly #files: DescriptorFile[] = [];
  /** Identifiers of VNFDs by function: two functions that were made of one VNFD get one each. */
  readonly #ids = new Map<Block, string>();
  readonly #nested = new Set<string>();

  constructor(service: Service, lose: Lose) {
    this.#service = service;
    this.#lose = lose;
    const taken = new Set<string>();
    for (const fn of service.block.children) {
      const wanted = nameIn('rdcl', fn);
      const id = taken.has(wanted) ? fn.name : wanted;
      taken.add(id);
      this.#ids.set(fn, id);
    }
  }

  files(): readonly DescriptorFile[] {
    const { block, networks } = this.#service;
    const { vertices } = said(block);
    const vnfds = block.children.map((fn, i) => this.#vnfd(fn, `functions[${i}]`));
    networks.forEach((network, i) => this.#checkNetwork(network, `networks[${i}]`));
    this.#json(`NFV/JSON/NSD/${fileName(nameIn('rdcl', block))}.json`, this.#nsd());
    block.children.forEach((fn, i) => {
      const file = fileName(this.#ids.get(fn)!);
      const double = block.children.slice(0, i).some((one) => fileName(this.#ids.get(one)!) === file);
      this.#json(`NFV/JSON/VNFD/${file}${double ? `-${i}` : ''}.json`, vnfds[i]!);
    });
    if (vertices !== undefined) this.#json('vertices.json', vertices);
    return this.#files;
  }

  #json(path: string, value: unknown): void {
    this.#files.push({ path, bytes: new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`) });
  }

  #checkNetwork(network: Network, at: string): void {
    const on = this.#service.block.children.some((fn) =>
      fn.children.some((unit) => unit.ports.some((port) => port.network === network.name)),
    );
    if (on) return;
    if (!isAssumed('rdcl', network))
      this.#lose(`${at}.prefix`, `prefix of network '${network.name}', on which there is no port`);
    if (isInside(network)) this.#lose(at, `network '${network.name}', which is inside of a function and has no port`);
  }

  #nsd(): Fields {
    const { block, version, networks } = this.#service;
    const { nsd, flavour } = said(block);
    const outside = networks.filter((network) => !isInside(network));
    const profiles = fieldsOf(flavour);
    const before = listOf(profiles?.['virtualLinkProfile']);
    const id = nameIn('rdcl', block);
    return {
      nsdName: id,
      designer: 'superfluidity',
      nsdInvariantId: id,
      sapd: [],
      vnffgd: [],
      ...fieldsOf(nsd),
      nsdIdentifier: id,
      version,
      vnfdId: block.children.map((fn) => this.#ids.get(fn)!),
      virtualLinkDesc: outside.map((network) => ({
        connectivityType: { layerProtocol: 'IPV4', flowPattern: 'mesh' },
        ...fieldsOf(said(network)['link']),
        virtualLinkDescId: nameIn('rdcl', network),
      })),
      nsDf: [
        {
          nsDfId: 'default',
          flavourKey: 'default',
          ...profiles,
          vnfProfile: block.children.map((fn) => this.#profile(fn)),
          virtualLinkProfile: outside.map((network) => {
            const link = nameIn('rdcl', network);
            const known = before.find((one) => one['virtualLinkDescId'] === link);
            return {
              flavourId: 'default',
              ...known,
              virtualLinkProfileId: this.#profileId(network),
              virtualLinkDescId: link,
            };
          }),
        },
      ],
    };
  }

  /** The one that the project has for the link; it may be called otherwise than ours. */
  #profileId(network: Network): unknown {
    const profiles = listOf(fieldsOf(said(this.#service.block)['flavour'])?.['virtualLinkProfile']);
    const link = nameIn('rdcl', network);
    const known = profiles.find((one) => one['virtualLinkDescId'] === link)?.['virtualLinkProfileId'];
    return known === undefined || known === '' ? profileId(network) : known;
  }

  #profile(fn: Block): Fields {
    const id = this.#ids.get(fn)!;
    const points = new Map<Network, Set<string>>();
    for (const unit of fn.children)
      for (const port of unit.ports) {
        const network = this.#networkOf(port);
        if (network === undefined || isInside(network)) continue;
        const list = points.get(network) ?? new Set();
        points.set(network, list.add(this.#external(fn, port, network)));
      }
    return {
      flavourId: 'default',
      ...fieldsOf(said(fn)['profile']),
      vnfProfileId: id,
      vnfdId: id,
      nsVirtualLinkConnectivity: [...points].map(([network, cpdId]) => ({
        virtualLinkProfileId: this.#profileId(network),
        cpdId: [...cpdId],
      })),
    };
  }

  #vnfd(fn: Block, at: string): Fields {
    const before = fieldsOf(said(fn)['vnfd']) ?? {};
    const links = new Map<string, string | undefined>();
    const external = new Map<string, string>();
    const prefixes = new Map<string, string>();
    const fixed = new Map<string, string>();
    for (const unit of fn.children)
      for (const port of unit.ports) {
        const network = this.#networkOf(port);
        const point = this.#point(unit, port);
        if (port.address !== undefined && fixed.has(point))
          this.#lose(
            `${at}.units[${fn.children.indexOf(unit)}].ports`,
            `address of port '${port.name}' of '${unit.name}'`,
          );
        else if (port.address !== undefined) fixed.set(point, port.address);
        if (network === undefined) continue;
        const link = this.#link(fn, port, network);
        links.set(link, network.name);
        if (!isInside(network)) external.set(this.#external(fn, port, network), link);
        if (!isAssumed('rdcl', network)) prefixes.set(link, network.prefix);
      }
    const attributes = fieldsOf(before['modifiableAttributes']);
    const metadata = withAddresses(attributes?.['metadata'], { prefixes, fixed });
    const units = fn.children.map((unit, i) => ({ unit, at: `${at}.units[${i}]`, id: nameIn('rdcl', unit) }));
    return {
      vnfProvider: 'superfluidity',
      vnfProductName: nameIn('rdcl', fn),
      vnfSoftwareVersion: this.#service.version,
      vnfdVersion: this.#service.version,
      ...before,
      vnfdId: this.#ids.get(fn)!,
      vdu: units.map(({ unit, at: unitAt }) => this.#vdu(fn, unit, unitAt)),
      virtualComputeDesc: merged(
        before['virtualComputeDesc'],
        'virtualComputeDescId',
        units.flatMap(({ unit }) => computeOf(unit)),
      ),
      virtualStorageDesc: merged(
        before['virtualStorageDesc'],
        'id',
        units.flatMap(({ unit }) => storageOf(unit)),
      ),
      vduNestedDesc: merged(
        before['vduNestedDesc'],
        'id',
        units.flatMap(({ unit, at: unitAt }) => this.#nestedOf(fn, unit, unitAt)),
      ),
      intVirtualLinkDesc: merged(
        before['intVirtualLinkDesc'],
        'virtualLinkDescId',
        [...links.keys()].map((id) => ({ virtualLinkDescId: id })),
      ),
      vnfExtCpd: merged(
        before['vnfExtCpd'],
        'cpdId',
        [...external].map(([cpdId, link]) => ({ cpdId, intVirtualLinkDesc: link })),
      ),
      deploymentFlavour: flavours(before['deploymentFlavour'], fn.children),
      ...(metadata.length === 0 && attributes === undefined
        ? {}
        : { modifiableAttributes: { extension: [], ...attributes, metadata } }),
    };
  }

  #vdu(fn: Block, unit: Block, at: string): Fields {
    const before = fieldsOf(said(unit)['vdu']) ?? {};
    const { nested, environment } = unit.execution!;
    const parent = nested?.parent;
    const within = fn.children.find(({ name }) => parent === `${fn.name}/${name}`);
    if (parent !== undefined && parent !== 'none' && within === undefined)
      this.#lose(`${at}.nested.parent`, `that '${unit.name}' runs inside '${parent}', which is in another function`);
    if (nested?.descriptor !== undefined || nested?.descriptorType !== undefined)
      this.#lose(`${at}.nested`, `the nested descriptor of '${unit.name}', which is not among the files`);
    const [compute] = computeOf(unit);
    const [storage] = storageOf(unit);
    const [descriptor] = environment === 'click' || environment === 'pod' ? [this.#nestedId(fn, unit)] : [];
    return {
      name: nameIn('rdcl', unit),
      ...before,
      vduId: nameIn('rdcl', unit),
      ...(unit.description === undefined ? {} : { description: unit.description }),
      intCpd: unit.ports.filter((port) => said(port)['only'] !== true).map((port) => this.#cpd(fn, unit, port)),
      ...(compute === undefined ? {} : { virtualComputeDesc: compute['virtualComputeDescId'] }),
      ...(storage === undefined ? {} : { virtualStorageDesc: storage['id'] }),
      ...this.#image(unit, before['swImageDesc'], at),
      ...(descriptor === undefined ? {} : { vduNestedDesc: descriptor }),
      ...(parent === 'none'
        ? { vduParent: 'None' }
        : within === undefined
          ? {}
          : { vduParent: nameIn('rdcl', within) }),
      ...(nested?.parentMandatory === undefined || (parent !== undefined && parent !== 'none' && within === undefined)
        ? {}
        : { vduParentMandatory: nested.parentMandatory }),
    };
  }

  #cpd(fn: Block, unit: Block, port: Port): Fields {
    const network = this.#networkOf(port);
    return {
      layerProtocol: 'IPV4',
      ...fieldsOf(said(port)['cpd']),
      cpdId: this.#point(unit, port),
      ...(network === undefined ? {} : { intVirtualLinkDesc: this.#link(fn, port, network) }),
      ...(port.internalIf !== undefined
        ? { internalIfRef: port.internalIf }
        : this.#point(unit, port) === `${unit.name}-${port.name}`
          ? { internalIfRef: port.name }
          : {}),
    };
  }

  #image(unit: Block, written: unknown, at: string): Fields {
    const { environment, image } = unit.execution!;
    if (environment === 'click' || environment === 'pod') return written === undefined ? {} : { swImageDesc: written };
    if (environment !== 'vm' && environment !== 'container')
      this.#lose(`${at}.environment`, `environment '${environment}'`);
    const before = fieldsOf(written);
    const reference = image?.replace(/^name:/, '');
    const virtual = environment === 'container' ? { supportedVirtualisationEnvironment: ['docker'] } : {};
    if (before === undefined && reference === nameIn('rdcl', unit) && environment === 'vm') return {};
    // The name of the unit is what is assumed where the image is not filled in.
    if (before !== undefined && reference === nameIn('rdcl', unit)) return { swImageDesc: { ...before, ...virtual } };
    return { swImageDesc: { id: 'image', name: unit.name, ...before, ...virtual, swImage: reference ?? image } };
  }

  #nestedOf(fn: Block, unit: Block, at: string): readonly Fields[] {
    const { environment, program, image, command } = unit.execution!;
    if (environment !== 'click' && environment !== 'pod') {
      if (program !== undefined) this.#lose(`${at}.program`, `program of '${unit.name}'`);
      if (command !== undefined) this.#lose(`${at}.command`, `command of '${unit.name}'`);
      return [];
    }
    const id = this.#nestedId(fn, unit);
    const file = fileName(id);
    const click = environment === 'click';
    if (!this.#nested.has(file)) {
      this.#nested.add(file);
      const text = click ? (program ?? '') : this.#manifest(unit, image, command);
      this.#files.push({
        path: click ? `CLICK/${file}.click` : `K8S/${file}.yaml`,
        bytes: new TextEncoder().encode(text),
      });
    }
    if (click && image !== undefined)
      this.#lose(`${at}.image`, `image of '${unit.name}', which is a Click configuration`);
    if (click && command !== undefined) this.#lose(`${at}.command`, `command of '${unit.name}'`);
    if (!click && program !== undefined) this.#lose(`${at}.program`, `program of '${unit.name}'`);
    return [{ id, vduNestedDescriptorType: click ? 'click' : 'kubernetes', vduNestedDescriptor: file }];
  }

  #manifest(unit: Block, image: string | undefined, command: readonly string[] | undefined): string {
    const { manifest } = said(unit);
    if (typeof manifest === 'string') return manifest;
    const container = {
      name: unit.name,
      ...(image === undefined ? {} : { image: image.replace(/^name:/, '') }),
      ...(command === undefined ? {} : { command }),
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: unit.name }, spec: { containers: [container] } };
    return new Document(pod, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
  }

  #nestedId(fn: Block, unit: Block): string {
    const before = fieldsOf(said(unit)['vdu'])?.['vduNestedDesc'];
    return typeof before === 'string' && before !== '' ? before : `${fn.name}-${unit.name}`;
  }

  #networkOf({ network }: Port): Network | undefined {
    return this.#service.networks.find(({ name }) => name === network);
  }

  /** Connection points of a VNFD have one name each; the interface inside keeps that of the port. */
  #point(unit: Block, port: Port): string {
    const { id, cpd, only } = said(port);
    if (typeof id === 'string') return id;
    return cpd !== undefined || only === true || port.internalIf !== undefined
      ? port.name
      : `${unit.name}-${port.name}`;
  }

  #link(fn: Block, port: Port, network: Network): string {
    const { inside } = said(network);
    const { link } = said(port);
    if (typeof inside === 'string') return inside;
    return typeof link === 'string' ? link : `${fn.name}-${network.name}`;
  }

  #external(fn: Block, port: Port, network: Network): string {
    const { external } = said(port);
    return typeof external === 'string' ? external : `${fn.name}-${network.name}`;
  }
}

/** Part of a function, not of the network service. */
function isInside(network: Network): boolean {
  return typeof said(network)['inside'] === 'string';
}

function profileId(network: Network): string {
  return `profile-${nameIn('rdcl', network)}`;
}

function computeOf(unit: Block): readonly Fields[] {
  const { cpu, memoryMiB } = unit.requirements;
  if (cpu === undefined && memoryMiB === undefined) return [];
  return [
    {
      virtualComputeDescId: descId(unit, 'virtualComputeDesc', 'compute'),
      ...(cpu === undefined ? {} : { virtualCpu: { numVirtualCpu: cpu } }),
      ...(memoryMiB === undefined ? {} : { virtualMemory: { virtualMemSize: memoryMiB } }),
    },
  ];
}

function storageOf(unit: Block): readonly Fields[] {
  const { storageMiB } = unit.requirements;
  if (storageMiB === undefined || storageMiB === 0) return [];
  const id = descId(unit, 'virtualStorageDesc', 'storage');
  return [{ id, typeOfStorage: 'volume', sizeOfStorage: storageMiB / 1_024 }];
}

function descId(unit: Block, field: string, kind: string): string {
  const before = fieldsOf(said(unit)['vdu'])?.[field];
  return typeof before === 'string' && before !== '' && before !== 'id' ? before : `${unit.name}-${kind}`;
}

/** The list with what is new in it, one by one by their identifiers; fields of what was there stay where nothing replaces them. */
function merged(before: unknown, key: string, now: readonly Fields[]): readonly Fields[] {
  const kept = listOf(before);
  const byId = new Map(now.map((one) => [one[key], one]));
  const updated = kept.map((one) => {
    const replacing = byId.get(one[key]);
    byId.delete(one[key]);
    return replacing === undefined ? one : overlaid(one, replacing);
  });
  return [...updated, ...byId.values()];
}

function overlaid(before: Fields, now: Fields): Fields {
  const fields = Object.entries(now).map(([name, value]) => {
    const [inner, outer] = [fieldsOf(value), fieldsOf(before[name])];
    return [name, inner !== undefined && outer !== undefined ? { ...outer, ...inner } : value] as const;
  });
  return { ...before, ...Object.fromEntries(fields) };
}

function flavours(before: unknown, units: readonly Block[]): readonly Fields[] {
  const [first = { flavourId: 'default' }, ...others] = listOf(before);
  const names = new Set(units.map((unit) => nameIn('rdcl', unit)));
  const profiles = units.flatMap((unit) => {
    if (unit.scale === undefined) return [];
    const { min, max } = unit.scale;
    return [{ vduId: nameIn('rdcl', unit), minNumberOfInstances: min, maxNumberOfInstances: max }];
  });
  const stale = listOf(first['vduProfile']).filter(
    ({ vduId }) => !names.has(String(vduId)) || profiles.some((one) => one.vduId === vduId),
  );
  return [{ ...first, vduProfile: merged(stale, 'vduId', profiles) }, ...others];
}

function said(thing: { readonly carried?: Fields }): Fields {
  return fieldsOf(thing.carried?.['rdcl']) ?? {};
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf).filter((one) => one !== undefined) : [];
}

/** Identifiers are free text; names of files are not. */
function fileName(id: string): string {
  const name = id.replaceAll(/[^A-Za-z0-9_.-]+/g, '_').replace(/^\.+/, '_');
  return name === '' ? '_' : name;
}
