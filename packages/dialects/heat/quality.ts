import type { PortQuality } from '@superfluidity/model';
import type { Group } from '../groups.ts';

const DIRECTIONS = ['egress', 'ingress'] as const;
/** The largest number that Neutron keeps for a rate. */
const KBPS_MAX = 2 ** 31 - 1;

/** Whether rules have a number for it: whole kilobits in a second. */
export function isRate(mbps: number): boolean {
  const kbps = mbps * 1_000;
  return Number.isInteger(kbps) && kbps > 0 && kbps <= KBPS_MAX;
}

/** The code points that Neutron takes: classes, assured forwarding, and the two for voice and control (RFC 4594). */
const MARKS: ReadonlySet<number> = new Set([
  0, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 46, 48, 56,
]);

export function isMark(dscp: number): boolean {
  return MARKS.has(dscp);
}

/** A policy of Neutron under `name` and its rules under names that begin with it; rates at least one kilobit. */
export function qualityResources(
  name: string,
  { bandwidthMbps, guaranteedMbps, dscp }: PortQuality,
): Readonly<Record<string, Group>> {
  const rules: Record<string, Group> = {};
  const rule = (suffix: string, type: string, properties: Group) => {
    rules[`${name}_${suffix}`] = { type, properties: { policy: { get_resource: name }, ...properties } };
  };
  for (const direction of DIRECTIONS) {
    if (bandwidthMbps !== undefined)
      rule(direction, 'OS::Neutron::QoSBandwidthLimitRule', { max_kbps: kbpsOf(bandwidthMbps), direction });
    if (guaranteedMbps !== undefined)
      rule(`min_${direction}`, 'OS::Neutron::QoSMinimumBandwidthRule', { min_kbps: kbpsOf(guaranteedMbps), direction });
  }
  if (dscp !== undefined) rule('dscp', 'OS::Neutron::QoSDscpMarkingRule', { dscp_mark: dscp });
  return { [name]: { type: 'OS::Neutron::QoSPolicy', properties: {} }, ...rules };
}

const kbpsOf = (mbps: number): number => Math.max(1, Math.round(mbps * 1_000));
