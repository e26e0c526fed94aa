import type { Problem } from '@superfluidity/core';
import { z } from 'zod';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { dialectErrors } from '../errors.ts';
import { withQuestions } from '../check-questions.ts';
import type { DescriptorFile } from '../files.ts';
import {
  requirementsShape,
  unitFragmentShape,
  type NativeFunction,
  type NativeRequirements,
  type NativeService,
  type NativeUnit,
  type NativeUnitFragment,
} from '../native/schema.ts';
import { Origins } from '../origins.ts';
import { named } from '../recognise.ts';
import { readShape, type JsonSchema } from '../shape.ts';
import { toService } from '../to-service.ts';
import { formatPath, readYamlText, shorten, yamlOf, type Path, type YamlText } from '../yaml-text.ts';
import { isGroup, valueAt, withoutModules } from './modules.ts';
import { carry, customary } from './carry.ts';
import { NESTED_TYPE, parseRule, REQUIREMENTS_KEY } from './mapping.ts';
import { nsdShape, vnfdShape, type Nsd, type Vdu, type Vnfd } from './shape.ts';

/** A descriptor where it stands in a file. */
interface Found {
  readonly file: string;
  readonly text: YamlText;
  readonly path: Path;
  readonly value: unknown;
}

/** All NSDs and VNFDs of a package, under `nfv`, under their own name, alone or in lists; with module prefixes or without (RFC 7951). */
export function findDescriptors(files: readonly DescriptorFile[]): {
  readonly nsds: readonly Found[];
  readonly vnfds: readonly Found[];
  readonly problems: readonly Problem[];
} {
  const found = { nsd: [] as Found[], vnfd: [] as Found[] };
  const problems: Problem[] = [];
  for (const source of files.filter(named('yaml', 'yml', 'json'))) {
    const { path: file } = source;
    const read = yamlOf(source);
    problems.push(...read.problems);
    const text = withoutModules(read);
    const top: Path = isGroup(text.value) && 'nfv' in text.value ? ['nfv'] : [];
    const root = valueAt(text.value, top);
    for (const kind of ['nsd', 'vnfd'] as const) {
      const value = valueAt(root, [kind]);
      if (value === undefined) continue;
      const at = [...top, kind];
      if (Array.isArray(value))
        value.forEach((item, i) => found[kind].push({ file, text, path: [...at, i], value: item }));
      else found[kind].push({ file, text, path: at, value });
    }
  }
  return { nsds: found.nsd, vnfds: found.vnfd, problems };
}

/** Reads an ETSI SOL006 package: one NSD with the VNFDs and nested descriptors that it refers to. Never throws. */
export function readSol006(files: readonly DescriptorFile[]): ReadResult {
  return new Reader(files).read();
}

const fragmentSchema = z.toJSONSchema(unitFragmentShape, { io: 'input' }) as JsonSchema;
const requirementsSchema = z.toJSONSchema(requirementsShape, { io: 'input' }) as JsonSchema;

interface ReadVnfd {
  readonly found: Found;
  readonly vnfd: Vnfd;
}

class Reader {
  readonly #files: readonly DescriptorFile[];
  readonly #problems: Problem[] = [];

  constructor(files: readonly DescriptorFile[]) {
    this.#files = files;
  }

