import type { ExploreOptions, Start } from '../engine/explore.ts';
import { all, any, compare, type Condition, constant, negation, read } from '../ir/expression.ts';
import { field } from '../ir/fields.ts';
import { block, branch, drop, nothing } from '../ir/instruction.ts';
import type { Network, PortId } from '../network.ts';
import { fits, fragments, isTooLong, mayNotBeFragmented, tooLong } from '../models/too-long.ts';
import type { Verdict } from '../verdict.ts';
import { verdictOf } from './exploration-verdict.ts';
import { run } from './questions.ts';

export interface MtuOptions {
  /** Bytes of the longest packet that is sent. Default: the MTU of the interface where packets begin, or that of Ethernet. */
  readonly bytes?: number;
  /** Packets that are fragmented count as lost. */
  readonly whole?: boolean;
}

const ETHERNET = 1_500;
const IPV6_HEADER = 40;
const version = field('IPv4.version');
const isVersion = (number: number) =>
  all({ kind: 'exists', at: version }, compare(read(version), '==', constant(number, 4)));
const isIpv4 = all(isVersion(4), { kind: 'exists', at: field('IPv4.flags') });
const isIpv6 = isVersion(6);
/** The length of IPv6 is that of what comes behind its header (RFC 8200, section 3). */
const fits6 = (bytes: number): Condition =>
  bytes < IPV6_HEADER
    ? { kind: 'never' }
    : compare(read(field('IPv6.length')), '<=', constant(bytes - IPV6_HEADER, 16));

/** Longer packets there are not: the length has 16 bits. */
const LONGEST = 65_535;
const atMost = (bytes: number) => Math.min(bytes, LONGEST);

/**
 * Does every packet fit through the links that it comes to, with what tunnels have put in front of it on the way? A packet of
 * IPv4 that may be fragmented goes on in pieces (RFC 791); one that may not, and one of IPv6 (RFC 8200, section 5), is lost.
 */
export function mtu(
  network: Network,
  starts: readonly Start[],
  { bytes, whole = false }: MtuOptions = {},
  options: ExploreOptions = {},
): Verdict {
  const narrow = withMtus(network, whole);
  const explorations = starts.map((start) => {
    const most = atMost(bytes ?? firstMtu(network, start.port));
    const sent = any(all(isIpv4, fits(most)), all(isIpv6, fits6(most)), negation(any(isIpv4, isIpv6)));
    return run(narrow, { ...start, assume: start.assume === undefined ? sent : all(start.assume, sent) }, options);
  });
  const evidence = explorations.flatMap(({ paths }) =>
    paths.filter(({ outcome, why }) => outcome === 'dropped' && isTooLong(why)),
  );
  const known = network.mtus?.size ?? 0;
  return verdictOf(
    {
      question: 'mtu',
      evidence,
      found: 'violated',
      because: {
        found: 'There are packets that are longer than a link that they come to.',
        absent: `All packets fit: the MTU of ${known === 1 ? 'one port' : `${known} ports`} is known.`,
      },
    },
    explorations,
  );
}

/** Packets that are too long do not leave, or leave in pieces. */
function withMtus(network: Network, whole: boolean): Network {
  const programs = new Map(network.programs);
  for (const [port, { bytes, source }] of network.mtus ?? []) {
    const lost = drop(tooLong(`the ${bytes} bytes that leave at ${port}`), source);
    const most = atMost(bytes);
    const pieces = { ...fragments(most, nothing), ...(source === undefined ? {} : { source }) };
    const long = whole ? lost : branch(mayNotBeFragmented, lost, pieces);
    const check = branch(
      isIpv4,
      branch(fits(most), nothing, long),
      branch(isIpv6, branch(fits6(most), nothing, lost), nothing),
    );
    programs.set(port, block(check, network.programs.get(port) ?? nothing));
  }
  return { ...network, programs };
}

/** Of the interface by which packets come, the other direction is known. */
function firstMtu({ mtus }: Network, port: PortId): number {
  return (mtus?.get(port) ?? mtus?.get(port.replace(/:in$/, ':out')))?.bytes ?? ETHERNET;
}
