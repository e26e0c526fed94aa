import { nearest, type Problem, SuperfluidityError } from '@superfluidity/core';
import {
  type DescriptorFile,
  type Format,
  readDescriptor,
  readYamlText,
  writeDescriptor,
} from '@superfluidity/dialects';
import type { Block, Service } from '@superfluidity/model';
import type { Binding, Characterisation, Configuration, ParameterValue } from '../config/characterisation.ts';
import '../errors.ts';

/** What the deployment parameters of seed D6.1 change. Accelerators are those that operators name in their sites. */
const known: Readonly<Record<string, Binding>> = {
  vm_ram: { to: 'memoryMiB' },
  vm_vcpus: { to: 'cpu' },
  vnic_type: { to: 'accelerators', values: { direct: 'sr-iov' } },
  memory_page_size: { to: 'accelerators', values: { large: 'hugepages' } },
  cpu_policy: { to: 'accelerators', values: { dedicated: 'cpu-pinning' } },
};

export interface ConfiguredDescriptor {
  readonly format: Format;
  readonly service: Service;
  readonly files: readonly DescriptorFile[];
  /** What the dialect has no words for. */
  readonly losses: readonly Problem[];
}

/**
 * The descriptor of a service with a configuration in it. Parameters that templates of Heat declare are given in an environment;
 * all others change the units of the service as `bindings` say. Written in the dialect that was read, where that can be, else as
 * a native descriptor. Rejects with SF-CHARACTERISE-BINDING.
 */
export function configuredDescriptor(
  files: readonly DescriptorFile[],
  configuration: Configuration,
  { bindings }: Pick<Characterisation, 'bindings'>,
  to?: Format,
): ConfiguredDescriptor {
  const declared = parametersOfHeat(files);
  const given = Object.entries(configuration).filter(([name]) => declared.has(name));
  const environment = JSON.stringify({ parameters: Object.fromEntries(given) }, undefined, 2);
  const added = { path: 'configuration.env.yaml', bytes: new TextEncoder().encode(environment) };
  const { service, problems, format = 'native' } = readDescriptor(given.length === 0 ? files : [...files, added]);
  if (service === undefined) {
    const [first] = problems;
    throw new SuperfluidityError('SF-CHARACTERISE-BINDING', {
      doing: 'read the descriptor with a configuration',
      reason: first?.message ?? 'it cannot be used',
      data: { problems },
    });
  }
  const rest = Object.entries(configuration).filter(([name]) => !declared.has(name));
  const configured = rest.reduce(
    (one, [name, value]) => bound(one, name, value, bindings[name] ?? known[name]),
    service,
  );
  return { service: configured, ...written(configured, to ?? format) };
}

function written(service: Service, format: Format): Pick<ConfiguredDescriptor, 'files' | 'losses' | 'format'> {
  try {
    return { format, ...writeDescriptor(service, format) };
  } catch (error) {
    if (!(error instanceof SuperfluidityError) || error.code !== 'SF-DESCRIPTOR-NO-WRITER') throw error;
    return { format: 'native', ...writeDescriptor(service, 'native') };
  }
}

function parametersOfHeat(files: readonly DescriptorFile[]): ReadonlySet<string> {
  const names = files.flatMap(({ path, bytes }) => {
    if (!/\.(?:ya?ml|template|hot)$/i.test(path)) return [];
    const { value } = readYamlText(bytes, path);
    const { heat_template_version: version, parameters } = (value ?? {}) as Readonly<Record<string, unknown>>;
    if (version === undefined || parameters === null || typeof parameters !== 'object') return [];
    return Object.keys(parameters);
  });
  return new Set(names);
}

function bound(service: Service, name: string, value: ParameterValue, binding: Binding | undefined): Service {
  if (binding === undefined) {
    throw new SuperfluidityError('SF-CHARACTERISE-BINDING', {
      doing: `set ${name} to ${String(value)}`,
      reason: `no binding says what ${name} changes`,
    });
  }
  if (binding.to === 'neighbours') return service;
  const wanted = new Set(binding.units);
  const met = new Set<string>();
  const change = (block: Block, path: string, inside: boolean): Block => {
    const here = inside || binding.units === undefined || wanted.has(path);
    if (wanted.has(path)) met.add(path);
    const children = block.children.map((child) =>
      change(child, path === '' ? child.name : `${path}/${child.name}`, here),
    );
    const same = { ...block, children };
    return here && block.kind === 'unit' ? changed(same, value, binding) : same;
  };
  const block = { ...service.block, children: service.block.children.map((child) => change(child, child.name, false)) };
  const missing = [...wanted].find((path) => !met.has(path));
  if (missing !== undefined) {
    const near = nearest(
      missing,
      service.block.children.map((child) => child.name),
    );
    throw new SuperfluidityError('SF-CHARACTERISE-BINDING', {
      doing: `set ${name} to ${String(value)}`,
      reason: `there is no function or unit '${missing}'${near === undefined ? '' : `: did you mean '${near}'?`}`,
    });
  }
  return { ...service, block };
}

function changed(unit: Block, value: ParameterValue, { to, name, values }: Binding): Block {
  const requirements = (more: Block['requirements']): Block => ({
    ...unit,
    requirements: { ...unit.requirements, ...more },
  });
  switch (to) {
    case 'cpu':
      return requirements({ cpu: Number(value) });
    case 'memoryMiB':
      return requirements({ memoryMiB: Number(value) });
    case 'instances': {
      const count = Number(value);
      return { ...unit, scale: { initial: count, min: count, max: count } };
    }
    case 'site':
      return requirements({ location: { sites: [String(value)] } });
    case 'accelerators': {
      const all = Object.values(values ?? {});
      const kept = (unit.requirements.accelerators ?? []).filter((one) => !all.includes(one));
      const wanted = values?.[String(value)];
      const accelerators = wanted === undefined ? kept : [...kept, wanted];
      if (accelerators.length > 0) return requirements({ accelerators });
      const { accelerators: _none, ...others } = unit.requirements;
      return { ...unit, requirements: others };
    }
    default: {
      const { execution } = unit;
      if (execution === undefined) return unit;
      return { ...unit, execution: { ...execution, env: { ...execution.env, [name!]: String(value) } } };
    }
  }
}
