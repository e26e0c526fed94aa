import type { SiteDeclaration } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { NetworkSpec } from '@superfluidity/fabric';
import { unitsOf } from '@superfluidity/model';
import type { DriverKind, SharedNetworks, SiteDriver } from '@superfluidity/site';
import type { Sites } from './sites.ts';
import type { Transition } from './transition.ts';

/** Sites whose networks are those of another one: by their name, with the name of the one that makes them. */
export type NetworkHomes = ReadonlyMap<string, string>;

/** The site that makes the networks of this one: itself, unless it is in those of another. */
export const homeOf = (homes: NetworkHomes | undefined, site: string): string => homes?.get(site) ?? site;

/** What the configuration of a site says of it. */
export function sharedBy(
  { kind, config }: Pick<SiteDeclaration, 'kind' | 'config'>,
  kinds: readonly DriverKind[],
): SharedNetworks | undefined {
  return kinds.find((each) => each.kind === kind)?.sharesNetworks?.(config);
}

export function homesOf(declarations: Iterable<SiteDeclaration>, kinds: readonly DriverKind[]): NetworkHomes {
  const shared = [...declarations].map((one) => [one.name, sharedBy(one, kinds)?.site] as const);
  return new Map(shared.flatMap(([name, home]) => (home === undefined ? [] : [[name, home] as const])));
}

/** Refuses a site that names one which is not there, or which is of another kind. */
export function checkHome(
  name: string,
  shared: SharedNetworks | undefined,
  known: ReadonlyMap<string, Pick<SiteDeclaration, 'kind'>>,
  doing: string,
): void {
  if (shared === undefined) return;
  const home = known.get(shared.site);
  const those = [...known].flatMap(([other, { kind }]) => (kind === shared.kind && other !== name ? [other] : []));
  const reason =
    home === undefined
      ? `it is in the networks of site ${shared.site}, which is not there`
      : home.kind === shared.kind
        ? undefined
        : `it is in the networks of site ${shared.site}, which is of kind ${home.kind} and not ${shared.kind}`;
  if (reason === undefined) return;
  throw new SuperfluidityError('SF-LIFECYCLE-SHARED-NETWORK', {
    doing,
    reason,
    hint: `Sites of kind ${shared.kind} are: ${those.join(', ') || 'none yet'}. Add that one first.`,
    data: { site: name, of: shared.site, kind: shared.kind },
  });
}

/** Refuses a declaration that cannot be, or that would move networks under units that are in them. */
export async function checkSharing(
  declaration: SiteDeclaration,
  kinds: readonly DriverKind[],
  known: ReadonlyMap<string, SiteDeclaration>,
  userOf: (site: string) => Promise<string | undefined>,
): Promise<void> {
  const { name } = declaration;
  const doing = `add site ${name}`;
  const now = sharedBy(declaration, kinds);
  checkHome(name, now, known, doing);
  const before = known.get(name);
  if (before === undefined || sharedBy(before, kinds)?.site === now?.site) return;
  const user = await userOf(name);
  if (user === undefined) return;
  throw new SuperfluidityError('SF-LIFECYCLE-IN-USE', {
    doing,
    reason: `units of service ${user} run there, in the networks that it has now`,
  });
}

/** What other sites have in the networks of this one would hold them. */
export async function refusePurge(
  name: string,
  guests: readonly string[],
  driver: (site: string) => Promise<SiteDriver>,
): Promise<void> {
  for (const guest of guests) {
    if ((await networksAt(guest, driver)).length === 0) continue;
    throw new SuperfluidityError('SF-LIFECYCLE-IN-USE', {
      doing: `purge site ${name}`,
      reason: `site ${guest} is in its networks`,
      hint: `Purge that first: \`superfluidity site purge ${guest}\`.`,
    });
  }
}

/** None where the site does not answer. */
async function networksAt(
  site: string,
  driver: (site: string) => Promise<SiteDriver>,
): Promise<readonly NetworkSpec[]> {
  return driver(site)
    .then((open) => open.fabric.listNetworks())
    .catch(() => []);
}

export interface SharingRequest extends Pick<Transition, 'name' | 'service' | 'target'> {
  readonly homes: NetworkHomes;
  /** Sites at which the service is, or will be, a stack. */
  readonly stacks: Iterable<string>;
}

/** Refuses by name what sites that are in the networks of others cannot have. */
export async function refuseSharing(
  { name, service, target, homes, stacks }: SharingRequest,
  sites: Pick<Sites, 'driver' | 'shared'>,
  doing: string,
): Promise<void> {
  const stacked = new Set(stacks);
  const networksOf = new Map(
    unitsOf(service).map(({ path, unit }) => [path, unit.ports.flatMap(({ network }) => network ?? [])]),
  );
  for (const [site, placed] of Map.groupBy(target, (one) => one.site)) {
    const home = homes.get(site);
    const own = new Set(placed.flatMap(({ path }) => networksOf.get(path) ?? []));
    if (home === undefined || own.size === 0) continue;
    const refuse = (reason: string, hint: string): never => {
      throw new SuperfluidityError('SF-LIFECYCLE-SHARED-NETWORK', { doing, reason, hint, data: { site, of: home } });
    };
    if (stacked.has(home))
      refuse(
        `networks of ${home} that ${site} is in too are not made by a stack`,
        'Deploy without a stack: `--via direct`.',
      );
    // What does not answer now is asked again by the step.
    const others = (await networksAt(site, sites.driver))
      .filter((network) => network.service !== name || !own.has(network.name))
      .map((network) => `${network.name} of ${network.service}`);
    const all = [...[...own].map((network) => `${network} of ${name}`), ...others];
    const atMost = (await sites.shared(site))?.atMost ?? all.length;
    if (all.length > atMost)
      refuse(
        `site ${site} can be in ${atMost} of the networks of ${home} at once, and would be in ${all.join(', ')}`,
        'Place the units of each network at a site of its own: another one in the same cluster is one in another namespace.',
      );
  }
}
