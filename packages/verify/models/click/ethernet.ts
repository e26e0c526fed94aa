import {
  all,
  any,
  compare,
  constant,
  type Condition,
  type Expr,
  fresh,
  masked,
  meta,
  negation,
  read,
} from '../../ir/expression.ts';
import { etherTypes, headerBits } from '../../ir/fields.ts';
import { assign, block, branch, fail, type Instruction, nothing } from '../../ir/instruction.ts';
import { DST_IP, settled, tciArgument, VLAN_TCI } from './annotations.ts';
import {
  booleanArgument,
  dropAt,
  type ElementContext,
  type ElementModel,
  etherArgument,
  inner,
  ipArgument,
  numberArgument,
  readArguments,
  sourceOf,
  unusableElement,
} from './element.ts';
import { DATA, enter, exists, hasHeader, markInner, markMac, placed, pop, push, strip, swap } from './headers.ts';

const BROADCAST = 0xffffffffffffn;
const GROUP_BIT = 1n << 40n;
const ether = (name: string) => placed(`Ether.${name}`, DATA);
const mac = (value: bigint | undefined, name: string): Expr =>
  value === undefined ? fresh(name, 48) : constant(value, 48);

/** An Ethernet header in front; the MAC header annotation is set. */
export function pushEther(type: number, src: Expr, dst: Expr): Instruction {
  return block(
    push(headerBits.ether, [['Ether', 0]], { 'Ether.type': constant(type, 16), 'Ether.src': src, 'Ether.dst': dst }),
    markMac(),
  );
}

function etherTypeArgument(context: ElementContext, given: ReturnType<typeof readArguments>): number {
  const text = given.get('ETHERTYPE')?.text ?? '';
  const hex = /^0x[0-9a-fA-F]{1,4}$/.test(text);
  return hex ? Number(text) : numberArgument(context, given, 'ETHERTYPE', { most: 0xffff });
}

function encap(context: ElementContext): Instruction {
  const given = readArguments(context, ['ETHERTYPE', 'SRC', 'DST'], [], 3);
  const [src, dst] = [etherArgument(context, given, 'SRC'), etherArgument(context, given, 'DST')];
  return block(
    pushEther(etherTypeArgument(context, given), mac(src, 'Ether.src'), mac(dst, 'Ether.dst')),
    context.to(0),
  );
}

/** Symnet's: takes the header of a frame with IP away; others are dropped. */
function decap(context: ElementContext): Instruction {
  const plain = all(hasHeader('Ether', DATA), negation(exists(placed('Vlan.id', DATA))));
  const isIp = all(plain, compare(read(ether('type')), '==', constant(etherTypes.ipv4, 16)));
  return block(
    enter,
    branch(
      isIp,
      block(pop(headerBits.ether, ['Ether']), markInner, context.to(0)),
      dropAt(context, 'not a frame with IPv4'),
      sourceOf(context),
    ),
  );
}

const kept = { dst: meta('click.vlan.dst'), src: meta('click.vlan.src'), type: meta('click.vlan.type') } as const;
const remember = (type: string): Instruction =>
  block(
    assign(kept.dst, read(ether('dst'))),
    assign(kept.src, read(ether('src'))),
    assign(kept.type, read(placed(type, DATA))),
  );
const forget = block(...Object.values(kept).map((at): Instruction => ({ op: 'deallocate', at })));

