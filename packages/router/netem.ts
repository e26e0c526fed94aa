import {
  bytes,
  encodeAttributes,
  type NetlinkRequest,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  text,
} from '@superfluidity/netlink';
import { type LinkShape, QUEUE_PACKETS_MAX } from './link-shape.ts';

/** Delay, jitter and loss of what a device sends: tc-netem(8), include/uapi/linux/pkt_sched.h. */

const RTM_NEWQDISC = 36;
const TC_H_ROOT = 0xffffffff;
const HANDLE = 0x10000;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_NETEM_RATE = 6;
const TCA_NETEM_LATENCY64 = 10;
const TCA_NETEM_JITTER64 = 11;
/** Ten gigabits. No limit to anybody: with a rate, packets with jitter do not overtake each other (sch_netem.c). */
const RATE_BYTES_PER_SECOND = 1.25e9;

function nanoseconds(ms: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt(Math.round(ms * 1e6)));
  return buffer;
}

/** Idempotent: replaces what is there. */
export function delayPackets(index: number, { delayMs, jitterMs = 0, loss = 0 }: LinkShape): NetlinkRequest {
  return {
    type: RTM_NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    words: `tc qdisc replace dev #${index} root netem limit ${QUEUE_PACKETS_MAX} delay ${delayMs}ms ${jitterMs}ms loss ${loss * 100}% rate 10gbit`,
    body: () => {
      // struct tcmsg
      const head = Buffer.alloc(20);
      head.writeInt32LE(index, 4);
      head.writeUInt32LE(HANDLE, 8);
      head.writeUInt32LE(TC_H_ROOT, 12);
      // struct tc_netem_qopt; its latency and jitter are too coarse and short, the attributes after it replace them.
      const options = Buffer.alloc(24);
      options.writeUInt32LE(QUEUE_PACKETS_MAX, 4);
      options.writeUInt32LE(Math.min(0xffffffff, Math.round(loss * 0x100000000)), 8);
      // struct tc_netem_rate
      const rate = Buffer.alloc(16);
      rate.writeUInt32LE(RATE_BYTES_PER_SECOND);
      const more = [
        bytes(TCA_NETEM_RATE, rate),
        bytes(TCA_NETEM_LATENCY64, nanoseconds(delayMs)),
        bytes(TCA_NETEM_JITTER64, nanoseconds(jitterMs)),
      ];
      return encodeAttributes([text(TCA_KIND, 'netem'), bytes(TCA_OPTIONS, encodeAttributes(more, options))], head);
    },
  };
}
