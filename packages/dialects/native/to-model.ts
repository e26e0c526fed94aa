import type {
  Autoscale,
  Balancer,
  BalancerAlgorithm,
  BalancerHealth,
  Block,
  Chain,
  Claim,
  Execution,
  HealthCheck,
  Policy,
  Port,
  Scale,
  Service,
} from '@superfluidity/model';
import type {
  NativeBalancerHealth,
  NativeElement,
  NativeFunction,
  NativeHealth,
  NativePolicy,
  NativePort,
  NativeService,
  NativeUnit,
} from './schema.ts';

/** What is meant where the long form is not written. */
export const defaults = { healthTimeoutMs: 5_000, drainTimeoutMs: 10_000 } as const;

/** The model of a document whose shape is sound. Short forms become long ones, and references become full paths. */
export function toModel(native: NativeService): Service {
  const reference = unitReferences(native);
  const { version, networks = [], functions, chains = [], balancers = [], policies = [] } = native;
  return {
    block: block(
      'service',
      native,
      functions.map((fn) => functionBlock(fn, reference)),
    ),
    version,
    networks,
    chains: chains.map((chain): Chain => {
      const { from, through = [], to, protocol = 'tcp', ports = [], ...rest } = chain;
      return { ...rest, from: reference(from), through: through.map(reference), to: reference(to), protocol, ports };
    }),
    balancers: balancers.map((balancer): Balancer => {
      const { unit, targetPort = balancer.port, layer = 'tcp', health, also, pools, algorithm, ...rest } = balancer;
      return {
        ...rest,
        unit: reference(unit),
        targetPort,
        layer,
        ...(health === undefined ? {} : { health: balancerHealth(health) }),
        ...(algorithm === undefined ? {} : { algorithm: algorithm as BalancerAlgorithm }),
        ...(also === undefined ? {} : { also: also.map((share) => ({ ...share, unit: reference(share.unit) })) }),
        ...(pools === undefined ? {} : { pools: pools.map((share) => ({ ...share, unit: reference(share.unit) })) }),
      };
    }),
    ...(policies.length === 0 ? {} : { policies: policies.map(policyOf) }),
  };
}

type Reference = (text: string) => string;

/** `video` means the only unit of function `video`, `video.eth0` a port of that. */
function unitReferences({ functions }: NativeService): Reference {
  const only = new Map<string, string>();
  for (const { name, units } of functions) {
    if (units === undefined) only.set(name, `${name}/${name}`);
    else if (units.length === 1) only.set(name, `${name}/${units[0]!.name}`);
  }
  return (text) => {
    const dot = text.indexOf('.');
    const path = dot === -1 ? text : text.slice(0, dot);
    return (only.get(path) ?? path) + (dot === -1 ? '' : text.slice(dot));
  };
}

type Common = Pick<NativeElement, 'name'> &
  Partial<Pick<NativeElement, 'description' | 'ports' | 'links' | 'requirements' | 'carried'>>;

function block(
  kind: Block['kind'],
  native: Common,
  children: readonly Block[],
  reference: Reference = (text) => text,
): Block {
  const { name, description, ports = [], links = [], requirements = {}, carried } = native;
  const after = requirements.after === undefined ? {} : { after: requirements.after.map(reference) };
  return {
    kind,
    name,
    ...(description === undefined ? {} : { description }),
    ports: ports.map(longPort),
    children,
    links,
    requirements: { ...requirements, ...after },
    ...(carried === undefined ? {} : { carried }),
  };
}

function functionBlock(native: NativeFunction, reference: Reference): Block {
  const { name, description, units, environment, ...rest } = native;
  if (units !== undefined)
    return block(
      'function',
      native,
      units.map((unit) => unitBlock(unit, reference)),
      reference,
    );
  // The shape demands an environment where there is no list of units.
  const unit: NativeUnit = { ...rest, name, environment: environment! };
  return block('function', { name, ...(description === undefined ? {} : { description }) }, [
    unitBlock(unit, reference),
  ]);
}

