import { TERMINAL_MESSAGE_BYTES, TERMINAL_WINDOW_BYTES, type TerminalNews } from '@superfluidity/api';
import type { OpenTerminal } from '@superfluidity/lifecycle';
import type { TerminalEnd, TerminalSize } from '@superfluidity/site';
import type { RawData, WebSocket } from 'ws';
import { problemOf } from './problem.ts';
import { type Opening, requestOf, wrong } from './terminal-requests.ts';

export interface SessionLimits {
  readonly openMs: number;
  readonly idleMs: number;
  readonly longestMs: number;
  readonly pingMs: number;
  readonly recheckMs: number;
  readonly closeMs: number;
  /** How long a terminal whose connection was lost waits to be joined anew. */
  readonly keepMs: number;
  /** What is shown again then. */
  readonly replayBytes: number;
}

export interface SessionOptions {
  readonly limits: SessionLimits;
  /** Fires when the server goes down. */
  readonly closing: AbortSignal;
  /** By which it can be joined anew. */
  readonly secret: string;
  /** Whether whoever opened it still may. */
  readonly stillAllowed: () => Promise<boolean>;
}

/** WebSocket close codes (RFC 6455, section 7.4.1). */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const ABNORMAL = 1006;

/** Who sees the terminal now. */
interface Line {
  readonly socket: WebSocket;
  readonly window: Window;
  readonly ping: NodeJS.Timeout;
}

/**
 * One terminal to its end. What the reader has not taken is bounded by the window of the protocol; what was typed and not
 * taken by the unit keeps the connection from being read on. A connection that is lost, by the network or by a page that is
 * loaded anew, may be followed by another; meanwhile the terminal goes on until nobody takes what it shows.
 */
export class TerminalSession {
  readonly #opened: OpenTerminal;
  readonly #options: SessionOptions;
  readonly #over = new AbortController();
  readonly #replay: Replay;
  #why: string | undefined;
  #line: Line | undefined;
  #hasJoined = false;
  #joined = Promise.withResolvers<void>();
  #idle: NodeJS.Timeout | undefined;
  #kept: NodeJS.Timeout | undefined;

  constructor(opened: OpenTerminal, options: SessionOptions) {
    this.#opened = opened;
    this.#options = options;
    this.#replay = new Replay(options.limits.replayBytes);
  }

  /** Whether nobody sees it now. */
  get isParked(): boolean {
    return this.#line === undefined;
  }

