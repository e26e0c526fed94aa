import {
  compare,
  constant,
  negation,
  read,
  within,
  type Expr,
  type Location,
  type Ranges,
} from '../../ir/expression.ts';
import { field } from '../../ir/fields.ts';
import { assign, block, branch, constrain, nothing, type Instruction } from '../../ir/instruction.ts';
import { union } from '../../readers/netfilter/addresses.ts';
import { localRanges } from './addresses-of-box.ts';
import type { Surroundings } from './cubes.ts';

/** Addresses that no packet from a wire may have (ip_route_input_slow, RFC 1812 5.3.7; RFC 4291 2.5). */
export function dropMartians({ family, box }: Surroundings, loopback: Expr, sought: Location): Instruction {
  const bad: { source: Ranges; destination: Ranges } =
    family === 'ip'
      ? {
          source: [
            [0n, 0x00ff_ffffn],
            [0x7f00_0000n, 0x7fff_ffffn],
            [0xe000_0000n, 0xefff_ffffn],
            [0xffff_ffffn, 0xffff_ffffn],
          ],
          destination: [
            [0n, 0x00ff_ffffn],
            [0x7f00_0000n, 0x7fff_ffffn],
          ],
        }
      : {
          source: [
            [1n, 1n],
            [0xffn << 120n, (1n << 128n) - 1n],
          ],
          destination: [[0n, 1n]],
        };
  const name = family === 'ip' ? 'IPv4' : 'IPv6';
  /** Nor does a packet come in with an address of this host (fib_validate_source; accept_local is off). */
  const source = family === 'ip' ? union([...bad.source, ...localRanges(box, 'ip')]) : bad.source;
  const good = block(
    constrain(
      negation(within(read(field(`${name}.src`)), source)),
      'a source address that no packet from a wire may have',
    ),
    constrain(negation(within(read(sought), bad.destination)), 'a destination that no packet from a wire may have'),
  );
  return branch(compare(loopback, '==', constant(1n, 1)), nothing, good);
}

/** Link-local addresses are not forwarded (RFC 4291, section 2.5.6); those of IPv4 are, by Linux. */
export function linkLocalStays({ family }: Surroundings): Instruction {
  if (family === 'ip') return nothing;
  const linkLocal: Ranges = [[0xfe80n << 112n, (0xfec0n << 112n) - 1n]];
  const unspecified: Ranges = [[0n, 0n], ...linkLocal];
  return block(
    constrain(negation(within(read(field('IPv6.src')), unspecified)), 'link-local addresses are not forwarded'),
    constrain(negation(within(read(field('IPv6.dst')), linkLocal)), 'link-local addresses are not forwarded'),
  );
}

/** Before the hook FORWARD (ip_forward, ip6_forward). */
export function oneHopLess({ family }: Surroundings): Instruction {
  const at = field(family === 'ip' ? 'IPv4.ttl' : 'IPv6.hopLimit');
  return block(
    constrain(compare(read(at), '>', constant(1n, 8)), 'time to live exceeded'),
    assign(at, { kind: 'binary', op: 'sub', left: read(at), right: constant(1n, 8) }),
  );
}
