import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { type Logger, reportError, SuperfluidityError } from '@superfluidity/core';
import { lockFile } from '@superfluidity/netlink';
import './errors.ts';
import { frameAnswer, parseFrame } from './frame.ts';
import { LIMITS } from './limits.ts';
import type { Metrics } from './metrics.ts';
import type { Plugin } from './plugin.ts';
import { errorResult } from './result.ts';
import { CniError, CODES, parseRequest, type Request, VERSIONS } from './specification.ts';

export interface ServerOptions {
  /** Only its owner may connect. */
  readonly path: string;
  readonly metrics: Pick<Metrics, 'asked' | 'answered'>;
  readonly log: Logger;
}

/** The socket to which the executable brings what the runtime asks: one request and one answer for each connection. */
export class CniServer {
  readonly #options: ServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #lock: Disposable | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Throws `SF-CNI-SOCKET` where another daemon has the socket. What one that was killed left of it stands for nothing. */
  lock(): void {
    const { path } = this.#options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#lock = lockFile(join(dirname(path), `.${basename(path)}.lock`));
    if (this.#lock !== undefined) return;
    throw new SuperfluidityError('SF-CNI-SOCKET', {
      doing: `listen on ${path}`,
      reason: 'another daemon listens there',
    });
  }

  /** Once it is locked. Throws `SF-CNI-SOCKET`. */
  async listen(plugin: Pick<Plugin, 'run'>): Promise<void> {
    const { path } = this.#options;
    rmSync(path, { force: true });
    const server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket, plugin));
    server.maxConnections = LIMITS.connections;
    this.#server = server;
    // Nobody else may connect even before the mode is set.
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
      chmodSync(path, 0o600);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-CNI-SOCKET', { doing: `listen on ${path}`, reason, cause });
    } finally {
      process.umask(mask);
    }
  }

  /** What is under way is not answered: the executable then says that it may be tried again. Also where it does not listen. */
  async close(): Promise<void> {
    const [server, lock] = [this.#server, this.#lock];
    this.#server = undefined;
    this.#lock = undefined;
    if (server !== undefined) {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    }
    lock?.[Symbol.dispose]();
  }

  async #serve(socket: Socket, plugin: Pick<Plugin, 'run'>): Promise<void> {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const bytes = await read(socket);
    if (bytes === undefined) return;
    socket.write(await this.#answer(bytes, plugin));
    // Also where there is more to read: nobody will.
    socket.destroySoon();
  }

  async #answer(bytes: Buffer | 'too large', plugin: Pick<Plugin, 'run'>): Promise<Buffer> {
    const { metrics, log } = this.#options;
    const began = performance.now();
    let version: string = '1.0.0';
    let request: Request | undefined;
    let code = 0;
    metrics.asked();
    try {
      if (bytes === 'too large') throw new CniError(CODES.configuration, 'the request is too large');
      const frame = parseFrame(bytes);
      if (frame === undefined) throw new CniError(CODES.decode, 'the request is none of the executable of Kuryr');
      version = versionIn(frame.input) ?? version;
      request = parseRequest(frame.variables, frame.input);
      const result = await plugin.run(request);
      return frameAnswer(result === undefined ? '' : `${JSON.stringify(result)}\n`, 0);
    } catch (error) {
      const refusal =
        error instanceof CniError ? error : new CniError(CODES.plug, 'a defect of the daemon', String(error), error);
      code = refusal.code;
      const { verb, container, pod } = request ?? {};
      log.warn({ verb, container, pod, code, error: reportError(error) }, 'a request of the runtime was refused');
      return frameAnswer(`${JSON.stringify(errorResult(refusal, version))}\n`, 1);
    } finally {
      metrics.answered(request?.verb ?? 'none', code, (performance.now() - began) / 1_000);
    }
  }
}

/** An error is told in the version that was asked for, where that can be read. */
function versionIn(input: string): string | undefined {
  const found = /"cniVersion"\s*:\s*"([0-9.]{1,16})"/.exec(input.slice(0, LIMITS.messageBytes))?.[1];
  return VERSIONS.find((one) => one === found);
}

/** Until the executable has said all. Undefined where it went, or took too long. */
function read(socket: Socket): Promise<Buffer | 'too large' | undefined> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const late = setTimeout(() => socket.destroy(), LIMITS.readMs);
    const end = (bytes: Buffer | 'too large' | undefined) => {
      clearTimeout(late);
      resolve(bytes);
    };
    socket.on('data', (piece: Buffer) => {
      size += piece.length;
      // A frame has variables beside what the executable takes from standard input.
      if (size > LIMITS.messageBytes * 2) {
        socket.pause();
        end('too large');
      } else pieces.push(piece);
    });
    socket.once('end', () => end(Buffer.concat(pieces)));
    socket.once('close', () => end(undefined));
  });
}
