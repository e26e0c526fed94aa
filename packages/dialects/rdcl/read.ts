import type { Position, Problem } from '@superfluidity/core';
import { modelLimits, parseIpv4, parseIpv4Prefix, isHostAddress, prefixesOverlap } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { dialectErrors } from '../errors.ts';
import type { DescriptorFile } from '../files.ts';
import { Names, renamed } from '../names.ts';
import type { NativeFunction, NativePort, NativeService, NativeUnit } from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { Report } from '../report.ts';
import { readShape } from '../shape.ts';
import { toService } from '../to-service.ts';
import { readYamlText, shorten, type Path, type YamlText } from '../yaml-text.ts';
import { addressesOf, type Addresses } from './metadata.ts';
import { fieldsOf, findProject, type Found, type Project } from './project.ts';
import { nsdShape, verticesShape, vnfdShape, type Nsd, type Vdu, type Vnfd } from './shape.ts';

/** Reads a project of RDCL 3D: an NSD with its VNFDs, or VNFDs alone, each a function then. Never throws. */
export function readRdcl(files: readonly DescriptorFile[]): ReadResult {
  const project = findProject(files);
  const [found, second] = project.nsds;
  const report = new Report();
  report.addAll(project.problems);
  if (second !== undefined) {
    const message = 'a project has one NSD; this is the second';
    const position = second.text.locate([]);
    return { problems: [{ severity: 'error', code: 'SF-DESCRIPTOR-UNSUPPORTED', message, path: '', position }] };
  }
  const nsd = found === undefined ? undefined : shapeOf(found.text, nsdShape, report);
  const vnfds = project.vnfds.flatMap((one): Described[] => {
    const vnfd = shapeOf(one.text, vnfdShape, report);
    return vnfd === undefined ? [] : [{ ...one, vnfd }];
  });
  const vertices = project.vertices === undefined ? undefined : shapeOf(project.vertices.text, verticesShape, report);
  if (report.failed) return { problems: report.problems };
  return new Reading(project, vnfds, report).service(found?.text, nsd, vertices);
}

function shapeOf<T>(text: YamlText, shape: Parameters<typeof readShape<T>>[1], report: Report): T | undefined {
  const result = readShape(text, shape, {});
  report.addAll(result.problems);
  return 'value' in result ? result.value : undefined;
}

interface Described extends Found {
  readonly vnfd: Vnfd;
}

type Profile = NonNullable<NonNullable<NonNullable<Nsd['nsDf']>[number]['vnfProfile']>[number]>;
type NativeNetwork = NonNullable<NativeService['networks']>[number];

/** What stands in templates where something has to be filled in. */
const PLACEHOLDER = /^(reference\b.*|enum|string|id|name|vnfdId|vnfProfileId)$/i;

class Reading {
  readonly #project: Project;
  readonly #vnfds: readonly Described[];
  readonly #found: Report;
  readonly #origins = new Origins();
  readonly #networkNames = new Names();
  readonly #networks: NativeNetwork[] = [];
  readonly #functionNames = new Names();
  readonly #assumed = new Map<string, Position>();

  constructor(project: Project, vnfds: readonly Described[], found: Report) {
    this.#project = project;
    this.#vnfds = vnfds;
    this.#found = found;
  }

  service(text: YamlText | undefined, nsd: Nsd | undefined, vertices: unknown): ReadResult {
    const [only] = this.#vnfds;
    this.#origins.note('', (text ?? only?.text)?.locate([]));
    const written = nsd?.nsdIdentifier || nsd?.nsdName || only?.vnfd.vnfdId || only?.name || 'service';
    const name = new Names().label(written);
    const links = this.#links(text, nsd);
    const functions = nsd === undefined ? this.#alone() : this.#profiles(text!, nsd, links);
    const { nsDf = [], virtualLinkDesc: _links, version, nsdIdentifier: _id, ...rest } = nsd ?? {};
    const { vnfProfile: _profiles, ...flavour } = nsDf?.[0] ?? {};
    const carried = {
      ...renamed(written, name),
      ...(nsd === undefined ? {} : { nsd: rest, flavour }),
      ...(vertices === undefined ? {} : { vertices }),
    };
    this.#settle();
    const service: NativeService = {
      name,
      version: version || '1.0',
      networks: this.#networks,
      functions,
      ...(Object.keys(carried).length === 0 ? {} : { carried: { rdcl: carried } }),
    };
    return toService(service, this.#origins, this.#found.problems);
  }

  /** Networks by the identifier of the virtual link. What has none is what a template left. */
  #links(text: YamlText | undefined, nsd: Nsd | undefined): ReadonlyMap<string, string> {
    const links = new Map<string, string>();
    nsd?.virtualLinkDesc?.forEach((link, i) => {
      const { virtualLinkDescId: id, ...rest } = link;
      if (!id) return this.#leftover(text!, ['virtualLinkDesc', i], 'virtual link');
      if (links.has(id))
        return this.#report(
          'error',
          'SF-DESCRIPTOR-DUPLICATE-KEY',
          text!,
          ['virtualLinkDesc', i],
          `there is a virtual link '${shorten(id)}' already`,
        );
      links.set(id, this.#network(id, text!.locate(['virtualLinkDesc', i]), { link: rest }));
    });
    return links;
  }

