/**
 * A streaming server: HTTP Live Streaming (RFC 8216) from a folder, over HTTP/1.1 with connections that stay open.
 *
 * When it is asked to finish, it drains: it still accepts and answers, but every answer says `Connection: close`, so
 * that clients open their next connection, which the network may lead elsewhere. A connection on which nothing was
 * asked during the grace is closed. It ends when no connection is left, or at the bound.
 */
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

/**
 * @typedef {object} VideoOptions
 * @property {string} mediaFolder
 * @property {number} port
 * @property {string} [address]
 * @property {string} servedBy Says who answers, in the header `x-served-by`.
 * @property {number} graceMs How long a draining server waits for a request on a connection before it closes it.
 * @property {number} drainMaxMs How long it drains at most.
 *
 * @typedef {object} VideoServer
 * @property {number} port
 * @property {() => Promise<number>} connections
 * @property {() => Promise<void>} drain Resolves when the last connection is closed.
 *
 * @typedef {object} Resource
 * @property {string} type
 * @property {Buffer} content
 */

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpegts': 'video/mp2t',
  '': 'text/plain; charset=utf-8',
};
const FILES_MAX = 1000;
const FOLDER_BYTES_MAX = 64 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;
const DRAIN_LOOK_MS = 50;

/**
 * The folder is read once: a request can name nothing that was not in it, and costs no disk access.
 *
 * @param {string} folder
 */
function loadFolder(folder) {
  /** @type {Map<string, Resource>} */
  const resources = new Map();
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

/**
 * @param {VideoOptions} options
 * @returns {Promise<VideoServer>}
 */
export async function startVideoServer(options) {
  const resources = loadFolder(options.mediaFolder);
  /**
   * Open connections on which nothing is being asked, and since when.
   *
   * @type {Map<import('node:net').Socket, number>}
   */
  const idleSinceMs = new Map();
  let draining = false;

  /** @type {import('node:http').RequestListener} */
  const answer = (request, response) => {
    response.setHeader('x-served-by', options.servedBy);
    if (draining) response.setHeader('connection', 'close');
    const { socket } = request;
    idleSinceMs.delete(socket);
    response.once('close', () => {
      if (!socket.destroyed) idleSinceMs.set(socket, performance.now());
    });
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
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
  server.on('connection', (socket) => {
    idleSinceMs.set(socket, performance.now());
    socket.once('close', () => idleSinceMs.delete(socket));
  });
  server.listen(options.port, options.address ?? '0.0.0.0');
  await once(server, 'listening');
  /** @returns {Promise<number>} */
  const connections = () =>
    new Promise((resolve, reject) => {
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });

  const drain = async () => {
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
    server.close();
    await once(server, 'close');
  };

  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : options.port, connections, drain };
}
