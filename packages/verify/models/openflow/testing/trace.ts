import type { Read } from '../../../engine/interpret.ts';
import { field } from '../../../ir/fields.ts';
import { ipv4, mac } from '../../../readers/netfilter/addresses.ts';
import { splitList } from '../../../readers/openflow/split.ts';

/** The header values of a packet that are compared. Ports of 0 where there are none. */
export interface Frame {
  readonly tci: number;
  readonly src: bigint;
  readonly dst: bigint;
  readonly ipSrc: bigint;
  readonly ipDst: bigint;
  readonly tos: number;
  readonly ttl: number;
  readonly sport: number;
  readonly dport: number;
}

/** The frame that a packet of the model is. */
export function frameAt(at: Read): Frame {
  const value = (name: string) => at(field(name)) ?? 0n;
  const tag = () => (value('Vlan.pcp') << 13n) | 0x1000n | value('Vlan.id');
  return {
    tci: value('Ether.type') === 0x8100n ? Number(tag()) : 0,
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
      JSON.stringify({ port, frame, key: tunnel?.key }, (_key, part: unknown) =>
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
  const line = /^Datapath actions: (.*)$/m.exec(trace)![1]!;
  const sent: Sent<Port>[] = [];
  let now = frame;
  let tunnel: Tunnel | undefined;
  for (const action of splitList(line)!) {
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
      tunnel = { key: BigInt(key), to: /\bdst=([\d.]+)/.exec(action)![1]! };
      continue;
    }
    now = { ...now, ...changeOf(action, now) };
  }
  return sent;
}

function changeOf(action: string, now: Frame): Partial<Frame> {
  if (action === 'pop_vlan') return { tci: 0 };
  const vlan = /^push_vlan\(vid=(\d+),pcp=(\d+)\)$/.exec(action);
  if (vlan !== null) return { tci: 0x1000 | (Number(vlan[2]) << 13) | Number(vlan[1]) };
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
