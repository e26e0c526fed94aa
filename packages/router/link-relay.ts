import { setPriority } from 'node:os';
import { parseArgs } from 'node:util';
import {
  AF_INET,
  MSG_DONTWAIT,
  parseIpOf,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOL_SOCKET,
  systemCall,
  trySystemCall,
} from '@superfluidity/netlink';
import { type LinkShape, ShapedQueue } from './link-shape.ts';

/**
 * The wire between two sites where the kernel has no netem: a program that stands between the two ends of a tunnel and
 * passes UDP packets on later. It needs nobody: it lives until it is killed.
 *
 *   node link-relay.ts --a-listen 10.0.0.1:4789 --a-remote 10.0.0.2:4789 --b-listen 10.0.1.1:4789
 *     --b-remote 10.0.1.2:4789 --delay-ms 10 [--jitter-ms 1] [--loss 0.001] [--rate-mbps 100]
 *
 * It waits in ppoll(2) instead of in Node's event loop, whose timers are a thousand times coarser.
 */

const RECEIVE_BUFFER_BYTES = 4 << 20;
const PACKET_BYTES_MAX = 65_536;
const POLLIN = 1;
/** Packets taken from a socket before the queues are looked at again. */
const BURST = 64;

interface Side {
  readonly fd: number;
  readonly remote: Buffer;
}

/** struct sockaddr_in of `ADDRESS:PORT` */
function socketAddress(text: string): Buffer {
  const at = text.lastIndexOf(':');
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(Number(text.slice(at + 1)), 2);
  address.set(parseIpOf(AF_INET, text.slice(0, at)), 4);
  return address;
}

function openSide(listen: string, remote: string): Side {
  const doing = `listen on ${listen}`;
  const fd = systemCall(doing, 'socket', AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const size = Buffer.alloc(4);
  size.writeInt32LE(RECEIVE_BUFFER_BYTES);
  systemCall(doing, 'setsockopt', fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4);
  const address = socketAddress(listen);
  systemCall(doing, 'bind', fd, address, address.length);
  return { fd, remote: socketAddress(remote) };
}

const buffer = Buffer.alloc(PACKET_BYTES_MAX);

function receiveInto(queue: ShapedQueue, side: Side): void {
  for (let count = 0; count < BURST; count += 1) {
    const length = trySystemCall('recv', side.fd, buffer, buffer.length, MSG_DONTWAIT);
    if (length < 0) return;
    queue.enter(Buffer.from(buffer.subarray(0, length)), performance.now());
  }
}

/** A full send buffer or an unreachable end loses the packet, as a wire would. */
function sendDue(queue: ShapedQueue, side: Side): void {
  for (let packet = queue.leave(performance.now()); packet !== undefined; packet = queue.leave(performance.now())) {
    trySystemCall('sendto', side.fd, packet, packet.length, MSG_DONTWAIT, side.remote, side.remote.length);
  }
}

function waitFor(fds: Buffer, dueMs: number | undefined): void {
  if (dueMs === undefined) {
    trySystemCall('ppoll', fds, 2, null, null);
    return;
  }
  const waitNs = Math.max(0, Math.round((dueMs - performance.now()) * 1e6));
  const timeout = Buffer.alloc(16);
  timeout.writeBigInt64LE(BigInt(Math.floor(waitNs / 1e9)), 0);
  timeout.writeBigInt64LE(BigInt(waitNs % 1e9), 8);
  trySystemCall('ppoll', fds, 2, timeout, null);
}

function relay(a: Side, b: Side, shape: LinkShape): never {
  const toB = new ShapedQueue(shape, Math.random);
  const toA = new ShapedQueue(shape, Math.random);
  const fds = Buffer.alloc(16);
  for (const [i, side] of [a, b].entries()) {
    fds.writeInt32LE(side.fd, i * 8);
    fds.writeInt16LE(POLLIN, i * 8 + 4);
  }
  for (;;) {
    const due = Math.min(toB.nextDueMs ?? Infinity, toA.nextDueMs ?? Infinity);
    waitFor(fds, due === Infinity ? undefined : due);
    receiveInto(toB, a);
    receiveInto(toA, b);
    sendDue(toB, b);
    sendDue(toA, a);
  }
}

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    'a-listen': text,
    'a-remote': text,
    'b-listen': text,
    'b-remote': text,
    'delay-ms': text,
    'jitter-ms': text,
    loss: text,
    'rate-mbps': text,
  },
});

function needed(name: 'a-listen' | 'a-remote' | 'b-listen' | 'b-remote'): string {
  const value = values[name];
  if (value === undefined) throw new Error(`--${name} is missing`);
  return value;
}

const sideA = openSide(needed('a-listen'), needed('a-remote'));
const sideB = openSide(needed('b-listen'), needed('b-remote'));
// A wire does not wait for other programs. Without the right to say so, it is a less even one.
try {
  setPriority(-10);
} catch {}
process.stdout.write('ready\n');
relay(sideA, sideB, {
  delayMs: Number(values['delay-ms'] ?? 0),
  jitterMs: Number(values['jitter-ms'] ?? 0),
  loss: Number(values.loss ?? 0),
  ...(values['rate-mbps'] === undefined ? {} : { rateMbps: Number(values['rate-mbps']) }),
});
