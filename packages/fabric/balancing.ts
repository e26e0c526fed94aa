import { SuperfluidityError } from '@superfluidity/core';
import { type Balanced, type BalancerBackend, featuresOf, objectionsTo, objectionText } from '@superfluidity/model';

/** Throws when none of the kinds of balancers that a site has can do all of it; says what the best of them lacks. */
export function refuseUnsupported(doing: string, balancer: Balanced, backends: readonly BalancerBackend[]): void {
  const lacking = backends
    .map((backend) => ({ backend, objections: objectionsTo(balancer, backend) }))
    .toSorted((a, b) => a.objections.length - b.objections.length);
  const [best] = lacking;
  if (best?.objections.length === 0) return;
  throw new SuperfluidityError('SF-FABRIC-BALANCER', {
    doing,
    reason:
      best === undefined
        ? 'the site has no balancers'
        : `${best.backend} has no ${best.objections.map(objectionText).join(', no ')}`,
    data: {
      backends: [...backends],
      features: (best?.objections ?? []).map(({ feature, elsewhere }) => ({ feature, elsewhere: [...elsewhere] })),
    },
  });
}

const KERNEL: ReadonlySet<string> = new Set([
  'layer tcp',
  'layer udp',
  'algorithm round-robin',
  'algorithm random',
  'algorithm source-ip',
  'algorithm source-ip-port',
  'weights',
]);

/** The rest is done by a program that takes the packets: it knows requests, or looks after the health of members. */
export function isProxied(balancer: Balanced): boolean {
  return [...featuresOf(balancer)].some((feature) => !KERNEL.has(feature));
}