  read(): ReadResult {
    const { nsds, vnfds, problems } = findDescriptors(this.#files);
    this.#problems.push(...problems);
    const [first, second] = nsds;
    if (second !== undefined)
      this.#report('SF-DESCRIPTOR-UNSUPPORTED', second, [], 'a package has one NSD; this is the second');
    if (first === undefined || this.#problems.length > 0) return { problems: this.#problems };
    const nsd = this.#shape(first, nsdShape);
    const byId = new Map<string, ReadVnfd>();
    for (const found of vnfds) {
      const vnfd = this.#shape(found, vnfdShape);
      if (vnfd === undefined) continue;
      if (byId.has(vnfd.id))
        this.#report('SF-DESCRIPTOR-DUPLICATE-KEY', found, ['id'], `there is a VNFD '${shorten(vnfd.id)}' already`);
      byId.set(vnfd.id, { found, vnfd });
    }
    if (nsd === undefined || this.#problems.length > 0) return { problems: this.#problems };
    return this.#service(first, nsd, byId);
  }

  #service(found: Found, nsd: Nsd, vnfds: ReadonlyMap<string, ReadVnfd>): ReadResult {
    const [df] = nsd.df;
    const sources: ReadVnfd[] = [];
    const functions = (df!['vnf-profile'] ?? []).flatMap((profile, i): NativeFunction[] => {
      const source = vnfds.get(profile['vnfd-id']);
      if (source === undefined) {
        const message = `there is no VNFD '${shorten(profile['vnfd-id'])}' in the package`;
        this.#report('SF-DESCRIPTOR-REFERENCE', found, ['df', 0, 'vnf-profile', i, 'vnfd-id'], message);
        return [];
      }
      sources.push(source);
      return [this.#function(nsd, profile, source)];
    });
    const service: NativeService = {
      name: nsd.id,
      version: nsd.version,
      ...(nsd.name === undefined ? {} : { description: nsd.name }),
      ...carry('nsd', nsd, customary.nsd(nsd.id)),
      networks: this.#networks(found, nsd),
      functions,
      chains: this.#chains(found, nsd, vnfds),
      ...(nsd.policy === undefined ? {} : { policies: nsd.policy }),
    };
    const read = toService(service, originsOf(found, sources, nsd), this.#problems);
    return withQuestions(read, found.text, (policy) => [...found.path, 'policy', policy]);
  }

  #networks(found: Found, nsd: Nsd): NonNullable<NativeService['networks']> {
    const profiles = nsd.df[0]!['virtual-link-profile'] ?? [];
    return (nsd['virtual-link-desc'] ?? []).map(({ id }, i) => {
      const data = profiles
        .filter((profile) => profile['virtual-link-desc-id'] === id)
        .flatMap((profile) => [profile['virtual-link-protocol-data'] ?? []].flat());
      const prefix = data.map((entry) => entry['l3-protocol-data']?.cidr).find((cidr) => cidr !== undefined);
      const mtu = data.map((entry) => entry['l2-protocol-data']?.mtu).find((value) => value !== undefined);
      const shaped = mtu === undefined ? {} : { mtu };
      if (prefix !== undefined) return { name: id, prefix, ...shaped };
      const assumed = assumedPrefix(i);
      const message = `virtual link '${shorten(id)}' has no profile with a cidr: ${assumed} is assumed`;
      this.#report('SF-DESCRIPTOR-ASSUMED', found, ['virtual-link-desc', i], message, 'warning');
      return { name: id, prefix: assumed, ...shaped, carried: { sol006: ASSUMED } };
    });
  }

  #function(nsd: Nsd, profile: VnfProfile, source: ReadVnfd): NativeFunction {
    const { vnfd, found } = source;
    const description = vnfd['product-info-description'];
    const requirements = this.#metadataRequirements(source);
    const units = vnfd.vdu.map((vdu, i): NativeUnit => {
      const fragment = this.#fragment(vdu, source, ['vdu', i]);
      const { requirements: own, ...execution } = fragment;
      const nested = this.#nesting(vdu, profile.id);
      const after = (vnfd.df[0]!.dependencies ?? [])
        .filter((dependency) => dependency['secondary-id'] === vdu.id)
        .map((dependency) => `${profile.id}/${dependency['primary-id']}`);
      const asked = after.length === 0 ? own : { ...own, after: [...new Set([...(own?.after ?? []), ...after])] };
      const scale = scaleOf(vnfd, vdu.id);
      return {
        name: vdu.id,
        ...(vdu.description === undefined ? {} : { description: vdu.description }),
        ...carry('vdu', vdu, customary.vdu(vdu.id)),
        ...execution,
        ...(nested === undefined ? {} : { nested: { ...execution.nested, ...nested } }),
        ports: (vdu['int-cpd'] ?? []).map((cpd) => portOf(cpd, vdu.id, vnfd, profile, nsd)),
        ...(asked === undefined ? {} : { requirements: asked }),
        ...(scale === undefined ? {} : { scale }),
      };
    });
    for (const dependency of vnfd.df[0]!.dependencies ?? []) {
      if (vnfd.vdu.some(({ id }) => id === dependency['secondary-id'])) continue;
      this.#report(
        'SF-DESCRIPTOR-REFERENCE',
        found,
        ['df', 0, 'dependencies'],
        `there is no VDU '${shorten(dependency['secondary-id'])}'`,
      );
    }
    return {
      name: profile.id,
      ...(description === undefined ? {} : { description }),
      ...carry('vnfd', vnfd, customary.vnfd(profile.id, nsd.version)),
      ...(requirements === undefined ? {} : { requirements }),
      units,
    };
  }

  /** How the VDU is run: from its nested descriptor, else from its software image. */
  #fragment(vdu: Vdu, { vnfd, found }: ReadVnfd, at: Path): NativeUnitFragment {
    const nothing: NativeUnitFragment = { environment: 'vm' };
    const { vduNestedDesc: reference, vduNestedDescType: type } = vdu;
    if (reference !== undefined && type === undefined) {
      this.#report(
        'SF-DESCRIPTOR-MISSING',
        found,
        [...at, 'vduNestedDesc'],
        "'vduNestedDescType' is missing beside 'vduNestedDesc'",
      );
      return nothing;
    }
    if (reference === undefined || type === undefined)
      return { ...imageOf(vdu, vnfd), requirements: computeOf(vdu, vnfd) };
    if (type === 'kubernetes') {
      return {
        environment: 'pod',
        nested: { descriptor: reference, descriptorType: type },
        requirements: computeOf(vdu, vnfd),
      };
    }
    if (type !== NESTED_TYPE && type !== 'click' && type !== 'nft') {
      this.#report(
        'SF-DESCRIPTOR-UNSUPPORTED',
        found,
        [...at, 'vduNestedDescType'],
        `nested descriptors of type '${shorten(type)}' are not supported`,
      );
      return nothing;
    }
    const file = this.#file(reference, found.file);
    if (file === undefined) {
      this.#report(
        'SF-DESCRIPTOR-REFERENCE',
        found,
        [...at, 'vduNestedDesc'],
        `there is no file '${shorten(reference)}' in the package`,
      );
      return nothing;
    }
    if (type !== NESTED_TYPE) {
      return {
        environment: type,
        program: new TextDecoder().decode(file.bytes),
        forwards: true,
        requirements: computeOf(vdu, vnfd),
      };
    }
    const shape = readShape(yamlOf(file), unitFragmentShape, fragmentSchema);
    if ('value' in shape) return shape.value;
    this.#problems.push(...shape.problems);
    return nothing;
  }

  /** Relative to the VNFD, or to the root of the package. */
  #file(reference: string, from: string): DescriptorFile | undefined {
    const folder = from.includes('/') ? from.slice(0, from.lastIndexOf('/') + 1) : '';
    const at = (path: string) => this.#files.find((file) => file.path === path);
    return at(folder + reference) ?? at(reference);
  }

  #nesting(vdu: Vdu, fn: string): { parent: string; parentMandatory?: boolean } | undefined {
    if (vdu.vduParent === undefined) return undefined;
    const parent = vdu.vduParent.toLowerCase() === 'none' ? 'none' : `${fn}/${vdu.vduParent}`;
    return { parent, ...(vdu.vduParentMandatory === undefined ? {} : { parentMandatory: vdu.vduParentMandatory }) };
  }

  #metadataRequirements({ vnfd, found }: ReadVnfd): NativeRequirements | undefined {
    const metadata = vnfd['modifiable-attributes']?.metadata ?? [];
    const i = metadata.findIndex((entry) => entry.startsWith(`${REQUIREMENTS_KEY}=`));
    if (i === -1) return undefined;
    const text = readYamlText(new TextEncoder().encode(metadata[i]!.slice(REQUIREMENTS_KEY.length + 1)));
    const shape = readShape(text, requirementsShape, requirementsSchema);
    if ('value' in shape) return shape.value;
    for (const { code, message } of shape.problems) {
      this.#report(code as keyof typeof dialectErrors, found, ['modifiable-attributes', 'metadata', i], message);
    }
    return undefined;
  }

  #chains(found: Found, nsd: Nsd, vnfds: ReadonlyMap<string, ReadVnfd>): NonNullable<NativeService['chains']> {
    return (nsd.vnffgd ?? []).flatMap((graph, g) => {
      const elements = new Map((graph['nfp-position-element'] ?? []).map((element) => [element.id, element]));
      return (graph.nfpd ?? []).flatMap((path, p): NonNullable<NativeService['chains']> => {
        const at: Path = ['vnffgd', g, 'nfpd', p];
        const rule = parseRule(path.rule);
        if (rule === undefined) {
          this.#report(
            'SF-DESCRIPTOR-VALUE',
            found,
            [...at, 'rule'],
            "a rule has the form 'destination=10.99.0.10 protocol=tcp ports=8080'",
          );
          return [];
        }
        const ids = (path['position-desc'] ?? []).flatMap((position) => position['nfp-position-element-id'] ?? []);
        const hops = ids.map((id) => {
          const element = elements.get(id);
          const hop = element === undefined ? undefined : hopOf(element, nsd, vnfds);
          if (hop === undefined)
            this.#report(
              'SF-DESCRIPTOR-REFERENCE',
              found,
              [...at, 'position-desc'],
              `position element '${shorten(id)}' leads to no connection point`,
            );
          return hop ?? '';
        });
        const [from, ...rest] = hops;
        const to = rest.pop();
        if (from === undefined || to === undefined) {
          this.#report('SF-DESCRIPTOR-VALUE', found, [...at, 'position-desc'], 'a path has two positions or more');
          return [];
        }
        const protocol = rule.protocol as 'tcp' | 'udp' | 'any';
        return [{ name: path.id, from, through: rest, to, ...rule, ports: [...rule.ports], protocol }];
      });
    });
  }

  #shape<T>(found: Found, schema: z.ZodType<T>): T | undefined {
    const inner: YamlText = {
      value: found.value,
      problems: [],
      locate: (path, what) => found.text.locate([...found.path, ...path], what),
      within: (path, line, column) => found.text.within([...found.path, ...path], line, column),
    };
    const shape = readShape(inner, schema, {});
    if ('value' in shape) return shape.value;
    this.#problems.push(...shape.problems.map((problem) => ({ ...problem, path: joinPath(found.path, problem.path) })));
    return undefined;
  }

  #report(
    code: keyof typeof dialectErrors,
    found: Found,
    path: Path,
    message: string,
    severity: Problem['severity'] = 'error',
  ): void {
    const full = [...found.path, ...path];
    this.#problems.push({
      severity,
      code,
      message,
      path: formatPath(full),
      position: found.text.locate(full),
    });
  }
}