  /** Never rejects. */
  async run(socket: WebSocket, opening: Opening): Promise<TerminalEnd | { error: unknown }> {
    const { limits, closing, stillAllowed } = this.#options;
    const timers = [
      setTimeout(() => this.#end('it was open for too long'), limits.longestMs),
      setInterval(() => {
        stillAllowed().then(
          (allowed) => allowed || this.#end('who opened it may not any more'),
          () => this.#end('nobody knows whether it may still be open'),
        );
      }, limits.recheckMs),
    ];
    const onClosing = () => this.#end('the server is being stopped');
    closing.addEventListener('abort', onClosing, { once: true });
    if (closing.aborted) onClosing();
    try {
      this.join(socket, opening);
      for await (const piece of this.#opened.terminal.output) {
        for (let at = 0; at < piece.length; at += TERMINAL_MESSAGE_BYTES) {
          await this.#show(piece.subarray(at, at + TERMINAL_MESSAGE_BYTES));
        }
      }
      const ended = await this.#opened.terminal.ended;
      const told = this.#why === undefined ? ended : { reason: this.#why };
      if (this.#line !== undefined) tell(this.#line.socket, { type: 'ended', ...told });
      return told;
    } catch (error) {
      if (this.#line !== undefined) tell(this.#line.socket, { type: 'refused', error: problemOf(error).error });
      return { error };
    } finally {
      for (const timer of timers) clearInterval(timer);
      closing.removeEventListener('abort', onClosing);
      this.#end('it is over');
      clearTimeout(this.#kept);
      await this.#opened.terminal.close();
      this.#leave(closing.aborted ? GOING_AWAY : NORMAL);
    }
  }

  /** Whoever joins sees what was seen last; who was there before is told. */
  join(socket: WebSocket, size: TerminalSize): void {
    const { limits, secret } = this.#options;
    const { terminal, offer } = this.#opened;
    if (this.#line !== undefined) {
      tell(this.#line.socket, { type: 'ended', reason: 'it was joined anew from elsewhere' });
      this.#leave(NORMAL);
    }
    clearTimeout(this.#kept);
    const window = new Window();
    const isJoined = () => this.#line?.socket === socket;
    socket.on('error', () => isJoined() && this.#end('the connection broke'));
    socket.on('close', (code) => {
      if (!isJoined()) return;
      if (code !== GOING_AWAY && code !== ABNORMAL) return this.#end('the connection was closed');
      this.#leave(NORMAL);
      this.#joined = Promise.withResolvers<void>();
      clearTimeout(this.#idle);
      this.#kept = setTimeout(() => this.#end('the connection was lost'), limits.keepMs);
    });
    socket.removeAllListeners('message');
    socket.on('message', (data: RawData, binary: boolean) => {
      void this.#receive(socket, window, data as Buffer, binary).catch((error: unknown) => {
        if (isJoined()) this.#end(problemOf(error).detail);
      });
    });
    tell(socket, { type: 'opened', kind: offer.kind, resizes: offer.resizes, rejoin: secret });
    for (const piece of this.#replay.pieces) {
      window.sent(piece.length);
      socket.send(piece);
    }
    const ping = keepAlive(socket, limits.pingMs, () => socket.terminate());
    if (this.#hasJoined) terminal.resize(size);
    this.#hasJoined = true;
    this.#line = { socket, window, ping };
    this.#touch();
    this.#joined.resolve();
  }

  async #receive(socket: WebSocket, window: Window, data: Buffer, binary: boolean): Promise<void> {
    const { terminal } = this.#opened;
    if (binary) {
      this.#touch();
      socket.pause();
      await terminal.write(data);
      return socket.resume();
    }
    const request = requestOf(data);
    if (request.type === 'taken') window.taken(request.bytes);
    else if (request.type === 'resize') terminal.resize(request);
    else throw wrong('it is open already');
  }

  /** To whoever is there, or comes. */
  async #show(part: Uint8Array): Promise<void> {
    while (!this.#over.signal.aborted) {
      const line = this.#line;
      if (line === undefined) {
        await this.#joined.promise;
        continue;
      }
      if (!(await line.window.room(part.length)) || this.#line !== line) continue;
      line.window.sent(part.length);
      this.#replay.add(part);
      if (line.socket.readyState === line.socket.OPEN) line.socket.send(part);
      return;
    }
  }

  #touch(): void {
    const { idleMs } = this.#options.limits;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(`no key was pressed for ${Math.round(idleMs / 60_000)} minutes`), idleMs);
  }

  #end(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#why ??= reason;
    this.#over.abort();
    clearTimeout(this.#idle);
    this.#line?.window.close();
    this.#joined.resolve();
    void this.#opened.terminal.close();
  }

  #leave(code: number): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    clearInterval(line.ping);
    line.window.close();
    line.socket.close(code);
    setTimeout(() => line.socket.terminate(), this.#options.limits.closeMs).unref();
  }
}

/** What was shown last, from the beginning of a line. */
class Replay {
  readonly pieces: Uint8Array[] = [];
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(piece: Uint8Array): void {
    this.pieces.push(piece);
    this.#bytes += piece.length;
    while (this.#bytes > this.#bytesMax) {
      const first = this.pieces.shift()!;
      this.#bytes -= first.length;
      const newline = first.indexOf(0x0a, Math.max(0, first.length - (this.#bytesMax - this.#bytes)));
      if (this.#bytes > this.#bytesMax || newline === -1) continue;
      // A copy: the rest of a large piece need not be kept.
      const rest = first.slice(newline + 1);
      this.pieces.unshift(rest);
      this.#bytes += rest.length;
    }
  }
}

/** Bytes that are on the way. */
class Window {
  #out = 0;
  #closed = false;
  #wake: () => void = () => {};

  sent(bytes: number): void {
    this.#out += bytes;
  }

  taken(bytes: number): void {
    this.#out = Math.max(0, this.#out - bytes);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  /** Resolves when there is room; false: it was closed. */
  async room(bytes: number): Promise<boolean> {
    while (!this.#closed && this.#out + bytes > TERMINAL_WINDOW_BYTES) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return !this.#closed;
  }
}

function keepAlive(socket: WebSocket, everyMs: number, gone: () => void): NodeJS.Timeout {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  return setInterval(() => {
    // Nothing is read while the unit takes nothing: then there can be no answer.
    if (!answered && !socket.isPaused) return gone();
    answered = socket.isPaused;
    socket.ping();
  }, everyMs);
}

/** Why it was not opened. */
export function refuseOver(socket: WebSocket, error: unknown, closeMs: number): void {
  tell(socket, { type: 'refused', error: problemOf(error).error });
  socket.close(NORMAL);
  setTimeout(() => socket.terminate(), closeMs).unref();
}

function tell(socket: WebSocket, news: TerminalNews): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(news));
}
