import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { ServiceType } from './catalogue.ts';
import type { Cloud } from './cloud.ts';

/** Services whose API grows by microversions, and where they say which they have. */
const DOCUMENTS = { compute: '/', placement: '/', baremetal: '/v1' } as const satisfies Partial<
  Record<ServiceType, string>
>;
export type Versioned = keyof typeof DOCUMENTS;

const version = z.object({
  version: z.string().optional(),
  max_version: z.string().optional(),
  min_version: z.string().optional(),
});
const versionDocument = z.object({ version: version.optional(), versions: z.array(version).optional() });

const known = new WeakMap<Cloud, Map<Versioned, Promise<{ readonly min: string; readonly max: string }>>>();

/**
 * The highest version that both sides know, with the name of the service: `compute 2.87`. What is
 * written against `atMost` has to understand what any version from `atLeast` on answers.
 */
export async function microversion(
  cloud: Cloud,
  service: Versioned,
  { atLeast, atMost }: { readonly atLeast: string; readonly atMost: string },
  signal: AbortSignal,
): Promise<string> {
  const { min, max } = await supported(cloud, service, signal);
  const chosen = compare(max, atMost) < 0 ? max : atMost;
  if (compare(chosen, atLeast) >= 0 && compare(chosen, min) >= 0) return `${service} ${chosen}`;
  throw new SuperfluidityError('SF-OPENSTACK-VERSION', {
    doing: `agree with ${service} on a version`,
    reason: `it knows ${min} to ${max}, and ${atLeast} to ${atMost} can be used`,
  });
}

async function supported(cloud: Cloud, service: Versioned, signal: AbortSignal) {
  let ofCloud = known.get(cloud);
  if (ofCloud === undefined) known.set(cloud, (ofCloud = new Map()));
  const asked = ofCloud.get(service);
  // What another caller asked for may have ended with that caller.
  const answered = await asked?.catch(() => undefined);
  if (answered !== undefined) return answered;
  const asking = ask(cloud, service, signal);
  ofCloud.set(service, asking);
  return asking;
}

async function ask(cloud: Cloud, service: Versioned, signal: AbortSignal) {
  const doing = `ask ${service} for its versions`;
  const call = { service, method: 'GET', path: DOCUMENTS[service], doing, signal } as const;
  const { version: one, versions } = await cloud.json({ ...call, accepts: [300] }, versionDocument);
  const found = one ?? versions?.at(-1);
  // A service that says nothing has its first version only.
  return { min: found?.min_version || '0.0', max: found?.max_version || found?.version || '0.0' };
}

function compare(a: string, b: string): number {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [a.split('.').map(Number), b.split('.').map(Number)];
  return majorA - majorB || minorA - minorB;
}