type VnfProfile = NonNullable<Nsd['df'][number]['vnf-profile']>[number];
type IntCpd = NonNullable<Vdu['int-cpd']>[number];

function joinPath(path: Path, rest: string): string {
  return rest === '' ? formatPath(path) : `${formatPath(path)}.${rest}`;
}

/** A port is on the virtual link to which its external connection point, or that of its internal virtual link, is connected. */
function portOf(cpd: IntCpd, vduId: string, vnfd: Vnfd, profile: VnfProfile, nsd: Nsd) {
  const link = cpd['int-virtual-link-desc'];
  const outer = (vnfd['ext-cpd'] ?? [])
    .filter(
      (ext) =>
        (link !== undefined && ext['int-virtual-link-desc'] === link) ||
        (ext['int-cpd']?.['vdu-id'] === vduId && ext['int-cpd'].cpd === cpd.id),
    )
    .map(({ id }) => id);
  const connectivity = (profile['virtual-link-connectivity'] ?? []).find(({ 'constituent-cpd-id': cpds }) =>
    (cpds ?? []).some((constituent) => outer.includes(constituent['constituent-cpd-id'])),
  );
  const linkProfile = (nsd.df[0]!['virtual-link-profile'] ?? []).find(
    ({ id }) => id === connectivity?.['virtual-link-profile-id'],
  );
  const network = linkProfile?.['virtual-link-desc-id'];
  const addresses = (cpd.protocol ?? []).flatMap((protocol) => protocol['address-data'] ?? []);
  const address = addresses
    .map((data) => data['l3-address-data']?.['fixed-ip-address'])
    .find((fixed) => fixed !== undefined);
  return {
    name: cpd.id,
    ...(network === undefined ? {} : { network }),
    ...(address === undefined ? {} : { address }),
    ...(cpd.internalIfRef === undefined ? {} : { internalIf: cpd.internalIfRef }),
  };
}

