import { beginEncryption, endEncryption, fingerprint, KEY, KEY_BITS } from '../../ir/encryption.ts';
import { all, compare, constant, type Condition, type Expr, fresh, meta, read } from '../../ir/expression.ts';
import { headerBits, protocols } from '../../ir/fields.ts';
import { assign, block, branch, type Instruction } from '../../ir/instruction.ts';
import { protocolNames } from '../../filter/names.ts';
import { DST_IP, setDestination, settled } from './annotations.ts';
import {
  type Arguments,
  booleanArgument,
  dropAt,
  type ElementContext,
  type ElementModel,
  inner,
  ipArgument,
  numberArgument,
  readArguments,
  sourceOf,
  unusableElement,
} from './element.ts';
import { DATA, dataToNetwork, enter, hasHeader, markInner, markIp, markMpls, placed, pop, push } from './headers.ts';

/** Bytes from the data pointer on, as far as the header there tells: what a new header gives as its payload's length. */
function lengthPlus(more: number, then: (length: Expr) => Instruction): Instruction {
  const plus = (name: string, extra: number): Expr => ({
    kind: 'binary',
    op: 'add',
    left: read(placed(name, DATA)),
    right: constant(extra, 16),
  });
  const known = meta('click.length');
  const made = block(then(read(known)), { op: 'deallocate', at: known });
  return branch(
    hasHeader('IPv4', DATA),
    block(assign(known, plus('IPv4.length', more)), made),
    branch(
      hasHeader('IPv6', DATA),
      block(assign(known, plus('IPv6.length', more + 40)), made),
      block(assign(known, fresh('length', 16, [[BigInt(more), 65_535n]])), made),
    ),
  );
}

function protocolArgument(context: ElementContext, given: Arguments, name: string): number {
  return protocolNames.get(given.get(name)?.text ?? '') ?? numberArgument(context, given, name, { most: 255 });
}

/** `DST_ANNO` is the destination address annotation. */
function destination(context: ElementContext, given: Arguments): Expr {
  if (given.get('DST')?.text === 'DST_ANNO') return read(context.annotation(DST_IP));
  return constant(ipArgument(context, given, 'DST'), 32);
}

function header(src: Expr, dst: Expr, proto: number, length: Expr, more: Readonly<Record<string, Expr>> = {}) {
  return {
    'IPv4.version': constant(4, 4),
    'IPv4.ihl': constant(5, 4),
    'IPv4.dscp': constant(0, 6),
    'IPv4.ecn': constant(0, 2),
    'IPv4.length': length,
    'IPv4.flags': constant(0, 3),
    'IPv4.fragment': constant(0, 13),
    'IPv4.ttl': constant(250, 8),
    'IPv4.proto': constant(proto, 8),
    'IPv4.src': src,
    'IPv4.dst': dst,
    ...more,
  };
}

function ipEncap(context: ElementContext): Instruction {
  const given = readArguments(context, ['PROTO', 'SRC', 'DST'], ['TTL', 'DSCP', 'ECT', 'CE', 'TOS', 'DF'], 3);
  const ect = given.get('ECT')?.text === '2' ? 2 : booleanArgument(context, given, 'ECT', false) ? 1 : 0;
  const ecn = booleanArgument(context, given, 'CE', false) ? 3 : ect;
  const tos = numberArgument(context, given, 'TOS', { most: 255, otherwise: ecn });
  const dscp = numberArgument(context, given, 'DSCP', { most: 63, otherwise: tos >> 2 });
  const src = constant(ipArgument(context, given, 'SRC'), 32);
  const dst = destination(context, given);
  const more = {
    'IPv4.ttl': constant(numberArgument(context, given, 'TTL', { most: 255, otherwise: 250 }), 8),
    'IPv4.dscp': constant(dscp, 6),
    'IPv4.ecn': constant(tos & 3, 2),
    'IPv4.flags': constant(booleanArgument(context, given, 'DF', false) ? 2 : 0, 3),
  };
  const proto = protocolArgument(context, given, 'PROTO');
  return block(
    enter,
    settled(context.annotation(DST_IP), 32),
    lengthPlus(headerBits.ipv4 / 8, (length) =>
      push(headerBits.ipv4, [['IPv4', 0]], header(src, dst, proto, length, more)),
    ),
    markIp(),
    setDestination(context, dst),
    context.to(0),
  );
}