/** IEEE 802.1Q: the tag stands between the addresses and the type. A second tag has no place in the model. */
export function addTag(context: ElementContext, tci: Expr, type: number): Instruction {
  const bits = (high: number, low: number): Expr => ({ kind: 'slice', of: tci, high, low });
  const tag = block(
    remember('Ether.type'),
    pop(headerBits.ether, ['Ether']),
    push(
      headerBits.tagged,
      [
        ['Ether', 0],
        ['Vlan', 0],
      ],
      {
        'Ether.dst': read(kept.dst),
        'Ether.src': read(kept.src),
        'Ether.type': constant(type, 16),
        'Vlan.pcp': bits(15, 13),
        'Vlan.dei': bits(12, 12),
        'Vlan.id': bits(11, 0),
        'Vlan.type': read(kept.type),
      },
    ),
    forget,
    markMac(),
  );
  const second = fail(`${context.element.name} adds a second VLAN tag, which is not modelled`, sourceOf(context));
  const none = fail(`${context.element.name} needs an Ethernet header`, sourceOf(context));
  return block(enter, branch(hasHeader('Ether', DATA), branch(exists(placed('Vlan.id', DATA)), second, tag), none));
}

export function removeTag(): Instruction {
  return block(
    remember('Vlan.type'),
    pop(headerBits.tagged, ['Ether', 'Vlan']),
    push(headerBits.ether, [['Ether', 0]], {
      'Ether.dst': read(kept.dst),
      'Ether.src': read(kept.src),
      'Ether.type': read(kept.type),
    }),
    forget,
    markMac(),
  );
}

function vlanEncap(context: ElementContext): Instruction {
  const given = readArguments(context, ['VLAN_TCI', 'VLAN_PCP'], ['VLAN_ID', 'NATIVE_VLAN', 'ETHERTYPE']);
  const type = given.has('ETHERTYPE') ? etherTypeArgument(context, given) : etherTypes.vlan;
  const native = numberArgument(context, given, 'NATIVE_VLAN', { least: -1, most: 0xfff, otherwise: 0 });
  if (given.get('VLAN_TCI')?.text !== 'ANNO') {
    const tci = tciArgument(context, given);
    return block((tci & 0xfff) === native ? nothing : addTag(context, constant(tci, 16), type), context.to(0));
  }
  const anno = context.annotation(VLAN_TCI);
  const untagged = masked(read(anno), BigInt(native), 0xfffn);
  const tag = addTag(context, read(anno), type);
  return block(settled(anno, 16), native < 0 ? tag : branch(untagged, nothing, tag, sourceOf(context)), context.to(0));
}

function vlanDecap(context: ElementContext): Instruction {
  const given = readArguments(context, ['ANNO'], ['ETHERTYPE']);
  const anno = booleanArgument(context, given, 'ANNO', true) ? context.annotation(VLAN_TCI) : undefined;
  const vlan = (name: string) => read(placed(`Vlan.${name}`, DATA));
  const tci: Expr = { kind: 'concat', parts: [vlan('pcp'), vlan('dei'), vlan('id')] };
  const tagged = all(hasHeader('Ether', DATA), exists(placed('Vlan.id', DATA)));
  return block(
    enter,
    branch(
      tagged,
      block(anno === undefined ? nothing : assign(anno, tci), removeTag()),
      anno === undefined ? nothing : assign(anno, constant(0, 16)),
      sourceOf(context),
    ),
    context.to(0),
  );
}

function hostFilter(context: ElementContext): Instruction {
  const given = readArguments(context, ['ETHER', 'DROP_OWN', 'DROP_OTHER'], ['OFFSET'], 1);
  const host = etherArgument(context, given, 'ETHER') ?? 0n;
  const base = 8 * numberArgument(context, given, 'OFFSET', { most: 65_535, otherwise: 0 });
  const [dst, src] = [read(placed('Ether.dst', DATA, base)), read(placed('Ether.src', DATA, base))];
  const refused: Condition[] = [];
  if (booleanArgument(context, given, 'DROP_OWN', false)) refused.push(compare(src, '==', constant(host, 48)));
  if (booleanArgument(context, given, 'DROP_OTHER', true))
    refused.push(all(masked(dst, 0n, GROUP_BIT), compare(dst, '!=', constant(host, 48))));
  const gone = context.toOrDrop(1, 'the frame is for another host');
  return block(enter, branch(any(...refused), gone, context.to(0), sourceOf(context)));
}