  #network(id: string, at: Position, carried: Record<string, unknown>): string {
    const name = this.#networkNames.fresh(id);
    this.#origins.note(`networks[${this.#networks.length}]`, at);
    this.#networks.push({ name, prefix: '', carried: { rdcl: { ...renamed(id, name), ...carried } } });
    this.#assumed.set(name, at);
    return name;
  }

  /** Networks to which nobody has given addresses get some. */
  #settle(): void {
    this.#networks.forEach((network, i) => {
      if (network.prefix !== '') return;
      network.prefix = assumedPrefix(i);
      network.carried = { rdcl: { ...fieldsOf(network.carried?.['rdcl']), ...ASSUMED } };
      const message = `nothing says which addresses network '${network.name}' has: ${network.prefix} is assumed`;
      this.#found.warn('SF-DESCRIPTOR-ASSUMED', this.#assumed.get(network.name), message);
    });
  }

  /** The prefix that metadata give to a network, if it can be used. */
  #address(name: string, prefix: string | undefined, text: YamlText): void {
    const network = this.#networks.find((one) => one.name === name);
    if (prefix === undefined || network === undefined || network.prefix !== '') return;
    const parsed = parseIpv4Prefix(prefix);
    const taken = this.#networks.some((one) => {
      const other = parseIpv4Prefix(one.prefix);
      return parsed !== undefined && other !== undefined && prefixesOverlap(parsed, other);
    });
    if (parsed !== undefined && !taken) network.prefix = prefix;
    else {
      const why = parsed === undefined ? 'is no IPv4 prefix' : 'is that of another network already';
      this.#report(
        'warning',
        'SF-DESCRIPTOR-ASSUMED',
        text,
        ['modifiableAttributes'],
        `'${shorten(prefix)}' of network '${name}' ${why}`,
      );
    }
  }

  #alone(): NativeFunction[] {
    return this.#vnfds.map((described, i) => this.#function(described, i, new Map(), new Map(), undefined));
  }

  #profiles(text: YamlText, nsd: Nsd, links: ReadonlyMap<string, string>): NativeFunction[] {
    const [flavour] = nsd.nsDf ?? [];
    const profileOf = new Map(
      (flavour?.virtualLinkProfile ?? []).map((one) => [one.virtualLinkProfileId ?? '', one.virtualLinkDescId ?? '']),
    );
    const functions: NativeFunction[] = [];
    flavour?.vnfProfile?.forEach((profile, i) => {
      const at = ['nsDf', 0, 'vnfProfile', i] as const;
      const { vnfdId } = profile;
      const described =
        this.#vnfds.find(({ vnfd }) => vnfd.vnfdId === vnfdId) ?? this.#vnfds.find(({ name }) => name === vnfdId);
      if (described === undefined) {
        if (!vnfdId || PLACEHOLDER.test(vnfdId)) return this.#leftover(text, at, 'profile');
        return this.#report(
          'error',
          'SF-DESCRIPTOR-REFERENCE',
          text,
          [...at, 'vnfdId'],
          `there is no VNFD '${shorten(vnfdId)}' in the project`,
        );
      }
      const connected = new Map<string, string[]>();
      profile.nsVirtualLinkConnectivity?.forEach(({ virtualLinkProfileId, cpdId }, j) => {
        if (!virtualLinkProfileId) return;
        const network = links.get(profileOf.get(virtualLinkProfileId) ?? virtualLinkProfileId);
        const place = [...at, 'nsVirtualLinkConnectivity', j] as const;
        if (network === undefined)
          return this.#report(
            'error',
            'SF-DESCRIPTOR-REFERENCE',
            text,
            place,
            `there is no virtual link profile '${shorten(virtualLinkProfileId)}'`,
          );
        for (const point of cpdId ?? []) {
          if (!point) continue;
          if (!described.vnfd.vnfExtCpd?.some((one) => one.cpdId === point)) {
            this.#report(
              'warning',
              'SF-DESCRIPTOR-REFERENCE',
              text,
              place,
              `VNFD '${shorten(vnfdId ?? '')}' has no connection point '${shorten(point)}'`,
            );
            continue;
          }
          connected.set(point, [...(connected.get(point) ?? []), network]);
        }
      });
      functions.push(this.#function(described, functions.length, connected, new Map(), profile));
    });
    return functions;
  }

  #function(
    described: Described,
    index: number,
    connected: ReadonlyMap<string, readonly string[]>,
    internal: Map<string, string>,
    profile: Profile | undefined,
  ): NativeFunction {
    const { vnfd, text } = described;
    const id = vnfd.vnfdId || described.name;
    const name = this.#functionNames.fresh(id);
    this.#origins.note(`functions[${index}]`, text.locate([]));
    const addresses = addressesOf(vnfd);
    const names = new Names();
    const real = vnfd.vdu.flatMap((vdu, i) => {
      if (vdu.vduId) return [{ vdu, at: ['vdu', i] as Path, name: names.label(vdu.vduId) }];
      this.#leftover(text, ['vdu', i], 'VDU');
      return [];
    });
    /** Links that lead to more than one network: their first port has been given others for the rest. */
    const spread = new Set<string>();
    const units = real.map(({ vdu, at, name: unit }, j): NativeUnit => {
      const ports = this.#ports(
        vdu,
        at,
        described,
        { name, connected, internal, spread, addresses },
        `functions[${index}].units[${j}]`,
      );
      return this.#unit(vdu, at, unit, ports, described, (parent) => {
        const known = names.known(parent);
        return known === undefined ? undefined : `${name}/${known}`;
      });
    });
    const { vdu: _vdu, ...rest } = vnfd;
    return {
      name,
      units,
      carried: { rdcl: { ...renamed(id, name), vnfd: rest, ...(profile === undefined ? {} : { profile }) } },
    };
  }

  #ports(vdu: Vdu, at: Path, { vnfd, text }: Described, around: Around, unitAt: string): NativePort[] {
    const names = new Names();
    const ports: NativePort[] = [];
    const push = (
      id: string,
      path: Path,
      network: string | undefined,
      internalIf: string | undefined,
      carried: Record<string, unknown>,
      plain = id,
    ) => {
      const label = names.fresh(plain);
      const inside = internalIf ?? (label.length > modelLimits.interfaceName ? `eth${ports.length}` : undefined);
      const address = this.#fixed(around.addresses.fixed.get(id), network);
      this.#origins.note(`${unitAt}.ports[${ports.length}]`, text.locate(path));
      ports.push({
        name: label,
        ...(network === undefined ? {} : { network }),
        ...(address === undefined ? {} : { address }),
        ...(inside === undefined ? {} : { internalIf: inside }),
        carried: { rdcl: { ...renamed(id, label), ...carried } },
      });
    };
    vdu.intCpd?.forEach((cpd, i) => {
      const path = [...at, 'intCpd', i];
      const { cpdId: id, intVirtualLinkDesc: link, internalIfRef, ...rest } = cpd;
      if (!id) return this.#leftover(text, path, 'connection point');
      const external = (vnfd.vnfExtCpd ?? []).filter(
        (one) =>
          (link && one.intVirtualLinkDesc === link) || one.intCpd === id || fieldsOf(one.intCpd)?.['cpdId'] === id,
      );
      const outside = external.flatMap((one) =>
        (around.connected.get(one.cpdId ?? '') ?? []).map((network) => ({ point: one.cpdId!, network })),
      );
      const [first, ...further] = outside;
      const others = further.filter(({ network }, k) => outside.findIndex((one) => one.network === network) === k + 1);
      const network = first?.network ?? this.#inside(link, around, text.locate(path));
      if (network !== undefined) this.#address(network, around.addresses.prefixes.get(link ?? ''), text);
      const said = link ? { link } : {};
      const point = first === undefined ? {} : { external: first.point };
      // Our writer puts the name of the unit before that of the port.
      const plain = internalIfRef && id === `${vdu.vduId!}-${internalIfRef}` ? internalIfRef : undefined;
      const inside = plain === undefined ? internalIfRef || undefined : undefined;
      push(id, path, network, inside, { cpd: rest, ...said, ...point }, plain);
      const shared = link || id;
      if (around.spread.has(shared)) return;
      around.spread.add(shared);
      for (const { point: other, network: another } of others) {
        const message = `connection point '${shorten(id)}' leads to several networks: an interface of its own is assumed for '${shorten(other)}'`;
        this.#report('warning', 'SF-DESCRIPTOR-ASSUMED', text, path, message);
        push(other, path, another, undefined, { ...said, external: other, only: true });
      }
    });
    return ports;
  }

  /** The network that an internal virtual link is, where it leads out of the function nowhere. */
  #inside(link: string | null | undefined, { name, internal }: Around, at: Position): string | undefined {
    if (!link) return undefined;
    const known = internal.get(link);
    if (known !== undefined) return known;
    const network = this.#network(`${name}-${link}`, at, { inside: link });
    internal.set(link, network);
    return network;
  }

  #fixed(address: string | undefined, network: string | undefined): string | undefined {
    const prefix = parseIpv4Prefix(this.#networks.find(({ name }) => name === network)?.prefix ?? '');
    const parsed = address === undefined ? undefined : parseIpv4(address);
    return prefix !== undefined && parsed !== undefined && isHostAddress(prefix, parsed) ? address : undefined;
  }

  #unit(
    vdu: Vdu,
    at: Path,
    name: string,
    ports: NativePort[],
    { vnfd, text }: Described,
    parentPath: (id: string) => string | undefined,
  ): NativeUnit {
    const id = vdu.vduId!;
    const { vduId: _id, description, intCpd: _points, vduParent, vduParentMandatory, ...rest } = vdu;
    const compute = vnfd.virtualComputeDesc?.find((one) => one.virtualComputeDescId === vdu.virtualComputeDesc);
    const storage = vnfd.virtualStorageDesc?.find((one) => one.id === vdu.virtualStorageDesc);
    const requirements = {
      ...given('cpu', compute?.virtualCpu?.numVirtualCpu),
      ...given('memoryMiB', compute?.virtualMemory?.virtualMemSize),
      ...given('storageMiB', storage?.sizeOfStorage ? storage.sizeOfStorage * 1_024 : undefined),
    };
    const profile = vnfd.deploymentFlavour
      ?.flatMap(({ vduProfile }) => vduProfile ?? [])
      .find((one) => one.vduId === id);
    const { minNumberOfInstances: min, maxNumberOfInstances: max } = profile ?? {};
    const parent =
      vduParent === 'None' || vduParent === 'none' ? 'none' : vduParent ? parentPath(vduParent) : undefined;
    if (vduParent && parent === undefined)
      this.#report(
        'error',
        'SF-DESCRIPTOR-REFERENCE',
        text,
        [...at, 'vduParent'],
        `there is no VDU '${shorten(vduParent)}' in this VNFD`,
      );
    const mandatory = String(vduParentMandatory ?? '').toLowerCase();
    const nested = {
      ...(parent === undefined ? {} : { parent }),
      ...((parent === undefined && mandatory !== 'true') || !['true', 'false'].includes(mandatory)
        ? {}
        : { parentMandatory: mandatory === 'true' }),
    };
    return {
      name,
      ...(description ? { description } : {}),
      ...this.#execution(vdu, at, vnfd, text),
      ...(Object.keys(nested).length === 0 ? {} : { nested }),
      ...(Object.keys(requirements).length === 0 ? {} : { requirements }),
      ...(min === undefined || min === null || max === undefined || max === null
        ? {}
        : { scale: { initial: min, min, max } }),
      ports,
      carried: { rdcl: { ...renamed(id, name), vdu: rest, ...this.#manifest(vdu, vnfd) } },
    };
  }

  #execution(
    vdu: Vdu,
    at: Path,
    vnfd: Vnfd,
    text: YamlText,
  ): Pick<NativeUnit, 'environment' | 'image' | 'program' | 'command'> {
    const id = vdu.vduNestedDesc;
    const listed = id ? vnfd.vduNestedDesc?.find((one) => one.id === id) : undefined;
    const file = listed?.vduNestedDescriptor || id;
    const inner = file ? this.#project.nested.get(file) : undefined;
    if (file && inner === undefined)
      this.#report(
        'error',
        'SF-DESCRIPTOR-REFERENCE',
        text,
        [...at, 'vduNestedDesc'],
        `there is no nested descriptor '${shorten(file)}' in the project`,
      );
    // Projects before annex B2 name the file alone.
    const type =
      listed?.vduNestedDescriptorType || (inner !== undefined && MANIFEST.test(inner) ? 'kubernetes' : 'click');
    if (inner !== undefined && type === 'click') return { environment: 'click', program: inner };
    if (inner !== undefined && type === 'kubernetes') return { environment: 'pod', ...containerOf(inner) };
    if (inner !== undefined)
      this.#report(
        'error',
        'SF-DESCRIPTOR-UNSUPPORTED',
        text,
        [...at, 'vduNestedDesc'],
        `nested descriptors of type '${shorten(type)}' are not read`,
      );
    const image = typeof vdu.swImageDesc === 'string' ? { swImage: vdu.swImageDesc } : vdu.swImageDesc;
    const docker = image?.supportedVirtualisationEnvironment?.includes('docker') === true;
    const environment = docker ? 'container' : 'vm';
    const reference = image?.swImage;
    if (reference && !PLACEHOLDER.test(reference))
      return { environment, image: NATIVE_IMAGE.test(reference) ? reference : `name:${reference}` };
    const message = `nothing says which image '${shorten(vdu.vduId!)}' has: one of that name is assumed`;
    this.#report('warning', 'SF-DESCRIPTOR-ASSUMED', text, at, message);
    return { environment, image: `name:${vdu.vduId!}` };
  }

  /** Manifests say more than a pod needs here: they are written again as they were. */
  #manifest(vdu: Vdu, vnfd: Vnfd): { readonly manifest?: string } {
    const listed = vnfd.vduNestedDesc?.find((one) => one.id === vdu.vduNestedDesc);
    const inner = this.#project.nested.get(listed?.vduNestedDescriptor || vdu.vduNestedDesc || '');
    return inner !== undefined && MANIFEST.test(inner) ? { manifest: inner } : {};
  }

  #leftover(text: YamlText, path: Path, what: string): void {
    this.#report('warning', 'SF-DESCRIPTOR-MISSING', text, path, `this ${what} is not filled in: it is left out`);
  }

  #report(
    severity: Problem['severity'],
    code: keyof typeof dialectErrors,
    text: YamlText,
    path: Path,
    message: string,
  ): void {
    if (severity === 'error') this.#found.error(code, text.locate(path), message);
    else this.#found.warn(code, text.locate(path), message);
  }
}