function udpIpEncap(context: ElementContext): Instruction {
  const given = readArguments(context, ['SRC', 'SPORT', 'DST', 'DPORT', 'CHECKSUM'], [], 4);
  const port = (name: string) => constant(numberArgument(context, given, name, { most: 65_535 }), 16);
  const src = constant(ipArgument(context, given, 'SRC'), 32);
  const dst = destination(context, given);
  const headers = lengthPlus(28, (length) =>
    push(
      headerBits.ipv4 + headerBits.udp,
      [
        ['IPv4', 0],
        ['UDP', headerBits.ipv4],
      ],
      {
        ...header(src, dst, protocols.udp, length),
        'UDP.sport': port('SPORT'),
        'UDP.dport': port('DPORT'),
        'UDP.length': { kind: 'binary', op: 'sub', left: length, right: constant(20, 16) },
      },
    ),
  );
  return block(
    enter,
    settled(context.annotation(DST_IP), 32),
    headers,
    markIp(),
    setDestination(context, dst),
    context.to(0),
  );
}

/** Symnet's: takes the outer header of a tunnel away for good; packets of other protocols are dropped. */
function ipDecap(context: ElementContext): Instruction {
  const given = readArguments(context, ['PROTO']);
  const proto = given.has('PROTO') ? protocolArgument(context, given, 'PROTO') : protocols.ipip;
  const isTunnel: Condition = all(
    hasHeader('IPv4', DATA),
    compare(read(placed('IPv4.proto', DATA)), '==', constant(proto, 8)),
  );
  return block(
    dataToNetwork(),
    branch(
      isTunnel,
      block(pop(headerBits.ipv4, ['IPv4']), markInner, context.to(0)),
      dropAt(context, `not of protocol ${proto}`),
      sourceOf(context),
    ),
  );
}

const label = placed('MPLS.label', DATA);
const LABELS_MOST = 0xfffff;

/** RFC 3032: one entry of the label stack in front of the packet. */
function mplsEncap(context: ElementContext): Instruction {
  const given = readArguments(context, ['LABEL', 'TC', 'TTL'], [], 1);
  const number = (name: string, most: number, otherwise?: number) =>
    numberArgument(context, given, name, otherwise === undefined ? { most } : { most, otherwise });
  const entry = (bottom: number) =>
    block(
      push(headerBits.mpls, [['MPLS', 0]], {
        'MPLS.label': constant(number('LABEL', LABELS_MOST), 20),
        'MPLS.tc': constant(number('TC', 7, 0), 3),
        'MPLS.bottom': constant(bottom, 1),
        'MPLS.ttl': constant(number('TTL', 255, 64), 8),
      }),
      markMpls(),
    );
  return block(enter, branch(hasHeader('MPLS', DATA), entry(0), entry(1)), context.to(0));
}

function mplsDecap(context: ElementContext): Instruction {
  readArguments(context, []);
  return block(
    enter,
    branch(
      hasHeader('MPLS', DATA),
      block(pop(headerBits.mpls, ['MPLS']), markMpls(), markInner, context.to(0)),
      dropAt(context, 'there is no label'),
      sourceOf(context),
    ),
  );
}

