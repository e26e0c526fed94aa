import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { SuperfluidityError } from '@superfluidity/core';
import { characteriseLimits as limits } from '../errors.ts';
import type { Stopwatch } from './stopwatch.ts';

/** First in each datagram: what is somebody else's is not taken for an answer. */
const MARK = 0x53464c46;
const HEAD = 16;
/** Datagrams that are due are sent together; what comes back gets its turn between them. */
const BATCH = 64;

export interface Stream {
  /** When each was sent, in ms from the beginning. */
  readonly sentMs: Float64Array;
  /** When it came back; NaN: it did not. */
  readonly backMs: Float64Array;
}

export interface StreamStep {
  readonly rate: number;
  readonly durationMs: number;
}

/** Datagrams to somebody who sends them back, each with its times. One at a time per socket. */
export class DatagramStreams {
  readonly #socket: Socket;
  readonly #bytes: number;
  readonly #stopwatch: Stopwatch;
  #stream = 0;

  private constructor(socket: Socket, bytes: number, stopwatch: Stopwatch) {
    this.#socket = socket;
    this.#bytes = Math.max(HEAD, bytes);
    this.#stopwatch = stopwatch;
  }

  static async open(
    address: string,
    port: number,
    bytes: number,
    stopwatch: Stopwatch,
    signal: AbortSignal,
  ): Promise<DatagramStreams> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    // A refused datagram (ICMP port unreachable) is one that does not come back.
    socket.on('error', () => {});
    socket.connect(port, address);
    await once(socket, 'connect', { signal });
    return new DatagramStreams(socket, bytes, stopwatch);
  }

  close(): void {
    this.#socket.close();
  }

  /** Sends evenly within each step, whether anything comes back or not, and waits for what is still on its way. */
  async send(steps: readonly StreamStep[], residualMs: number, signal: AbortSignal): Promise<Stream> {
    const due = dueTimes(steps);
    const [sentMs, backMs] = [new Float64Array(due.length), new Float64Array(due.length).fill(Number.NaN)];
    this.#stream += 1;
    const stream = this.#stream;
    const startMs = this.#stopwatch.now();
    const onMessage = (message: Buffer) => {
      if (message.length < HEAD || message.readUInt32BE(0) !== MARK || message.readUInt32BE(4) !== stream) return;
      const number = Number(message.readBigUInt64BE(8));
      // A copy counts once.
      if (number < backMs.length && Number.isNaN(backMs[number]!)) backMs[number] = this.#stopwatch.now() - startMs;
    };
    this.#socket.on('message', onMessage);
    try {
      for (let i = 0; i < due.length; i += 1) {
        const waitMs = due[i]! - (this.#stopwatch.now() - startMs);
        if (waitMs > 0) await this.#stopwatch.sleep(waitMs, signal);
        else if (i % BATCH === 0) await this.#stopwatch.sleep(0, signal);
        const message = Buffer.alloc(this.#bytes);
        message.writeUInt32BE(MARK, 0);
        message.writeUInt32BE(stream, 4);
        message.writeBigUInt64BE(BigInt(i), 8);
        sentMs[i] = this.#stopwatch.now() - startMs;
        this.#socket.send(message, () => {});
      }
      const endMs = steps.reduce((sum, { durationMs }) => sum + durationMs, residualMs);
      await this.#stopwatch.sleep(Math.max(residualMs, endMs - (this.#stopwatch.now() - startMs)), signal);
    } finally {
      this.#socket.off('message', onMessage);
    }
    return { sentMs, backMs };
  }
}

function dueTimes(steps: readonly StreamStep[]): Float64Array {
  const counts = steps.map(({ rate, durationMs }) => Math.max(1, Math.round((rate * durationMs) / 1_000)));
  const count = counts.reduce((a, b) => a + b, 0);
  if (count > limits.datagrams) {
    throw new SuperfluidityError('SF-CHARACTERISE-LIMIT', {
      doing: 'send datagrams',
      reason: `${count} of them, at most ${limits.datagrams} in one stream`,
    });
  }
  const due = new Float64Array(count);
  let [at, fromMs] = [0, 0];
  for (const [i, { durationMs }] of steps.entries()) {
    for (let n = 0; n < counts[i]!; n += 1) due[at + n] = fromMs + (n * durationMs) / counts[i]!;
    at += counts[i]!;
    fromMs += durationMs;
  }
  return due;
}

export function lossOf({ backMs }: Stream): { readonly sent: number; readonly lost: number } {
  return { sent: backMs.length, lost: backMs.reduce((sum, at) => sum + (Number.isNaN(at) ? 1 : 0), 0) };
}

/** When the last one that did not come back had been sent. */
export function lastLostMs({ sentMs, backMs }: Stream): number | undefined {
  const last = backMs.findLastIndex((at) => Number.isNaN(at));
  return last < 0 ? undefined : sentMs[last]!;
}
