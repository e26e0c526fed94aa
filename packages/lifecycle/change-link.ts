import type { SiteLink } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { PlannedStep } from './actions.ts';
import type { Grant } from './grant.ts';
import type { Operations } from './operations.ts';
import { storedPlan } from './plan.ts';
import type { Accepted } from './services.ts';
import type { Sites } from './sites.ts';

const NOTHING_PLACED: Grant = { placed: [], assignments: [], chains: [], costPerHour: 0 };

/** What operations on a link have where others have their service: one of them at a time. */
export const linkSubject = ({ a, b }: Pick<SiteLink, 'a' | 'b'>): string => `link:${[a, b].toSorted().join(':')}`;

/** Each site gets its end, then the link is kept; undone, everything is as it was before. */
export function linkSteps(link: SiteLink, previous: SiteLink | undefined): readonly PlannedStep[] {
  const what = `${link.latencyMs} ms, ${link.bandwidthMbps} Mbit/s`;
  const ends = [link.a, link.b].map(
    (site): PlannedStep => ({
      id: `set-link@${site}`,
      title: `${previous === undefined ? 'make' : 'change'} the link ${link.a} - ${link.b} at ${site}: ${what}`,
      dependsOn: [],
      action: { verb: 'set-link', site, link, previous },
    }),
  );
  // One after the other: where one driver has both ends, the first makes the whole link.
  const second = { ...ends[1]!, dependsOn: [ends[0]!.id] };
  const keep: PlannedStep = {
    id: 'keep-link',
    title: `note the link ${link.a} - ${link.b}`,
    dependsOn: [second.id],
    action: { verb: 'keep-link', link, previous },
  };
  return [ends[0]!, second, keep];
}

/** `known`: the link as whoever asks has seen it, null for none; undefined: whatever it is. */
export async function changeLink(
  { sites, operations }: { readonly sites: Sites; readonly operations: Operations },
  link: SiteLink,
  known: SiteLink | null | undefined,
): Promise<Accepted> {
  await sites.checkLink(link);
  const subject = linkSubject(link);
  const previous = (await sites.links()).find((one) => linkSubject(one) === subject);
  if (known !== undefined && told(known ?? undefined) !== told(previous)) {
    throw new SuperfluidityError('SF-LIFECYCLE-CHANGED', {
      doing: `change the link between ${link.a} and ${link.b}`,
      reason: previous === undefined ? 'there is none any more' : `it has ${told(previous)} by now`,
      hint: 'Look at the link as it is now, and change it again.',
      ...(previous === undefined ? {} : { data: { link: previous } }),
    });
  }
  const plan = storedPlan('LINK', subject, NOTHING_PLACED, linkSteps(link, previous));
  const params = { link, ...(previous === undefined ? {} : { before: previous }) };
  const operation = operations.make({ service: subject, kind: 'LINK', automatic: false, params, plan });
  await operations.records.insertAlone(operation);
  await operations.start(operation);
  return { operation: operation.id, service: subject };
}

const told = (link: SiteLink | undefined): string =>
  link === undefined
    ? 'none'
    : `${link.latencyMs} ms, jitter ${link.jitterMs} ms, loss ${link.loss}, ${link.bandwidthMbps} Mbit/s`;
