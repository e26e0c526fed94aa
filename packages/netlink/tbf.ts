import { bytes, encodeAttributes, nested, text, u32 } from './attributes.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, type NetlinkRequest } from './netlink.ts';

/** Bandwidth limit of a device: a token bucket filter at its root (tc-tbf(8), include/uapi/linux/pkt_sched.h). */

const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const TC_H_ROOT = 0xffffffff;
const HANDLE = 0x10000;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
const TCA_TBF_BURST = 6;
const LINKLAYER_ETHERNET = 1;
/** The bucket must hold a full-sized segment offload packet, or nothing large ever passes. */
const BURST_MIN_BYTES = 65_536;

export interface BandwidthLimit {
  readonly rateMbps: number;
  /** How long a packet may wait in the queue; what would wait longer is dropped. */
  readonly latencyMs?: number;
}

/** struct tcmsg */
function head(index: number, handle: number): Buffer {
  const buffer = Buffer.alloc(20);
  buffer.writeInt32LE(index, 4);
  buffer.writeUInt32LE(handle, 8);
  buffer.writeUInt32LE(TC_H_ROOT, 12);
  return buffer;
}

function u64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

/** Idempotent: replaces the limit that is there. */
export function limitBandwidth(index: number, limit: BandwidthLimit): NetlinkRequest {
  const bytesPerSecond = Math.max(1, Math.round((limit.rateMbps * 1e6) / 8));
  // Four milliseconds of the rate: the timer of a busy machine is that coarse.
  const burst = Math.max(BURST_MIN_BYTES, Math.round(bytesPerSecond * 0.004));
  const queue = burst + Math.round((bytesPerSecond * (limit.latencyMs ?? 50)) / 1000);
  return {
    type: RTM_NEWQDISC,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    words: `tc qdisc replace dev #${index} root tbf rate ${limit.rateMbps}mbit burst ${burst} limit ${queue}`,
    body: () => {
      const parameters = Buffer.alloc(36);
      parameters.writeUInt8(LINKLAYER_ETHERNET, 1);
      parameters.writeUInt32LE(Math.min(bytesPerSecond, 0xffffffff), 8);
      parameters.writeUInt32LE(queue, 24);
      return encodeAttributes(
        [
          text(TCA_KIND, 'tbf'),
          nested(TCA_OPTIONS, [
            bytes(TCA_TBF_PARMS, parameters),
            u32(TCA_TBF_BURST, burst),
            ...(bytesPerSecond > 0xffffffff ? [bytes(TCA_TBF_RATE64, u64(BigInt(bytesPerSecond)))] : []),
          ]),
        ],
        head(index, HANDLE),
      );
    },
  };
}

/** ENOENT or EINVAL when there is no limit. */
export function unlimitBandwidth(index: number): NetlinkRequest {
  return {
    type: RTM_DELQDISC,
    flags: 0,
    words: `tc qdisc del dev #${index} root`,
    body: () => head(index, 0),
  };
}
