import type { Block, Network, Service } from '@superfluidity/model';
import { Document } from 'yaml';
import { modelLimits } from '@superfluidity/model';
import { isAssumed } from '../assumed.ts';
import type { Lose } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import { nameIn } from '../names.ts';

type Fields = Readonly<Record<string, unknown>>;

/** An application descriptor for each unit: a MEC application is one. Several go into a folder each, as packages do. */
export function writeAppd(service: Service, lose: Lose): readonly DescriptorFile[] {
  const units = service.block.children.flatMap((fn, i) =>
    fn.children.map((unit, j) => ({ fn, unit, at: `functions[${i}].units[${j}]` })),
  );
  if (units.length > 1) lose('', `that ${units.length} applications are one service`);
  service.networks.forEach((network, i) => {
    if (!isAssumed('appd', network)) lose(`networks[${i}].prefix`, `prefix of network '${network.name}'`);
  });
  return units.map(({ fn, unit, at }) => {
    const single = units.length === 1;
    const name = single
      ? nameIn('appd', service.block)
      : fn.children.length === 1
        ? fn.name
        : `${fn.name}-${unit.name}`;
    if (single && (unit.name !== service.block.name || fn.name !== service.block.name))
      lose(at, `the names of '${fn.name}/${unit.name}'`);
    unit.ports.forEach(({ name: port, internalIf }, i) => {
      // A port whose name is no name of an interface has another inside in any case.
      if (internalIf !== undefined && port.length <= modelLimits.interfaceName)
        lose(`${at}.ports[${i}].internalIf`, `internalIf of port '${port}'`);
    });
    const document = new Document(appd(service, unit, name, at, lose), { aliasDuplicateObjects: false });
    const bytes = new TextEncoder().encode(document.toString({ lineWidth: 0 }));
    return { path: single ? 'appd.yaml' : `${name}/appd.yaml`, bytes };
  });
}

/** ETSI GS MEC 010-2, clause 6.2.1.2: these have to be there. */
const customary = { appProvider: 'superfluidity', mecVersion: ['2.1.1'] } as const;
const UINT32_MAX = 2 ** 32 - 1;

function appd(service: Service, unit: Block, name: string, at: string, lose: Lose): Fields {
  const { id: _, ...carried } = fields(service.block.carried?.['appd']);
  const parts = fields(unit.carried?.['appd']);
  const { requirements } = unit;
  const nanoseconds = requirements.latencyMaxMs === undefined ? undefined : Math.round(requirements.latencyMaxMs * 1e6);
  if (nanoseconds !== undefined && nanoseconds > UINT32_MAX)
    lose(`${at}.requirements.latencyMaxMs`, 'a latency of more than 4.29 s');
  return {
    appDId: name,
    appName: name,
    ...customary,
    appSoftVersion: service.version,
    ...carried,
    appDVersion: service.version,
    appDescription: service.block.description ?? name,
    virtualComputeDescriptor: compute(unit, parts['virtualComputeDescriptor']),
    swImageDescriptor: image(unit, service.version, parts['swImageDescriptor'], at, lose),
    ...given('virtualStorageDescriptor', storage(unit, parts['virtualStorageDescriptor'])),
    ...given(
      'appExtCpd',
      unit.ports.length === 0 ? undefined : unit.ports.map((port) => connectionPoint(port, service.networks)),
    ),
    ...given('appServiceRequired', dependencies(requirements.services?.mandatory, parts['appServiceRequired'])),
    ...given('appServiceOptional', dependencies(requirements.services?.optional, parts['appServiceOptional'])),
    ...given(
      'appLatency',
      nanoseconds === undefined || nanoseconds > UINT32_MAX ? undefined : { maxLatency: nanoseconds },
    ),
  };
}

function compute({ requirements: { cpu, memoryMiB } }: Block, written: unknown): unknown {
  if (typeof written === 'string') return written;
  const before = fields(written);
  return {
    virtualComputeDescId: 'compute',
    ...before,
    ...(cpu === undefined ? {} : { virtualCpu: { ...fields(before['virtualCpu']), numVirtualCpu: cpu } }),
    ...(memoryMiB === undefined
      ? {}
      : { virtualMemory: { ...fields(before['virtualMemory']), virtualMemSize: memoryMiB } }),
  };
}

function image({ name, execution }: Block, version: string, written: unknown, at: string, lose: Lose): unknown {
  const reference = execution?.image?.replace(/^name:/, '');
  if (typeof written === 'string') return written;
  const environment = execution?.environment ?? 'vm';
  if (environment !== 'vm' && environment !== 'container') lose(`${at}.environment`, `environment '${environment}'`);
  const before = fields(written);
  const format = environment === 'container' ? 'DOCKER' : 'BARE';
  const base = { id: name, name, version, containerFormat: format };
  // What was read from `name` or `id` is not said twice.
  const said = before['swImage'] === undefined && [before['name'], before['id']].includes(reference);
  return { ...base, ...before, ...(reference === undefined || said ? {} : { swImage: reference }) };
}

function storage({ requirements: { storageMiB } }: Block, written: unknown): unknown {
  if (written !== undefined) return written;
  return storageMiB === undefined || storageMiB === 0
    ? undefined
    : [{ id: 'storage', typeOfStorage: 'BLOCK', sizeOfStorage: storageMiB / 1_024 }];
}

function connectionPoint(port: Block['ports'][number], networks: readonly Network[]): Fields {
  const before = fields(port.carried?.['appd']);
  const network = networks.find(({ name }) => name === port.network);
  const description = network === undefined ? {} : { description: nameIn('appd', network) };
  if (before['inherited_attributes'] !== undefined) return before;
  return { ...before, inherited_attributes: { cpdId: port.name, ...description, layerProtocol: ['IPV4'] } };
}

function dependencies(names: readonly string[] | undefined, written: unknown): unknown {
  const before = Array.isArray(written) ? written.map(fields) : [];
  return names?.map((serName) => before.find((one) => one['serName'] === serName) ?? { serName, version: '1.0' });
}

function fields(value: unknown): Fields {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Fields) : {};
}

function given(name: string, value: unknown): Fields {
  return value === undefined ? {} : { [name]: value };
}
