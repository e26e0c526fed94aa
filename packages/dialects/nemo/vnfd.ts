import { z } from 'zod';
import type { Problem } from '@superfluidity/core';
import type { DescriptorFile } from '../files.ts';
import { readShape } from '../shape.ts';
import { partOf, yamlOf, type YamlText } from '../yaml-text.ts';

/** What a NEMO model takes from the VNFD that it imports. */
export interface ImportedVnfd {
  readonly units: readonly ImportedUnit[];
  /** Inside the function: each connects interfaces. */
  readonly connections: readonly { readonly name: string; readonly ends: readonly InterfaceReference[] }[];
  /** The interfaces that can be reached from outside, by the name of the connection point. */
  readonly external: ReadonlyMap<string, InterfaceReference>;
}

export interface ImportedUnit {
  readonly name: string;
  readonly description?: string;
  readonly image?: string;
  readonly cpu?: number;
  readonly memoryMiB?: number;
  readonly storageMiB?: number;
  readonly interfaces: readonly string[];
  /** As it stands in the VNFD. */
  readonly source: unknown;
}

export interface InterfaceReference {
  readonly unit: string;
  readonly interface: string;
}

type Read = { readonly vnfd: ImportedVnfd } | { readonly problems: readonly Problem[] };

/** OpenMANO's VNF, OSM's catalogue up to release 8, or SOL006 as OSM has it since release 9: each with one function. */
export function readVnfd(file: DescriptorFile): Read {
  const text = yamlOf(file);
  if (text.problems.length > 0) return { problems: text.problems };
  const openmano = partOf(text, ['vnf']);
  if (openmano.value !== undefined) return read(openmano, openmanoShape, ofOpenmano);
  for (const path of [
    ['vnfd:vnfd-catalog', 'vnfd'],
    ['vnfd-catalog', 'vnfd'],
    ['vnfd:vnfd-catalog', 'vnfd:vnfd'],
  ]) {
    if (partOf(text, path).value !== undefined) return read(partOf(text, [...path, 0]), osmShape, ofOsm);
  }
  const sol006 = partOf(text, ['vnfd']);
  if (sol006.value !== undefined) return read(sol006, sol006Shape, ofSol006);
  const message = 'this is no VNFD of OpenMANO, OSM or SOL 006';
  return {
    problems: [{ severity: 'error', code: 'SF-DESCRIPTOR-UNRECOGNISED', message, path: '', position: text.locate([]) }],
  };
}

function read<T>(text: YamlText, shape: z.ZodType<T>, convert: (value: T) => ImportedVnfd): Read {
  const result = readShape(text, shape, {});
  return 'value' in result ? { vnfd: convert(result.value) } : { problems: result.problems };
}

const name = z.string().min(1).max(256);
const list = <T extends z.ZodType>(item: T) => z.array(item).max(1_000).default([]);
const amount = z.coerce.number().min(0).max(1e9).exactOptional();
const words = z.string().max(4_096).exactOptional();

const openmanoInterface = z.looseObject({ name });
const openmanoShape = z.looseObject({
  VNFC: list(
    z.looseObject({
      name,
      description: words,
      'VNFC image': words,
      'image name': words,
      vcpus: amount,
      ram: amount,
      disk: amount,
      numas: list(
        z.looseObject({
          cores: amount,
          'paired-threads': amount,
          threads: amount,
          memory: amount,
          interfaces: list(openmanoInterface),
        }),
      ),
      'bridge-ifaces': list(openmanoInterface),
    }),
  ),
  'internal-connections': list(
    z.looseObject({ name, elements: list(z.looseObject({ VNFC: name, local_iface_name: name })) }),
  ),
  'external-connections': list(z.looseObject({ name, VNFC: name, local_iface_name: name })),
});

function ofOpenmano(vnf: z.infer<typeof openmanoShape>): ImportedVnfd {
  return {
    units: vnf.VNFC.map((one) => {
      const { numas } = one;
      const threads = (numa: (typeof numas)[number]) =>
        numa.cores ?? (numa['paired-threads'] === undefined ? (numa.threads ?? 0) : numa['paired-threads'] * 2);
      const image = one['VNFC image'] ?? one['image name'];
      return {
        name: one.name,
        ...given('description', one.description),
        ...given('image', image),
        ...given('cpu', numas.length === 0 ? one.vcpus : sum(numas.map(threads))),
        ...given('memoryMiB', numas.length === 0 ? one.ram : sum(numas.map(({ memory = 0 }) => memory)) * 1_024),
        ...given('storageMiB', one.disk === undefined ? undefined : one.disk * 1_024),
        interfaces: [...numas.flatMap((numa) => numa.interfaces), ...one['bridge-ifaces']].map((each) => each.name),
        source: one,
      };
    }),
    connections: vnf['internal-connections'].map((connection) => ({
      name: connection.name,
      ends: connection.elements.map((end) => ({ unit: end.VNFC, interface: end.local_iface_name })),
    })),
    external: new Map(
      vnf['external-connections'].map((end) => [end.name, { unit: end.VNFC, interface: end.local_iface_name }]),
    ),
  };
}

