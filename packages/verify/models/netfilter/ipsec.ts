import { all, compare, type Condition, constant, type Expr, fresh, meta, read } from '../../ir/expression.ts';
import { beginEncryption, endEncryption, KEY, KEY_BITS } from '../../ir/encryption.ts';
import { field, headerBits, protocols } from '../../ir/fields.ts';
import { assign, block, branch, drop, forward, type Instruction, nothing } from '../../ir/instruction.ts';
import type { LinuxPrefix } from '../../readers/linux/words.ts';
import type { XfrmPolicy, XfrmState, XfrmTunnel } from '../../readers/linux/xfrm.ts';
import { moveTag, putHeader, takeHeader } from '../headers.ts';
import type { NetfilterBox } from './box.ts';
import type { Surroundings } from './cubes.ts';
import { settle, withoutFrame } from './segments.ts';
import { sentAgain } from './vxlan.ts';

/**
 * Tunnels of ESP over IPv4 (RFC 4301, RFC 4303), as xfrm of the kernel makes them: after POSTROUTING, what a policy of the
 * direction `out` fits goes into its tunnel and is sent as if by the box; what comes out of one comes in once more, and is
 * let in by a policy that asks for that very tunnel. What is inside is there, behind a key, and is not looked at on the way.
 */
/** What AES-CBC with HMAC-SHA adds at most beside the outer header: ESP, the vector, padding, trailer and the sum. */
const ESP_BYTES_MAX = 8 + 16 + 15 + 2 + 16;
const TTL = 64;
const NUMBER_BITS = 16;

/** The association that a packet came by; 0 is none. */
const cameBy = (name: string) => meta('ipsec.by', name);

export const usesIpsec = ({ xfrm }: NetfilterBox): boolean =>
  xfrm !== undefined && xfrm.policies.length + xfrm.states.length > 0;

/** Of a packet that has just come by a wire, or is sent by a program. */
export function withoutIpsec(name: string, box: NetfilterBox): Instruction {
  return usesIpsec(box) ? assign(cameBy(name), constant(0, NUMBER_BITS)) : nothing;
}

/** Into the tunnel that the packet has to take; else on. */
export function intoIpsec(name: string, { family, box }: Surroundings, otherwise: Instruction): Instruction {
  if (!usesIpsec(box) || family !== 'ip') return otherwise;
  const { policies, states } = box.xfrm!;
  const decided = inOrder(policies, 'out').reduceRight<Instruction>((rest, policy) => {
    const { tunnel, blocks, source } = policy;
    const fitting = tunnel === undefined ? [] : states.filter((state) => isOf(state, tunnel));
    const ways = fitting.map((state) => encapsulate(name, state));
    const act: Instruction = blocks
      ? drop('a policy of IPsec blocks it', source)
      : tunnel === undefined
        ? otherwise
        : ways.length === 0
          ? drop('there is no association for the tunnel', source)
          : ways.length === 1
            ? ways[0]!
            : { op: 'choose', branches: ways };
    return branch(fits(policy), act, rest, source);
  }, otherwise);
  // What is in a tunnel already has its route from the policy of the packet inside.
  return branch({ kind: 'exists', at: field('ESP.spi') }, otherwise, decided);
}

/** What came is for the box: out of its tunnel, when it is of one of the associations. */
export function outOfIpsec(name: string, { family, box }: Surroundings, otherwise: Instruction, again: Instruction) {
  if (!usesIpsec(box) || family !== 'ip') return otherwise;
  const isEsp = is('IPv4.proto', protocols.esp);
  const found = box.xfrm!.states.reduceRight<Instruction>(
    (rest, state, i) =>
      branch(
        all(is('IPv4.dst', state.to), is('ESP.spi', state.spi)),
        open(name, state, i + 1, again),
        rest,
        state.source,
      ),
    drop('no association of the box has that number'),
  );
  const known = branch(
    { kind: 'exists', at: field('ESP.spi') },
    found,
    block(
      { op: 'doubt', what: 'what is in a tunnel of IPsec that begins outside' },
      drop('the packet inside is not known'),
    ),
  );
  return branch(isEsp, known, otherwise);
}

