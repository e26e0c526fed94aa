import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { z } from 'zod';
import { loadOf, loadShape } from './load-shape.ts';
import { type Answer, offerLoad, type Send } from './open-loop.ts';
import { filled, parametersOf, type UseCaseKind } from './use-case.ts';

const shape = z.strictObject({
  ...loadShape,
  host: z.string().min(1).max(256).describe('{echo}: what sends datagrams back'),
  port: z.int().min(1).max(65_535),
  bytes: z.int().min(16).max(65_507).default(64).describe('Of a datagram without headers'),
});

/** Datagrams to what sends them back (RFC 862, or a network function that reflects). One that does not come back has failed. */
export const udp: UseCaseKind = (given, stopwatch) => {
  const { host, port, bytes, ...rest } = parametersOf('udp', shape, given);
  const { lengthMs, metrics } = loadOf(rest);
  return {
    metrics,
    lengthMs,
    scalable: true,
    async stress(service, signal, hooks) {
      const { load } = loadOf(rest, service.share);
      const address = filled(host, service);
      const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
      try {
        socket.connect(port, address);
        await once(socket, 'connect', { signal });
        return await offerLoad(echo(socket, bytes), {
          ...load,
          ...(hooks === undefined ? {} : { begun: hooks.begun }),
          stopwatch,
          signal,
        });
      } finally {
        socket.close();
      }
    },
  };
};

/** First in each datagram: what is somebody else's is not taken for an answer. */
const MARK = 0x53464c44;

function echo(socket: Socket, bytes: number): Send {
  const waiting = new Map<number, (answer: Answer) => void>();
  let last = 0;
  // A refused datagram (ICMP port unreachable) is one that does not come back.
  socket.on('error', () => {});
  socket.on('message', (message) => {
    if (message.length < 16 || message.readUInt32BE(0) !== MARK) return;
    waiting.get(Number(message.readBigUInt64BE(8)))?.({ ok: true, bytes: message.length });
  });
  return async (signal) => {
    const number = (last += 1);
    const message = Buffer.alloc(bytes);
    message.writeUInt32BE(MARK, 0);
    message.writeBigUInt64BE(BigInt(number), 8);
    try {
      return await new Promise<Answer>((resolve, reject) => {
        waiting.set(number, resolve);
        signal.addEventListener('abort', () => resolve({ ok: false, bytes: 0 }), { once: true });
        socket.send(message, (error) => error !== null && reject(error));
      });
    } finally {
      waiting.delete(number);
    }
  };
}
