import type { Mbps } from '@superfluidity/core';

/** How packets of a port are treated beside those of others: quality of service. */
export interface PortQuality {
  /** At most so much, in each direction. */
  readonly bandwidthMbps?: Mbps;
  /** So much is kept free for it, in each direction. */
  readonly guaranteedMbps?: Mbps;
  /** Differentiated services code point (RFC 2474) of what the unit sends, whatever it says itself. */
  readonly dscp?: number;
}

export const portQualities = ['bandwidth', 'guarantee', 'dscp'] as const;
/** Kinds of treatment that a site can give. */
export type PortQualityKind = (typeof portQualities)[number];

/** What of a port is its quality, and nothing else: for those who hand it on. */
export function qualityOf({ bandwidthMbps, guaranteedMbps, dscp }: PortQuality): PortQuality {
  return {
    ...(bandwidthMbps === undefined ? {} : { bandwidthMbps }),
    ...(guaranteedMbps === undefined ? {} : { guaranteedMbps }),
    ...(dscp === undefined ? {} : { dscp }),
  };
}

export function qualitiesOf(port: PortQuality): readonly PortQualityKind[] {
  return [
    ...(port.bandwidthMbps === undefined ? [] : (['bandwidth'] as const)),
    ...(port.guaranteedMbps === undefined ? [] : (['guarantee'] as const)),
    ...(port.dscp === undefined ? [] : (['dscp'] as const)),
  ];
}