/** __xfrm_policy_check: who has to come by a tunnel came by it, and who came by one was asked to. */
export function checkIpsec(name: string, { family, box }: Surroundings, dir: 'in' | 'fwd'): Instruction {
  if (!usesIpsec(box) || family !== 'ip') return nothing;
  const { policies, states } = box.xfrm!;
  const by = read(cameBy(name));
  const isPlain = compare(by, '==', constant(0, NUMBER_BITS));
  const asked = branch(isPlain, nothing, drop('no policy asks for what comes by a tunnel'));
  return inOrder(policies, dir).reduceRight<Instruction>((rest, { tunnel, blocks, source, ...policy }) => {
    const right = states.flatMap((state, i) => (tunnel !== undefined && isOf(state, tunnel) ? [i + 1] : []));
    const wrong = drop(
      tunnel === undefined ? 'no policy asks for what comes by a tunnel' : 'it did not come by its tunnel',
      source,
    );
    const act = blocks
      ? drop('a policy of IPsec blocks it', source)
      : tunnel === undefined
        ? branch(isPlain, nothing, wrong)
        : right.reduceRight<Instruction>(
            (otherwise, number) => branch(compare(by, '==', constant(number, NUMBER_BITS)), nothing, otherwise),
            wrong,
          );
    return branch(fits({ ...policy, blocks, source }), act, rest, source);
  }, asked);
}

const inOrder = (policies: readonly XfrmPolicy[], dir: XfrmPolicy['dir']) =>
  policies.filter((policy) => policy.dir === dir).toSorted((a, b) => a.priority - b.priority);

const isOf = (state: XfrmState, { from, to, reqid }: XfrmTunnel): boolean =>
  state.from === from && state.to === to && (reqid === 0 || state.reqid === reqid);

const is = (at: string, value: bigint | number): Condition =>
  compare(read(field(at)), '==', constant(BigInt(value), field(at).width));

function fits({ from, to, protocol }: XfrmPolicy): Condition {
  const within = (at: string, { address, length }: LinuxPrefix): Condition => {
    const below = 32n - BigInt(length);
    return { kind: 'within', of: read(field(at)), ranges: [[address, address + (1n << below) - 1n]] };
  };
  return all(
    within('IPv4.src', from),
    within('IPv4.dst', to),
    ...(protocol === undefined ? [] : [is('IPv4.proto', protocol)]),
  );
}

const LENGTH = meta('ipsec.length');

function encapsulate(name: string, { from, to, spi, key }: XfrmState): Instruction {
  const plus = (left: Expr, more: number): Expr => ({ kind: 'binary', op: 'add', left, right: constant(more, 16) });
  return block(
    assign(LENGTH, plus(read(field('IPv4.length')), 20 + ESP_BYTES_MAX)),
    beginEncryption('L3'),
    { op: 'allocate', at: KEY, width: KEY_BITS },
    assign(KEY, constant(key, KEY_BITS)),
    moveTag('L4', 'L3', -headerBits.esp),
    putHeader('ESP', { spi, seq: fresh('ESP.seq', 32) }),
    moveTag('L3', 'L4', -headerBits.ipv4),
    putHeader('IPv4', {
      version: 4,
      ihl: 5,
      dscp: 0,
      ecn: 0,
      length: read(LENGTH),
      id: fresh('IPv4.id', 16),
      flags: 0,
      fragment: 0,
      ttl: TTL,
      proto: protocols.esp,
      checksum: fresh('IPv4.checksum', 16),
      src: from,
      dst: to,
    }),
    withoutFrame,
    { op: 'deallocate', at: LENGTH },
    forward(sentAgain(name)),
  );
}

function open(name: string, { key }: XfrmState, number: number, again: Instruction): Instruction {
  const right = all({ kind: 'exists', at: KEY }, compare(read(KEY), '==', constant(key, KEY_BITS)));
  return branch(
    right,
    block(
      { op: 'deallocate', at: KEY },
      endEncryption(),
      takeHeader('ESP'),
      takeHeader('IPv4'),
      moveTag('L3', 'L4', headerBits.esp),
      settle,
      withoutFrame,
      assign(cameBy(name), constant(number, NUMBER_BITS)),
      again,
    ),
    drop('not encrypted with the key of the association'),
  );
}
