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

export interface Sent {
  readonly port: number;
  readonly frame: Frame;
}

const LOCAL_OF_DUMMY = 100;

/** What leaves, as `Datapath actions` of a trace tell it: each output sends the packet as it is there. */
export function sentBy(trace: string, frame: Frame): readonly Sent[] {
  const line = /^Datapath actions: (.*)$/m.exec(trace)![1]!;
  const sent: Sent[] = [];
  let now = frame;
  for (const action of splitList(line)!) {
    // What goes to the controller because its time to live is over.
    if (action === 'drop' || action.startsWith('userspace(')) continue;
    if (/^\d+$/.test(action)) {
      const port = Number(action);
      sent.push({ port: port === LOCAL_OF_DUMMY ? 65_534 : port, frame: now });
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
