import { type Balancer, parseIpv4, parseIpv4Prefix } from '@superfluidity/model';
import type { Lose } from '../dialect.ts';
import { given, type Group, put, same } from '../groups.ts';
import type { Shaped } from './shape.ts';

/** What a Service says of how it balances: whose connections stay together, and who may come. */
export function settingsOf(spec: Shaped<'Service'>['spec']) {
  const { sessionAffinity, sessionAffinityConfig, loadBalancerSourceRanges: ranges } = spec;
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const isKnown = ranges?.every((one) => parseIpv4Prefix(one) !== undefined || parseIpv4(one) !== undefined) === true;
  return given({
    persistence:
      sessionAffinity === 'ClientIP'
        ? { kind: 'source-ip' as const, ...(seconds === undefined ? {} : { timeoutMs: seconds * 1_000 }) }
        : undefined,
    allow: isKnown ? [...ranges] : undefined,
  });
}

/** Puts what has changed since it was read into the Service. */
export function withSettings(
  service: Group,
  { name, persistence, allow }: Balancer,
  was: Balancer | undefined,
  at: string,
  lose: Lose,
): Group {
  let object = service;
  if (!same(persistence, was?.persistence)) {
    const isSaid = persistence?.kind === 'source-ip';
    if (persistence !== undefined && !isSaid)
      lose(`${at}.persistence`, `persistence by ${persistence.kind} of balancer '${name}'`);
    const ms = isSaid ? persistence.timeoutMs : undefined;
    const seconds = ms === undefined ? undefined : Math.min(86_400, Math.max(1, Math.ceil(ms / 1_000)));
    if (ms !== undefined && seconds! * 1_000 !== ms)
      lose(`${at}.persistence.timeoutMs`, `a time of ${ms} ms after which balancer '${name}' forgets a client`);
    object = put(object, ['spec', 'sessionAffinity'], isSaid ? 'ClientIP' : undefined);
    const config = seconds === undefined ? undefined : { clientIP: { timeoutSeconds: seconds } };
    object = put(object, ['spec', 'sessionAffinityConfig'], config);
  }
  if (!same(allow, was?.allow)) {
    const ranges = allow?.map((one) => (one.includes('/') ? one : `${one}/32`));
    object = put(object, ['spec', 'loadBalancerSourceRanges'], ranges);
  }
  return object;
}
