import type { Read } from '../../../engine/interpret.ts';
import { field } from '../../../ir/fields.ts';
import { ipv4, mac } from '../../../readers/netfilter/addresses.ts';
import { splitList } from '../../../readers/openflow/split.ts';

/** The header values of a packet that are compared. Ports of 0 where there are none. */
export interface Frame {
  /** The tag, with bit 12 set; that of 802.1ad has bit 16, too. */
  readonly tci: number;
  /** The tag behind it. */
  readonly inner: number;
  /** Of MPLS, the first one first. */
  readonly labels: readonly Label[];
  readonly src: bigint;
  readonly dst: bigint;
  readonly ipSrc: bigint;
  readonly ipDst: bigint;
  readonly tos: number;
  readonly ttl: number;
  readonly sport: number;
  readonly dport: number;
}

interface Label {
  readonly type: number;
  readonly label: number;
  readonly tc: number;
  readonly ttl: number;
}

const DOUBLE_TAG = 0x1_0000;
const tagOf = (type: number, pcp: number, vid: number) =>
  type !== 0x8100 && type !== 0x88a8 ? 0 : 0x1000 | (pcp << 13) | vid | (type === 0x88a8 ? DOUBLE_TAG : 0);

/** The frame that a packet of the model is. */
export function frameAt(at: Read): Frame {
  const behind = (name: string, bits: number) => at({ ...field(name), offset: field(name).offset + bits });
  const value = (name: string, bits = 0) => behind(name, bits) ?? 0n;
  const number = (name: string, bits = 0) => Number(value(name, bits));
  const tag = (type: number, bits: number) => tagOf(type, number('Vlan.pcp', bits), number('Vlan.id', bits));
  const tci = tag(number('Ether.type'), 0);
  const inner = tci === 0 ? 0 : tag(number('Vlan.type'), 32);
  const type = number(inner !== 0 ? 'Vlan.type' : tci !== 0 ? 'Vlan.type' : 'Ether.type', inner === 0 ? 0 : 32);
  const labels: Label[] = [];
  let bottom = type !== 0x8847 && type !== 0x8848;
  for (let bits = 0; !bottom; bits += 32) {
    labels.push({
      type,
      label: number('MPLS.label', bits),
      tc: number('MPLS.tc', bits),
      ttl: number('MPLS.ttl', bits),
    });
    bottom = number('MPLS.bottom', bits) === 1 || bits > 96;
  }
  return {
    tci,
    inner,
    labels,
    src: value('Ether.src'),
    dst: value('Ether.dst'),
    ipSrc: value('IPv4.src'),
    ipDst: value('IPv4.dst'),
    tos: Number(value('IPv4.dscp') * 4n + value('IPv4.ecn')),
    ttl: Number(value('IPv4.ttl')),
    sport: Number(value('TCP.sport')),
    dport: Number(value('TCP.dport')),
  };
}

/** For comparison: in one order, without where the other end of a tunnel is. */
export const told = (sent: readonly Sent<unknown>[]): readonly string[] =>
  sent
    .map(({ port, frame, tunnel }) =>
      JSON.stringify({ port, frame, key: tunnel?.key, option: tunnel?.option }, (_key, part: unknown) =>
        typeof part === 'bigint' ? part.toString(16) : part,
      ),
    )
    .toSorted();

export interface Sent<Port = number> {
  readonly port: Port;
  readonly frame: Frame;
  /** With which it goes into a tunnel. */
  readonly tunnel?: Tunnel;
}

export interface Tunnel {
  readonly key: bigint;
  /** Of Geneve, when there is one. */
  readonly option?: bigint;
  /** The address of the other end. */
  readonly to: string;
}

