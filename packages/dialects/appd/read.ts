import type { Problem } from '@superfluidity/core';
import { modelLimits } from '@superfluidity/model';
import { ASSUMED, assumedPrefix } from '../assumed.ts';
import type { ReadResult } from '../dialect.ts';
import type { DescriptorFile } from '../files.ts';
import type { NativePort, NativeRequirements, NativeService, NativeUnit } from '../native/schema.ts';
import { Names, renamed } from '../names.ts';
import { Origins } from '../origins.ts';
import { isTree } from '../recognise.ts';
import { readShape } from '../shape.ts';
import { toService } from '../to-service.ts';
import { shorten, yamlOf, type Path, type YamlText } from '../yaml-text.ts';
import { appdShape, type AppD } from './shape.ts';

/** An application descriptor where it stands: alone in its file, or under `appD`. */
export interface FoundAppd {
  readonly text: YamlText;
  readonly path: Path;
  readonly value: unknown;
}

export function findAppds(files: readonly DescriptorFile[]): readonly FoundAppd[] {
  return files.filter(isTree).flatMap((file): readonly FoundAppd[] => {
    const text = yamlOf(file);
    const root = fieldsOf(text.value);
    if (root === undefined) return [];
    for (const key of ['appD', 'AppD', 'appd']) {
      if (fieldsOf(root[key])?.['appDId'] !== undefined) return [{ text, path: [key], value: root[key] }];
    }
    return root['appDId'] !== undefined && root['appName'] !== undefined ? [{ text, path: [], value: root }] : [];
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return value !== null && typeof value === 'object' ? (value as Readonly<Record<string, unknown>>) : undefined;
}

/** Reads the application descriptor of a package: a service of one function with one unit. Never throws. */
export function readAppd(files: readonly DescriptorFile[]): ReadResult {
  const [found, second] = findAppds(files);
  if (second !== undefined) {
    const position = second.text.locate(second.path);
    const message = 'a package has one application descriptor; this is the second';
    return { problems: [{ severity: 'error', code: 'SF-DESCRIPTOR-UNSUPPORTED', message, path: '', position }] };
  }
  if (found === undefined) return { problems: [] };
  const text: YamlText = {
    value: found.value,
    problems: [],
    locate: (path, what) => found.text.locate([...found.path, ...path], what),
    within: (path, line, column) => found.text.within([...found.path, ...path], line, column),
  };
  const shape = readShape(text, appdShape, {});
  return 'value' in shape ? serviceOf(shape.value, text) : { problems: shape.problems };
}

/** Read here, or the name and description of what is. */
const own = new Set([
  'appName',
  'appDVersion',
  'appDescription',
  'virtualComputeDescriptor',
  'virtualStorageDescriptor',
  'swImageDescriptor',
  'appExtCpd',
  'appServiceRequired',
  'appServiceOptional',
  'appLatency',
]);

function serviceOf(appd: AppD, text: YamlText): ReadResult {
  const names = new Names();
  const name = names.label(appd.appName);
  const origins = new Origins();
  const problems: Problem[] = [];
  const { ports, networks } = connections(appd, text, origins, problems);
  origins.note('', text.locate([]));
  origins.note('functions[0].units[0].image', text.locate(['swImageDescriptor']));
  const rest = Object.entries(appd).filter(([field]) => !own.has(field));
  const unit: NativeUnit = {
    name,
    ...execution(appd),
    ports,
    ...requirements(appd),
    ...carriedByUnit(appd),
  };
  const service: NativeService = {
    name,
    version: appd.appDVersion,
    ...(appd.appDescription === undefined ? {} : { description: appd.appDescription }),
    networks,
    functions: [{ name, units: [unit] }],
    carried: { appd: { ...renamed(appd.appName, name), ...Object.fromEntries(rest) } },
  };
  return toService(service, origins, problems);
}

const NATIVE_IMAGE = /^(host:|guest:|(folder|oci|disk|name):.)/;
const CONTAINER_FORMATS = ['DOCKER', 'OCI'];

function execution({ swImageDescriptor: image }: AppD): Pick<NativeUnit, 'environment' | 'image'> {
  const reference = typeof image === 'string' ? image : (image.swImage ?? image.name ?? image.id);
  const container = typeof image !== 'string' && CONTAINER_FORMATS.includes(image.containerFormat?.toUpperCase() ?? '');
  const environment = container ? 'container' : 'vm';
  if (reference === undefined || reference === '') return { environment };
  return { environment, image: NATIVE_IMAGE.test(reference) ? reference : `name:${reference}` };
}

function requirements(appd: AppD): { requirements?: NativeRequirements } {
  const { virtualComputeDescriptor: compute, virtualStorageDescriptor: storage = [], appLatency } = appd;
  const { virtualCpu, virtualMemory } = typeof compute === 'string' ? {} : compute;
  const gigabytes = storage.map((one) => (typeof one === 'string' ? 0 : (one.sizeOfStorage ?? 0)));
  const sum = gigabytes.reduce((total, size) => total + size, 0);
  const services = (list: AppD['appServiceRequired']) => list?.map(({ serName }) => serName);
  const [mandatory, optional] = [services(appd.appServiceRequired), services(appd.appServiceOptional)];
  const asked: NativeRequirements = {
    ...(virtualCpu === undefined ? {} : { cpu: virtualCpu.numVirtualCpu }),
    ...(virtualMemory === undefined ? {} : { memoryMiB: virtualMemory.virtualMemSize }),
    ...(sum === 0 ? {} : { storageMiB: sum * 1_024 }),
    ...(appLatency === undefined ? {} : { latencyMaxMs: appLatency.maxLatency / 1e6 }),
    ...(mandatory === undefined && optional === undefined
      ? {}
      : {
          services: {
            ...(mandatory === undefined ? {} : { mandatory }),
            ...(optional === undefined ? {} : { optional }),
          },
        }),
  };
  return Object.keys(asked).length === 0 ? {} : { requirements: asked };
}

/** What the parts say that are read beside what is read of them. */
function carriedByUnit(appd: AppD): { carried?: Record<string, unknown> } {
  const {
    swImageDescriptor,
    virtualComputeDescriptor,
    virtualStorageDescriptor,
    appServiceRequired,
    appServiceOptional,
  } = appd;
  const parts = {
    swImageDescriptor,
    virtualComputeDescriptor,
    virtualStorageDescriptor,
    appServiceRequired,
    appServiceOptional,
  };
  const given = Object.entries(parts).filter(([, value]) => value !== undefined);
  return { carried: { appd: Object.fromEntries(given) } };
}

/** An external connection point is a port. To which network it goes is decided where the application is deployed. */
function connections(appd: AppD, text: YamlText, origins: Origins, problems: Problem[]) {
  const names = { port: new Names(), network: new Names() };
  const networks: NonNullable<NativeService['networks']> = [];
  const ports = (appd.appExtCpd ?? []).map((cpd, i): NativePort => {
    const { cpdId = `cp${i}`, description = cpdId } = cpd.inherited_attributes;
    const known = names.network.known(description) !== undefined;
    const network = names.network.label(description);
    const name = names.port.fresh(cpdId);
    origins.note(`functions[0].units[0].ports[${i}]`, text.locate(['appExtCpd', i]));
    if (!known) {
      const prefix = assumedPrefix(networks.length);
      const message = `connection point '${shorten(cpdId)}' has no network: '${network}' with ${prefix} is assumed`;
      const position = text.locate(['appExtCpd', i]);
      problems.push({ severity: 'warning', code: 'SF-DESCRIPTOR-ASSUMED', message, path: `appExtCpd[${i}]`, position });
      networks.push({ name: network, prefix, carried: { appd: { ...ASSUMED, ...renamed(description, network) } } });
    }
    const fits = name.length <= modelLimits.interfaceName;
    return { name, network, ...(fits ? {} : { internalIf: `eth${i}` }), carried: { appd: cpd } };
  });
  return { ports, networks };
}