/** Sends packets to the output of their label; others are dropped. Labels stay. */
function mplsSwitch(context: ElementContext): Instruction {
  const labels = context.element.arguments.map(({ text, line }) => {
    if (!/^\d{1,7}$/.test(text) || Number(text) > LABELS_MOST)
      throw unusableElement(context, `a label is a number, not "${text}"`, line);
    return Number(text);
  });
  return block(
    enter,
    branch(
      hasHeader('MPLS', DATA),
      {
        op: 'table',
        source: sourceOf(context),
        table: {
          name: `${context.box}:${context.element.name}`,
          keys: [{ of: read(label), width: 20, absent: 'fail' }],
          entries: { kind: 'exact', values: Float64Array.from(labels), behaviour: Uint32Array.from(labels.keys()) },
          behaviours: labels.map((_label, port) => context.to(port)),
          miss: dropAt(context, 'no output for the label'),
        },
      },
      dropAt(context, 'there is no label'),
      sourceOf(context),
    ),
  );
}

/** RFC 4303: what is behind the header is no longer to be seen, because the headers that are looked at are in front of it. */
function espEncap(context: ElementContext): Instruction {
  const [spi] = context.element.arguments;
  const known = /^(?:0x)?[0-9a-fA-F]{1,8}$/.test(spi?.text ?? '');
  const value = known
    ? { 'ESP.spi': constant(Number(spi!.text.startsWith('0x') ? spi!.text : `0x${spi!.text}`), 32) }
    : {};
  return block(push(64, [['ESP', 0]], value as Readonly<Record<string, Expr>>), context.to(0));
}

function espDecap(context: ElementContext): Instruction {
  return block(
    enter,
    branch(
      hasHeader('ESP', DATA),
      block(pop(64, ['ESP']), markInner, context.to(0)),
      dropAt(context, 'there is no ESP header'),
      sourceOf(context),
    ),
  );
}

/**
 * IPsecAES(ENCRYPT, KEY): 1 encrypts, 0 decrypts, as do the words. A packet that is decrypted with another key than it was
 * encrypted with is dropped. What is encrypted twice must be decrypted twice.
 */
function cipher(context: ElementContext): Instruction {
  const [mode, ...rest] = context.element.arguments.map(({ text }) => text);
  const encrypts = mode === undefined || ['1', 'true', 'encrypt', 'ENCRYPT 1', 'ENCRYPT true'].includes(mode);
  const key = constant(fingerprint(rest.join(' ')), KEY_BITS);
  if (encrypts) {
    const noted = block({ op: 'allocate', at: KEY, width: KEY_BITS }, assign(KEY, key));
    return block(enter, beginEncryption(DATA), noted, context.to(0));
  }
  const right = all({ kind: 'exists', at: KEY }, compare(read(KEY), '==', key));
  return branch(
    right,
    block({ op: 'deallocate', at: KEY }, endEncryption(), context.to(0)),
    dropAt(context, 'not encrypted with this key'),
    sourceOf(context),
  );
}

/** A hash of the payload that another element of the same kind checks. */
const authentication: ElementModel = inner('adds or checks authentication data', (context) => context.to(0));

export const tunnelElements: Readonly<Record<string, ElementModel>> = {
  IPEncap: inner('puts an IP header in front', ipEncap),
  UDPIPEncap: inner('puts an IP and a UDP header in front', udpIpEncap),
  IPDecap: inner('takes the outer IP header away', ipDecap),
  MPLSEncap: inner('puts a label in front', mplsEncap),
  MPLSDecap: inner('takes a label away', mplsDecap),
  MPLSSwitch: inner('sends packets to the output of their label', mplsSwitch),
  IPsecESPEncap: inner('puts an ESP header in front', espEncap),
  IPsecESPDecap: inner('takes an ESP header away', espDecap),
  IPsecESPUnencap: inner('takes an ESP header away', espDecap),
  IPsecAES: inner('encrypts or decrypts', cipher),
  IPsecDES: inner('encrypts or decrypts', cipher),
  IPsecAuthHMACSHA1: authentication,
  IPsecAuthSHA1: authentication,
};
