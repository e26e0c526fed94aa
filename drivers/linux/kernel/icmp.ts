import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { SuperfluidityError } from '@superfluidity/core';
import {
  AF_INET,
  errnoName,
  inNamespace,
  MSG_DONTWAIT,
  type NamespaceName,
  parseIpOf,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  systemCall,
  trySystemCall,
} from '@superfluidity/netlink';
import '@superfluidity/router';

/** Echo requests (RFC 792) from inside a namespace, timed to some ten microseconds. */

const IPPROTO_ICMP = 1;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const PACKET_BYTES = 64;
/** How long the event loop is asked at every turn before it is asked every millisecond only. */
const EAGER_MS = 3;
/** Packets of others that one look at the socket reads past. */
const READS_MAX = 64;

export interface PingOptions {
  readonly timeoutMs: number;
  /** An unanswered request is repeated after this time. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
}

export interface PingResult {
  /** From the answered request to its answer. */
  readonly rttMs: number;
  /** From the first request to the answer. */
  readonly elapsedMs: number;
  readonly sent: number;
}

/** RFC 1071 */
function checksum(packet: Buffer): number {
  let sum = 0;
  for (let at = 0; at < packet.length; at += 2) sum += packet.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function echoRequest(id: number, sequence: number): Buffer {
  const packet = Buffer.alloc(PACKET_BYTES);
  packet.writeUInt8(ECHO_REQUEST, 0);
  packet.writeUInt16BE(id, 4);
  packet.writeUInt16BE(sequence, 6);
  packet.writeUInt16BE(checksum(packet), 2);
  return packet;
}

/** struct sockaddr_in */
function socketAddress(ipv4: string): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.set(parseIpOf(AF_INET, ipv4), 4);
  return address;
}

/** The sequence number of an answer to us, or undefined when there is none yet. A raw socket hears everybody's. */
function readReply(fd: number, from: Buffer, id: number): number | undefined {
  const packet = Buffer.alloc(256);
  for (let reads = 0; reads < READS_MAX; reads += 1) {
    const length = trySystemCall('recv', fd, packet, packet.length, MSG_DONTWAIT);
    if (length < 0) return undefined;
    const header = (packet.readUInt8(0) & 0xf) * 4;
    if (length < header + 8 || !packet.subarray(12, 16).equals(from.subarray(4, 8))) continue;
    if (packet.readUInt8(header) === ECHO_REPLY && packet.readUInt16BE(header + 4) === id) {
      return packet.readUInt16BE(header + 6);
    }
  }
  return undefined;
}

let nextId = process.pid & 0xffff;

/** Resolves at the first answer; `SF-LINUX-NO-ANSWER` when the time is over, with the last error of sending. */
export async function ping(namespace: NamespaceName, ipv4: string, options: PingOptions): Promise<PingResult> {
  const doing = `ping ${ipv4} from ${namespace ?? 'the home namespace'}`;
  const address = socketAddress(ipv4);
  const fd = inNamespace(namespace, () =>
    systemCall(doing, 'socket', AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP),
  );
  nextId = (nextId + 1) & 0xffff;
  const id = nextId;
  const intervalMs = options.intervalMs ?? 10;
  const sentAt: number[] = [];
  let lastErrno = 0;
  try {
    const start = performance.now();
    for (let now = start; now - start < options.timeoutMs; now = performance.now()) {
      options.signal?.throwIfAborted();
      const last = sentAt.at(-1);
      if (last === undefined || now - last >= intervalMs) {
        const packet = echoRequest(id, sentAt.length & 0xffff);
        sentAt.push(performance.now());
        const sent = trySystemCall('sendto', fd, packet, packet.length, MSG_DONTWAIT, address, address.length);
        if (sent < 0) lastErrno = -sent;
      }
      const sequence = readReply(fd, address, id);
      if (sequence !== undefined && sentAt[sequence] !== undefined) {
        const end = performance.now();
        return { rttMs: end - sentAt[sequence], elapsedMs: end - start, sent: sentAt.length };
      }
      await (performance.now() - start < EAGER_MS ? nextTurn() : pause(1));
    }
  } finally {
    systemCall(doing, 'close', fd);
  }
  throw new SuperfluidityError('SF-LINUX-NO-ANSWER', {
    doing,
    reason: `no answer to ${sentAt.length} requests in ${options.timeoutMs} ms`,
    request: `ping ${ipv4}`,
    answer: lastErrno === 0 ? 'silence' : errnoName(lastErrno),
  });
}