function unitBlock(native: NativeUnit, reference: Reference): Block {
  const { units = [], elements = [], scale, autoscale } = native;
  const children = [
    ...units.map((unit) => unitBlock(unit, reference)),
    ...elements.map((element) => elementBlock(element, reference)),
  ];
  return {
    ...block('unit', native, children, reference),
    execution: execution({ ...native, environment: native.environment }, reference),
    ...(scale === undefined ? {} : { scale: longScale(scale) }),
    ...(autoscale === undefined ? {} : { autoscale: referring(autoscale, reference) }),
  };
}

function referring(policy: Autoscale, reference: Reference): Autoscale {
  return policy.measuredBy === undefined ? policy : { ...policy, measuredBy: policy.measuredBy.map(reference) };
}

function elementBlock(native: NativeElement, reference: Reference): Block {
  const children = (native.elements ?? []).map((element) => elementBlock(element, reference));
  const { environment } = native;
  const running = environment === undefined ? {} : { execution: execution({ ...native, environment }, reference) };
  return { ...block('element', native, children, reference), ...running };
}

type Executed = Omit<NativeElement, 'environment' | 'elements'> & Pick<NativeUnit, 'environment'>;

function execution(native: Executed, reference: Reference): Execution {
  const {
    environment,
    image,
    command,
    env,
    files,
    program,
    forwards,
    translates,
    health,
    drain,
    telemetry,
    pool,
    nested,
  } = native;
  return {
    environment,
    ...(image === undefined ? {} : { image }),
    ...(command === undefined ? {} : { command }),
    ...(env === undefined ? {} : { env }),
    ...(files === undefined ? {} : { files }),
    ...(program === undefined ? {} : { program }),
    ...(forwards === undefined ? {} : { forwards }),
    ...(translates === undefined ? {} : { translates }),
    ...(health === undefined ? {} : { health: longHealth(health) }),
    ...(drain === undefined
      ? {}
      : { drain: typeof drain === 'string' ? { signal: drain, timeoutMs: defaults.drainTimeoutMs } : drain }),
    ...(telemetry === undefined ? {} : { telemetry }),
    ...(pool === undefined ? {} : { pool }),
    ...(nested === undefined
      ? {}
      : { nested: { ...nested, ...(nested.parent === undefined ? {} : { parent: reference(nested.parent) }) } }),
  };
}

function longPort(native: NativePort, index: number): Port {
  return typeof native === 'string' ? { name: `eth${index}`, network: native } : native;
}

function longScale(native: number | Scale): Scale {
  return typeof native === 'number' ? { initial: native, min: native, max: native } : native;
}

/** `http:8080/health` and the like. The shape has been checked. */
export function longHealth(native: NativeHealth): HealthCheck {
  if (typeof native === 'string') {
    const timeoutMs = defaults.healthTimeoutMs;
    const [, kind, port, path] = /^([a-z]+)(?::([0-9]+)(\/.*)?)?$/.exec(native)!;
    if (kind === 'http') return { kind, port: Number(port), path: path!, timeoutMs };
    if (kind === 'tcp') return { kind, port: Number(port), timeoutMs };
    return { kind: kind as 'ping' | 'running', timeoutMs };
  }
  const { kind, port, path, timeoutMs = defaults.healthTimeoutMs } = native;
  if (kind === 'http') return { kind, port: port!, path: path!, timeoutMs };
  if (kind === 'tcp') return { kind, port: port!, timeoutMs };
  return { kind, timeoutMs };
}

function balancerHealth(native: NativeBalancerHealth): BalancerHealth {
  if (typeof native === 'string') return longHealth(native);
  return { ...native, timeoutMs: native.timeoutMs ?? defaults.healthTimeoutMs } as BalancerHealth;
}

/** The shape has been checked: there is one claim. */
function policyOf({ name, description, reach, deny, through, check }: NativePolicy): Policy {
  const many = (places: string | readonly string[]) => (typeof places === 'string' ? [places] : places);
  const claim = (): Claim => {
    if (through !== undefined) return { kind: 'through', ...through };
    if (check !== undefined) return { kind: 'check', ...check, from: many(check.from) };
    const ends = (reach ?? deny)!;
    return { kind: reach === undefined ? 'deny' : 'reach', ...ends, from: many(ends.from), to: many(ends.to) };
  };
  return { name, ...(description === undefined ? {} : { description }), claim: claim() };
}
