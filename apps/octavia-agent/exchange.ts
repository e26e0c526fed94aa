import { connect, createServer, type Server, type Socket } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import { LIMITS } from './limits.ts';

/** Messages of octavia-driver-agent, and of our provider: "<length>\n<json>", one each way. */
export async function exchange(path: string, message: unknown): Promise<unknown> {
  const socket = connect(path);
  socket.setTimeout(LIMITS.exchangeMs, () => socket.destroy(new Error('no answer')));
  try {
    socket.write(framed(message));
    return await read(socket);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-OCTAVIA-SOCKET', { doing: `report to ${path}`, reason, cause });
  } finally {
    socket.destroy();
  }
}

/** `answer` gets each message that comes, and gives what is sent back. */
export function serve(answer: (message: unknown) => Promise<unknown>): Server {
  const server = createServer((socket) => {
    socket.setTimeout(LIMITS.exchangeMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    void read(socket)
      .then(answer)
      .then((reply) => socket.end(framed(reply)))
      .catch(() => socket.destroy());
  });
  server.maxConnections = LIMITS.connections;
  return server;
}

function framed(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`${body.length}\n`), body]);
}

function read(socket: Socket): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let wanted: number | undefined;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (wanted === undefined) {
        const all = Buffer.concat(chunks);
        const end = all.indexOf(0x0a);
        if (end === -1 ? size > 16 : !/^\d{1,9}$/.test(all.toString('latin1', 0, end)))
          return reject(new Error('a message begins with its length'));
        if (end === -1) return;
        wanted = Number(all.toString('latin1', 0, end));
        if (wanted > LIMITS.messageBytes) return reject(new Error(`a message of ${wanted} bytes`));
        chunks = [all.subarray(end + 1)];
        size = all.length - end - 1;
      }
      if (size < wanted) return;
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8', 0, wanted)));
      } catch (error) {
        reject(error);
      }
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection ended within a message')));
  });
}
