import type { PlaybookRun, StackPreview } from '@superfluidity/api';
import { reportError, SuperfluidityError } from '@superfluidity/core';
import { withoutResources, writeSitePart } from '@superfluidity/dialects';
import type { NetworkSpec } from '@superfluidity/fabric';
import { qualityOf } from '@superfluidity/model';
import type { SiteDriver, StackSpec } from '@superfluidity/site';
import type { AdoptedStack, FoundUnit, PlannedStack, PlannedStep } from './actions.ts';
import type { PlaybookDefaults } from './playbooks.ts';
import type { NetworkHomes } from './shared-networks.ts';
import type { StandIns } from './stand-ins.ts';
import type { Placed, Transition } from './transition.ts';

/** How what is new at sites is made. */
export interface DeployWay {
  /** Absent: as the configuration of each site says. `heat`: by stacks, where sites have them. */
  readonly via?: 'heat' | 'direct';
  /** Heat itself takes back what it did when something fails. */
  readonly rollback?: boolean;
  /** Sites that stand for the tiers that the descriptor names. */
  readonly sites?: StandIns;
  /** Run over the units once they are there. */
  readonly playbook?: PlaybookRun;
  /** With what playbooks begin that are run later. */
  readonly playbooks?: PlaybookDefaults;
}

/** What is not said is not in it. */
export function wayOf({
  via,
  rollback,
  sites,
}: {
  via?: DeployWay['via'] | undefined;
  rollback?: boolean | undefined;
  sites?: StandIns | undefined;
}): DeployWay {
  return {
    ...(via === undefined ? {} : { via }),
    ...(rollback === undefined ? {} : { rollback }),
    ...(sites === undefined ? {} : { sites }),
  };
}

/** At which of the sites there will be stacks. */
export function stackWay(
  { via, rollback }: DeployWay,
  target: readonly Placed[],
  drivers: ReadonlyMap<string, SiteDriver>,
  homes: NetworkHomes,
): Pick<Transition, 'stacks' | 'stackRollback'> {
  const sites = [...new Set(target.map(({ site }) => site))];
  const able = sites.filter((site) => drivers.get(site)?.stacks !== undefined);
  if (via === 'heat' && sites.length > 0 && able.length === 0) {
    throw new SuperfluidityError('SF-SITE-NO-STACKS', {
      doing: 'deploy by stacks',
      reason: `none of ${sites.join(', ')} makes stacks`,
    });
  }
  // A network that other sites join is no part of a stack.
  const joined = new Set(sites.flatMap((site) => homes.get(site) ?? []));
  const isPreferred = (site: string) => drivers.get(site)!.stacks!.isPreferred && !joined.has(site);
  const chosen = able.filter((site) => via === 'heat' || (via === undefined && isPreferred(site)));
  return { stacks: new Set(chosen), ...(rollback === undefined ? {} : { stackRollback: rollback }) };
}

/** Heat gives itself a minute for a preview, and where something is replaced it is asked twice. */
const PREVIEW_MS = 120_000;

/** Of each site the first step: what comes after it depends on what that has made. */
export async function previewStacks(
  steps: readonly PlannedStep[],
  driver: (site: string) => Promise<SiteDriver>,
): Promise<StackPreview[]> {
  const firsts = new Map<string, PlannedStep>();
  for (const step of steps) {
    const { action } = step;
    const isStack = action.verb === 'set-stack' || action.verb === 'adopt-stack';
    if (isStack && !firsts.has(action.site)) firsts.set(action.site, step);
  }
  return Promise.all(
    [...firsts].map(async ([site, step]): Promise<StackPreview> => {
      const { action } = step;
      const stack = 'stack' in action ? action.stack : undefined;
      if (stack === undefined) return { site, step: step.id, changes: [] };
      const signal = AbortSignal.timeout(PREVIEW_MS);
      try {
        const changes = await (await driver(site)).stacks!.preview(stackSpec(stack), signal);
        return { site, step: step.id, changes: [...changes] };
      } catch (error) {
        return { site, step: step.id, changes: [], refused: reportError(error).message };
      }
    }),
  );
}

/** A planned stack as its site is asked for it: the template is written by the dialect, beside what was found. */
export function stackSpec(stack: PlannedStack): StackSpec {
  const { id, service, networks, units, rollback = false, adopted } = stack;
  const there = networks.map((spec) => foundNetwork(spec, adopted));
  const made = units.filter(({ found }) => found === undefined);
  const placeOf = new Map(made.map(({ spec }, at) => [spec.id, at]));
  const written = writeSitePart({
    description: `${service}: made by Superfluidity, which changes it when the service changes`,
    ...(adopted === undefined ? {} : { prefix: 'superfluidity_' }),
    networks: networks.map(({ name, prefix, supernet, mtu }, at) => ({
      name,
      prefix,
      supernet,
      mtu,
      ...(there[at] === undefined ? {} : { there: there[at] }),
    })),
    units: made.map(({ spec, generation, after }) => ({
      path: spec.path,
      index: spec.index,
      generation,
      forwards: spec.execution.forwards === true,
      ports: spec.ports.map(({ name, network, address, serviceAddresses, allow, ...port }) => ({
        name,
        network: network.slice(service.length + 1),
        serviceAddresses,
        ...(address === undefined ? {} : { address }),
        ...(allow === undefined ? {} : { allow }),
        ...qualityOf(port),
      })),
      after: after.flatMap((other) => placeOf.get(other) ?? []),
    })),
  });
  return {
    id,
    service,
    template: adopted === undefined ? written.template : beside(stack, adopted, written.template),
    networks: networks.map((spec, at) => ({
      spec,
      ...written.networks[at]!,
      ...(there[at] === undefined ? {} : { isAdopted: true }),
    })),
    units: units.map(({ spec, found }) =>
      found === undefined ? { spec, ...written.units[placeOf.get(spec.id)!]! } : { spec, ...found, isAdopted: true },
    ),
    rollback,
    ...(adopted === undefined ? {} : { adopted: adopted.stack }),
  };
}

/** With another prefix a network is another one, and is made anew. */
function foundNetwork({ name, prefix }: NetworkSpec, adopted: AdoptedStack | undefined) {
  const found = adopted?.networks[name];
  if (found === undefined || found.prefix !== prefix) return undefined;
  return { network: found.network, subnet: found.subnet };
}

/** What was found, without the units and networks that the service does not have any more, and what was made since. */
function beside(stack: PlannedStack, adopted: AdoptedStack, written: StackSpec['template']): StackSpec['template'] {
  const named = ({ server, ports }: FoundUnit) => [server, ...ports];
  const stay = new Set([
    ...stack.units.flatMap(({ found }) => (found === undefined ? [] : named(found))),
    ...stack.networks.flatMap((spec) => Object.values(foundNetwork(spec, adopted) ?? {})),
  ]);
  const all = [
    ...adopted.units.flatMap(named),
    ...Object.values(adopted.networks).flatMap(({ network, subnet }) => [network, subnet]),
  ];
  const left = withoutResources(adopted.stack.template, new Set(all.filter((name) => !stay.has(name))), stay);
  if ('holder' in left) {
    throw new SuperfluidityError('SF-SITE-CONFLICT', {
      doing: `change stack ${adopted.stack.name}`,
      reason: `${left.holder} takes something of ${left.held}, which would go`,
      hint: 'The stack was made so by whoever wrote its template: keep both, or let both go.',
    });
  }
  const resources = { ...(left.template['resources'] as object), ...(written['resources'] as object) };
  return { ...left.template, resources };
}