const osmInterface = z.looseObject({
  name,
  'vnfd-connection-point-ref': words,
  'vdu-internal-connection-point-ref': words,
});
const osmShape = z.looseObject({
  vdu: list(
    z.looseObject({
      id: name,
      description: words,
      image: words,
      'vm-flavor': z.looseObject({ 'vcpu-count': amount, 'memory-mb': amount, 'storage-gb': amount }).exactOptional(),
      'external-interface': list(osmInterface),
      'internal-interface': list(osmInterface),
      interface: list(
        osmInterface.extend({ 'external-connection-point-ref': words, 'internal-connection-point-ref': words }),
      ),
    }),
  ),
  'internal-vld': list(
    z.looseObject({ id: name, 'internal-connection-point': list(z.looseObject({ 'id-ref': name })) }),
  ),
});

function ofOsm(vnfd: z.infer<typeof osmShape>): ImportedVnfd {
  const inside = new Map<string, InterfaceReference>();
  const external = new Map<string, InterfaceReference>();
  const units = vnfd.vdu.map((vdu): ImportedUnit => {
    const all = [...vdu.interface, ...vdu['external-interface'], ...vdu['internal-interface']];
    for (const one of all) {
      const { 'external-connection-point-ref': outer, 'internal-connection-point-ref': inner } = one as Record<
        string,
        unknown
      >;
      const [point, own] = [
        one['vnfd-connection-point-ref'] ?? outer,
        one['vdu-internal-connection-point-ref'] ?? inner,
      ];
      if (typeof point === 'string') external.set(point, { unit: vdu.id, interface: one.name });
      if (typeof own === 'string') inside.set(own, { unit: vdu.id, interface: one.name });
    }
    const flavor = vdu['vm-flavor'];
    return {
      name: vdu.id,
      ...given('description', vdu.description),
      ...given('image', vdu.image),
      ...given('cpu', flavor?.['vcpu-count']),
      ...given('memoryMiB', flavor?.['memory-mb']),
      ...given('storageMiB', flavor?.['storage-gb'] === undefined ? undefined : flavor['storage-gb'] * 1_024),
      interfaces: all.map((one) => one.name),
      source: vdu,
    };
  });
  const connections = vnfd['internal-vld'].map((link) => ({
    name: link.id,
    ends: link['internal-connection-point'].flatMap((point) => inside.get(point['id-ref']) ?? []),
  }));
  return { units, connections, external };
}

const sol006Shape = z.looseObject({
  vdu: list(
    z.looseObject({
      id: name,
      description: words,
      'sw-image-desc': words,
      'virtual-compute-desc': words,
      'int-cpd': list(z.looseObject({ id: name, 'int-virtual-link-desc': words })),
    }),
  ),
  'sw-image-desc': list(z.looseObject({ id: name, image: words })),
  'virtual-compute-desc': list(
    z.looseObject({
      id: name,
      'virtual-cpu': z.looseObject({ 'num-virtual-cpu': amount }).exactOptional(),
      'virtual-memory': z.looseObject({ size: amount }).exactOptional(),
    }),
  ),
  'ext-cpd': list(z.looseObject({ id: name, 'int-cpd': z.looseObject({ 'vdu-id': name, cpd: name }).exactOptional() })),
});

function ofSol006(vnfd: z.infer<typeof sol006Shape>): ImportedVnfd {
  const links = new Map<string, InterfaceReference[]>();
  const units = vnfd.vdu.map((vdu): ImportedUnit => {
    for (const { id, 'int-virtual-link-desc': link } of vdu['int-cpd'])
      if (link !== undefined) links.set(link, [...(links.get(link) ?? []), { unit: vdu.id, interface: id }]);
    const image = vnfd['sw-image-desc'].find(({ id }) => id === vdu['sw-image-desc']);
    const compute = vnfd['virtual-compute-desc'].find(({ id }) => id === vdu['virtual-compute-desc']);
    const gigabytes = compute?.['virtual-memory']?.size;
    return {
      name: vdu.id,
      ...given('description', vdu.description),
      ...given('image', image?.image ?? image?.id),
      ...given('cpu', compute?.['virtual-cpu']?.['num-virtual-cpu']),
      ...given('memoryMiB', gigabytes === undefined ? undefined : gigabytes * 1_024),
      interfaces: vdu['int-cpd'].map(({ id }) => id),
      source: vdu,
    };
  });
  const external = vnfd['ext-cpd'].flatMap(({ id, 'int-cpd': end }) =>
    end === undefined ? [] : [[id, { unit: end['vdu-id'], interface: end.cpd }] as const],
  );
  return { units, connections: [...links].map(([link, ends]) => ({ name: link, ends })), external: new Map(external) };
}

function given<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
