import type { StackPreview } from '@superfluidity/api';
import { reportError, SuperfluidityError } from '@superfluidity/core';
import { writeSitePart } from '@superfluidity/dialects';
import type { SiteDriver, StackSpec } from '@superfluidity/site';
import type { PlannedStack, PlannedStep } from './actions.ts';
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
): Pick<Transition, 'stacks' | 'stackRollback'> {
  const sites = [...new Set(target.map(({ site }) => site))];
  const able = sites.filter((site) => drivers.get(site)?.stacks !== undefined);
  if (via === 'heat' && sites.length > 0 && able.length === 0) {
    throw new SuperfluidityError('SF-SITE-NO-STACKS', {
      doing: 'deploy by stacks',
      reason: `none of ${sites.join(', ')} makes stacks`,
    });
  }
  const chosen = able.filter((site) => via === 'heat' || (via === undefined && drivers.get(site)!.stacks!.isPreferred));
  return { stacks: new Set(chosen), ...(rollback === undefined ? {} : { stackRollback: rollback }) };
}

const PREVIEW_MS = 30_000;

/** Of each site the first step: what comes after it depends on what that has made. */
export async function previewStacks(
  steps: readonly PlannedStep[],
  driver: (site: string) => Promise<SiteDriver>,
): Promise<StackPreview[]> {
  const firsts = new Map<string, PlannedStep>();
  for (const step of steps) {
    const { action } = step;
    if (action.verb === 'set-stack' && !firsts.has(action.site)) firsts.set(action.site, step);
  }
  return Promise.all(
    [...firsts].map(async ([site, step]): Promise<StackPreview> => {
      const { action } = step;
      const stack = action.verb === 'set-stack' ? action.stack : undefined;
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

/** A planned stack as its site is asked for it: the template is written by the dialect. */
export function stackSpec({ id, service, networks, units, rollback = false }: PlannedStack): StackSpec {
  const placeOf = new Map(units.map(({ spec }, at) => [spec.id, at]));
  const { template, ...names } = writeSitePart({
    description: `${service}: made by Superfluidity, which changes it when the service changes`,
    networks: networks.map(({ name, prefix, supernet, mtu }) => ({ name, prefix, supernet, mtu })),
    units: units.map(({ spec, generation, after }) => ({
      path: spec.path,
      index: spec.index,
      generation,
      forwards: spec.execution.forwards === true,
      ports: spec.ports.map(({ name, network, address, serviceAddresses, allow, bandwidthMbps }) => ({
        name,
        network: network.slice(service.length + 1),
        serviceAddresses,
        ...(address === undefined ? {} : { address }),
        ...(allow === undefined ? {} : { allow }),
        ...(bandwidthMbps === undefined ? {} : { bandwidthMbps }),
      })),
      after: after.flatMap((other) => placeOf.get(other) ?? []),
    })),
  });
  return {
    id,
    service,
    template,
    networks: networks.map((spec, at) => ({ spec, ...names.networks[at]! })),
    units: units.map(({ spec }, at) => ({ spec, ...names.units[at]! })),
    rollback,
  };
}