type PositionElement = NonNullable<NonNullable<Nsd['vnffgd']>[number]['nfp-position-element']>[number];

/** Unit of a position, with the port where the unit has several. */
function hopOf({ desc }: PositionElement, nsd: Nsd, vnfds: ReadonlyMap<string, ReadVnfd>): string | undefined {
  const profile = (nsd.df[0]!['vnf-profile'] ?? []).find(({ id }) => id === desc['vnf-profile']['vnf-profile-id']);
  const vnfd = vnfds.get(profile?.['vnfd-id'] ?? '')?.vnfd;
  const inner = vnfd?.['ext-cpd']?.find(({ id }) => id === desc.vnf?.['cpd-id'])?.['int-cpd'];
  const vdu = vnfd?.vdu.find(({ id }) => id === inner?.['vdu-id']);
  if (profile === undefined || inner === undefined || vdu === undefined) return undefined;
  const port = (vdu['int-cpd'] ?? []).length > 1 ? `.${inner.cpd}` : '';
  return `${profile.id}/${vdu.id}${port}`;
}

/** Numbers of instances; absent where there is always one. */
function scaleOf(vnfd: Vnfd, vduId: string): NativeUnit['scale'] | undefined {
  const [df] = vnfd.df;
  const profile = (df!['vdu-profile'] ?? []).find(({ id }) => id === vduId);
  const min = profile?.['min-number-of-instances'] ?? 1;
  const max = profile?.['max-number-of-instances'] ?? Math.max(1, min);
  const level = (df!['instantiation-level'] ?? []).find(({ id }) => id === df!['default-instantiation-level']);
  const initial =
    (level?.['vdu-level'] ?? []).find((entry) => entry['vdu-id'] === vduId)?.['number-of-instances'] ?? min;
  return min === 1 && max === 1 && initial === 1 ? undefined : { initial, min, max };
}