/** Addresses that never answer to ARP, and the others: whatever their station says (RFC 826). */
function querier(context: ElementContext): readonly Instruction[] {
  const keywords = [
    'TABLE',
    'CAPACITY',
    'ENTRY_CAPACITY',
    'ENTRY_PACKET_CAPACITY',
    'CAPACITY_SLIM_FACTOR',
    'TIMEOUT',
    'POLL_TIMEOUT',
    'BROADCAST',
    'SET_SRC_ETH',
  ];
  const single = context.element.arguments.filter(({ text }) => !keywords.includes(text.split(' ')[0]!)).length === 1;
  const given = readArguments(context, single ? ['ETH'] : ['IP', 'ETH'], keywords, 1);
  const net = given.has('IP') ? context.names.prefix(given.get('IP')!.text) : undefined;
  if (given.has('IP') && net === undefined) throw unusableElement(context, 'IP is an address', given.get('IP')!.line);
  const broadcasts = [0xffffffffn];
  if (given.has('BROADCAST')) broadcasts.push(ipArgument(context, given, 'BROADCAST'));
  else if (net !== undefined && net.mask !== 0xffffffffn) broadcasts.push(net.value | (~net.mask & 0xffffffffn));
  const src = mac(etherArgument(context, given, 'ETH'), 'Ether.src');
  const anno = context.annotation(DST_IP);
  const send = (dst: Expr) => block(pushEther(etherTypes.ipv4, src, dst), context.to(0));
  const multicast: Expr = {
    kind: 'concat',
    parts: [constant(0x01005en, 24), constant(0, 1), { kind: 'slice', of: read(anno), high: 22, low: 0 }],
  };
  const isOneOf = any(...broadcasts.map((address) => compare(read(anno), '==', constant(address, 32))));
  const packets = block(
    settled(anno, 32),
    branch(
      compare(read(anno), '==', constant(0, 32)),
      dropAt(context, 'there is no destination address annotation'),
      branch(
        isOneOf,
        send(constant(BROADCAST, 48)),
        branch(
          masked(read(anno), 0xe0000000n, 0xf0000000n),
          send(multicast),
          send(fresh('answer to ARP', 48)),
          sourceOf(context),
        ),
        sourceOf(context),
      ),
      sourceOf(context),
    ),
  );
  return [packets, dropAt(context, 'an answer to ARP has arrived')];
}

/** Answers requests for its addresses (RFC 826); everything else to output 1, or drops it. */
function responder(context: ElementContext): Instruction {
  const at = (name: string) => placed(name, DATA, name.startsWith('Arp') ? headerBits.ether : 0);
  const request = all(
    hasHeader('Ether', DATA),
    hasHeader('Arp', DATA, headerBits.ether),
    compare(read(at('Arp.op')), '==', constant(1, 16)),
  );
  const other = context.toOrDrop(1, 'not a request for an address of this element');
  const answers = context.element.arguments.reduceRight<Instruction>((otherwise, { text, line }) => {
    const words = text.split(' ');
    const address = context.names.ether(words.at(-1)!);
    const nets = (words.length === 1 ? words : words.slice(0, -1)).map((word) => context.names.prefix(word));
    if (address === undefined || nets.some((net) => net === undefined))
      throw unusableElement(context, `an entry is IP/MASK [IP/MASK...] ETH, not "${text}"`, line);
    const ours = any(...nets.map((net) => masked(read(at('Arp.tpa')), net!.value, net!.mask)));
    const answer = block(
      assign(at('Ether.dst'), read(at('Arp.sha'))),
      assign(at('Ether.src'), constant(address, 48)),
      assign(at('Arp.op'), constant(2, 16)),
      assign(at('Arp.tha'), read(at('Arp.sha'))),
      assign(at('Arp.sha'), constant(address, 48)),
      swap(at('Arp.tpa'), at('Arp.spa')),
      context.to(0),
    );
    return branch(ours, answer, otherwise, { file: context.element.source.file, line });
  }, other);
  return block(enter, branch(request, answers, other, sourceOf(context)));
}

