import { SuperfluidityError } from '@superfluidity/core';
import { type PortQuality, type PortQualityKind, qualitiesOf } from '@superfluidity/model';

const WORDS: Readonly<Record<PortQualityKind, string>> = {
  bandwidth: 'limit of bandwidth (bandwidthMbps)',
  guarantee: 'guaranteed bandwidth (guaranteedMbps)',
  dscp: 'marking of packets (dscp)',
};

/** Throws when a site cannot treat the packets of a port as it asks. A promise that nobody keeps is worse than none. */
export function refuseQuality(doing: string, port: PortQuality, has: readonly PortQualityKind[]): void {
  const lacking = qualitiesOf(port).filter((kind) => !has.includes(kind));
  if (lacking.length === 0) return;
  throw new SuperfluidityError('SF-FABRIC-QUALITY', {
    doing,
    reason: `the site has no ${lacking.map((kind) => WORDS[kind]).join(', no ')}`,
    data: { lacking },
  });
}