/** What the ports of a function share. */
interface Around {
  readonly name: string;
  /** Networks by external connection point. */
  readonly connected: ReadonlyMap<string, readonly string[]>;
  /** Networks by internal virtual link. */
  readonly internal: Map<string, string>;
  readonly spread: Set<string>;
  readonly addresses: Addresses;
}

const MANIFEST = /^\s*apiVersion:/m;
const NATIVE_IMAGE = /^(host:|guest:|(folder|oci|disk|name):.)/;

/** Image and command of the first container of a manifest. */
function containerOf(manifest: string): Pick<NativeUnit, 'image' | 'command'> {
  const value = fieldsOf(readYamlText(new TextEncoder().encode(manifest)).value);
  const spec = fieldsOf(value?.['spec']);
  const pod = fieldsOf(fieldsOf(spec?.['template'])?.['spec']) ?? spec;
  const list = pod?.['containers'];
  const container = Array.isArray(list) ? fieldsOf(list[0]) : undefined;
  const image = container?.['image'];
  const words = [container?.['command'], container?.['args']].flat().filter((one) => typeof one === 'string');
  return {
    ...(typeof image === 'string' && image !== '' ? { image: NATIVE_IMAGE.test(image) ? image : `name:${image}` } : {}),
    ...(words.length === 0 ? {} : { command: words }),
  };
}

function given<K extends string, T>(key: K, value: T | null | undefined): { readonly [P in K]?: T } {
  return value === undefined || value === null ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}
