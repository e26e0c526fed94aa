/**
 * A streaming server: HTTP Live Streaming (RFC 8216) from a folder, over HTTP/1.1 with connections that stay open.
 *
 * When it is asked to finish, it drains: it still accepts and answers, but every answer says `Connection: close`, so
 * that clients open their next connection, which the network may lead elsewhere. A connection on which nothing was
 * asked during the grace is closed. It ends when no connection is left, or at the bound.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join } from 'node:path';

export interface VideoOptions {
  readonly mediaFolder: string;
  readonly port: number;
  readonly address?: string;
  /** Says who answers, in the header `x-served-by`. */
  readonly servedBy: string;
  /** How long a draining server waits for a request on a connection before it closes it. */
  readonly graceMs: number;
  /** How long it drains at most. */
  readonly drainMaxMs: number;
}

export interface VideoServer {
  readonly port: number;
  readonly connections: () => Promise<number>;
  /** Resolves when the last connection is closed. */
  drain(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpegts': 'video/mp2t',
  '': 'text/plain; charset=utf-8',
};
const FILES_MAX = 1000;
const FOLDER_BYTES_MAX = 64 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;
const DRAIN_LOOK_MS = 50;

interface Resource {
  readonly type: string;
  readonly content: Buffer;
}

/** The folder is read once: a request can name nothing that was not in it, and costs no disk access. */
function loadFolder(folder: string): ReadonlyMap<string, Resource> {
  const resources = new Map<string, Resource>();
  let bytes = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const file = join(folder, name);
    const type = TYPES[extname(name)];
    if (type === undefined || !statSync(file).isFile()) continue;
    const content = readFileSync(file);
    bytes += content.length;
    if (resources.size >= FILES_MAX || bytes > FOLDER_BYTES_MAX) throw new Error(`${folder} holds more than is served`);
    resources.set(`/${name}`, { type, content });
  }
  const page = resources.get('/index.html');
  if (page !== undefined) resources.set('/', page);
  return resources;
}

export async function startVideoServer(options: VideoOptions): Promise<VideoServer> {
  const resources = loadFolder(options.mediaFolder);
  /** Open connections on which nothing is being asked, and since when. */
  const idleSinceMs = new Map<Socket, number>();
  let draining = false;

  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('x-served-by', options.servedBy);
    if (draining) response.setHeader('connection', 'close');
    const { socket } = request;
    idleSinceMs.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idleSinceMs.set(socket, performance.now());
    });
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const resource = resources.get(path);
    if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else if (resource === undefined) response.writeHead(404, { 'content-length': 0 }).end();
    else {
      response.writeHead(200, {
        'content-type': resource.type,
        'content-length': resource.content.length,
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : resource.content);
    }
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, answer);
  server.on('connection', (socket: Socket) => {
    idleSinceMs.set(socket, performance.now());
    socket.once('close', () => idleSinceMs.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.address ?? '0.0.0.0', resolve);
  });
  const connections = () =>
    new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });

  const drain = async (): Promise<void> => {
    draining = true;
    const startedMs = performance.now();
    const elapsedMs = () => performance.now() - startedMs;
    // Not before the grace, even when no connection is open: one may be on its way.
    while (elapsedMs() < options.graceMs || (elapsedMs() < options.drainMaxMs && (await connections()) > 0)) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
      for (const [socket, sinceMs] of idleSinceMs) {
        if (performance.now() - Math.max(sinceMs, startedMs) >= options.graceMs) socket.destroy();
      }
    }
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };

  return { port: (server.address() as AddressInfo).port, connections, drain };
}