/** What leaves, as `Datapath actions` of a trace tell it: each output sends the packet as it is there. */
export function sentBy<Port = number>(
  trace: string,
  frame: Frame,
  portOf: (datapath: number) => Port,
  isTunnel: (datapath: number) => boolean = () => false,
): readonly Sent<Port>[] {
  const lines = [...trace.matchAll(/^Datapath actions: (.*)$/gm)].map(([, line]) => splitList(line!)!);
  const sent: Sent<Port>[] = [];
  let now = frame;
  let tunnel: Tunnel | undefined;
  // What is behind `recirc` stands on a line of its own, which follows.
  for (const action of lines.flatMap((actions) => actions.filter((each) => !each.startsWith('recirc(')))) {
    // What goes to the controller because its time to live is over.
    if (action === 'drop' || action.startsWith('userspace(')) continue;
    if (/^\d+$/.test(action)) {
      const number = Number(action);
      // Once set, the key stays with the packet, of which other ports see nothing.
      sent.push({ port: portOf(number), frame: now, ...(isTunnel(number) && tunnel !== undefined ? { tunnel } : {}) });
      continue;
    }
    if (action.startsWith('set(tunnel(')) {
      const key = /\btun_id=(0x[0-9a-f]+)/.exec(action)?.[1] ?? '0';
      const option = /\bgeneve\(\{[^}]*,(0x[0-9a-f]+)\}/.exec(action)?.[1];
      const to = /\bdst=([\d.]+)/.exec(action)![1]!;
      tunnel = { key: BigInt(key), to, ...(option === undefined ? {} : { option: BigInt(option) }) };
      continue;
    }
    now = { ...now, ...changeOf(action, now) };
  }
  return sent;
}

function changeOf(action: string, now: Frame): Partial<Frame> {
  const numbers = new Map(
    [...action.matchAll(/(\w+)=(0x[0-9a-f]+|\d+)/g)].map(([, name, text]) => [name, Number(text)]),
  );
  const of = (name: string, otherwise = 0) => numbers.get(name) ?? otherwise;
  if (action === 'pop_vlan') return { tci: now.inner, inner: 0 };
  if (action.startsWith('push_vlan(')) {
    return { tci: tagOf(of('tpid', 0x8100), of('pcp'), of('vid')), inner: now.tci };
  }
  const [first, ...others] = now.labels;
  const label = { label: of('label', first?.label), tc: of('tc', first?.tc), ttl: of('ttl', first?.ttl) };
  if (action.startsWith('push_mpls(')) {
    const type = of('eth_type');
    return { labels: [{ type, ...label }, ...now.labels.map((each) => ({ ...each, type }))] };
  }
  if (action.startsWith('pop_mpls(')) {
    const type = of('eth_type');
    return { labels: others.map((each) => ({ ...each, type })) };
  }
  if (action.startsWith('set(mpls(')) return { labels: [{ ...first!, ...label }, ...others] };
  const set = /^set\((eth|ipv4|tcp|udp)\((.*)\)\)$/.exec(action);
  if (set === null) throw new Error(`what is ${action}?`);
  const values = new Map(set[2]!.split(',').map((each) => each.split('=') as [string, string]));
  const value = (name: string, old: bigint, read: (text: string) => bigint): bigint => {
    const text = values.get(name);
    if (text === undefined) return old;
    const [first, second] = text.split('/');
    const mask = second === undefined ? undefined : read(second);
    return mask === undefined ? read(first!) : (old & ~mask) | (read(first!) & mask);
  };
  const plain = (name: string, old: number) => Number(value(name, BigInt(old), BigInt));
  switch (set[1]) {
    case 'eth':
      return { src: value('src', now.src, (at) => mac(at)!), dst: value('dst', now.dst, (at) => mac(at)!) };
    case 'ipv4':
      return {
        ipSrc: value('src', now.ipSrc, (at) => ipv4(at)!),
        ipDst: value('dst', now.ipDst, (at) => ipv4(at)!),
        tos: plain('tos', now.tos),
        ttl: plain('ttl', now.ttl),
      };
    default:
      return { sport: plain('src', now.sport), dport: plain('dst', now.dport) };
  }
}

/** Flows that a trace went through, by cookie. */
export function cookiesOf(trace: string): ReadonlySet<number> {
  return new Set([...trace.matchAll(/, cookie 0x([0-9a-f]+)$/gm)].map(([, hex]) => Number.parseInt(hex!, 16)));
}