export const ethernetElements: Readonly<Record<string, ElementModel>> = {
  EtherEncap: inner('puts an Ethernet header in front; "-" is any address', encap),
  EtherDecap: inner('takes the Ethernet header of a frame with IPv4 away', decap),
  EtherRewrite: inner('sets both Ethernet addresses', (context) => {
    const given = readArguments(context, ['SRC', 'DST'], [], 2);
    const [src, dst] = [etherArgument(context, given, 'SRC'), etherArgument(context, given, 'DST')];
    return block(
      enter,
      assign(ether('src'), mac(src, 'Ether.src')),
      assign(ether('dst'), mac(dst, 'Ether.dst')),
      context.to(0),
    );
  }),
  EtherMirror: inner('swaps the Ethernet addresses', (context) =>
    block(enter, swap(ether('src'), ether('dst')), context.to(0)),
  ),
  StoreEtherAddress: inner('writes an Ethernet address into the packet', (context) => {
    const given = readArguments(context, ['ADDR', 'OFFSET'], [], 2);
    const where = given.get('OFFSET')!.text;
    const name = where === 'dst' || where === '0' ? 'dst' : where === 'src' || where === '6' ? 'src' : undefined;
    if (name === undefined) throw unusableElement(context, `OFFSET is src or dst here, not "${where}"`);
    return block(
      enter,
      assign(ether(name), mac(etherArgument(context, given, 'ADDR'), 'Ether.dst'), sourceOf(context)),
      context.to(0),
    );
  }),
  EnsureEther: inner('puts an Ethernet header in front of packets that have none', (context) => {
    const given = readArguments(context, ['ETHERTYPE', 'SRC', 'DST']);
    const type = given.has('ETHERTYPE') ? etherTypeArgument(context, given) : etherTypes.ipv4;
    const src = given.has('SRC') ? etherArgument(context, given, 'SRC') : 0x010101010101n;
    const dst = given.has('DST') ? etherArgument(context, given, 'DST') : 0x020202020202n;
    const header = pushEther(type, mac(src, 'Ether.src'), mac(dst, 'Ether.dst'));
    return block(enter, branch(hasHeader('Ether', DATA), nothing, header), context.to(0));
  }),
  HostEtherFilter: inner('drops frames for other hosts', hostFilter),
  EtherVLANEncap: inner('puts an Ethernet header with a VLAN tag in front', (context) => {
    const given = readArguments(
      context,
      ['ETHERTYPE', 'SRC', 'DST', 'VLAN_TCI', 'VLAN_PCP'],
      ['VLAN_ID', 'NATIVE_VLAN'],
      3,
    );
    const [src, dst] = [etherArgument(context, given, 'SRC'), etherArgument(context, given, 'DST')];
    const frame = pushEther(etherTypeArgument(context, given), mac(src, 'Ether.src'), mac(dst, 'Ether.dst'));
    if (given.get('VLAN_TCI')?.text !== 'ANNO')
      return block(frame, addTag(context, constant(tciArgument(context, given), 16), etherTypes.vlan), context.to(0));
    const anno = context.annotation(VLAN_TCI);
    return block(frame, settled(anno, 16), addTag(context, read(anno), etherTypes.vlan), context.to(0));
  }),
  VLANEncap: inner('puts a VLAN tag into the Ethernet header', vlanEncap),
  VLANDecap: inner('takes the VLAN tag out, if there is one', vlanDecap),
  StripEtherVLANHeader: inner('strips the Ethernet header, with its tag', (context) =>
    block(
      enter,
      branch(exists(placed('Vlan.id', DATA)), strip(headerBits.tagged), strip(headerBits.ether)),
      context.to(0),
    ),
  ),
  ARPQuerier: { kind: 'inner', does: 'puts Ethernet headers in front, with addresses found by ARP', program: querier },
  ARPResponder: inner('answers ARP requests', responder),
};