function imageOf(vdu: Vdu, vnfd: Vnfd): NativeUnitFragment {
  const image = (vnfd['sw-image-desc'] ?? []).find(({ id }) => id === vdu['sw-image-desc']);
  const container = ['docker', 'oci'].includes(image?.['container-format'] ?? '');
  const reference = image?.image === undefined ? {} : { image: `${container ? 'oci' : 'disk'}:${image.image}` };
  return { environment: container ? 'container' : 'vm', ...reference };
}

function computeOf(vdu: Vdu, vnfd: Vnfd): NativeRequirements {
  const compute = (vnfd['virtual-compute-desc'] ?? []).find(({ id }) => id === vdu['virtual-compute-desc']);
  const cpu = compute?.['virtual-cpu']?.['num-virtual-cpu'];
  const gigabytes = compute?.['virtual-memory']?.size;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(gigabytes === undefined ? {} : { memoryMiB: Number(gigabytes) * 1024 }),
  };
}

/** Functions are shown at their VNFD, units at their VDU, the rest at the NSD. */
function originsOf(nsd: Found, sources: readonly ReadVnfd[], { policy: policies = [] }: Nsd): Origins {
  const origins = new Origins();
  origins.note('', nsd.text.locate(nsd.path));
  for (const [i, { found, vnfd }] of sources.entries()) {
    origins.note(`functions[${i}]`, found.text.locate(found.path));
    for (const j of vnfd.vdu.keys()) {
      origins.note(`functions[${i}].units[${j}]`, found.text.locate([...found.path, 'vdu', j]));
    }
  }
  for (const [i, policy] of policies.entries()) noteAll(origins, nsd, `policies[${i}]`, ['policy', i], policy);
  return origins;
}

/** Policies are written as in the model: each part of one has a place of its own. */
function noteAll(origins: Origins, nsd: Found, modelPath: string, path: Path, value: unknown): void {
  origins.note(modelPath, nsd.text.locate([...nsd.path, ...path]));
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${modelPath}[${key}]` : `${modelPath}.${key}`;
    noteAll(origins, nsd, at, [...path, Array.isArray(value) ? Number(key) : key], inner);
  }
}
