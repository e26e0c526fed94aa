import {
  TERMINAL_COMMAND_WORDS,
  TERMINAL_MESSAGE_BYTES,
  TERMINAL_WINDOW_BYTES,
  type TerminalNews,
  type TerminalRequest,
  terminalRequest,
} from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { OpenTerminal } from '@superfluidity/lifecycle';
import type { TerminalEnd, TerminalWish } from '@superfluidity/site';
import type { RawData, WebSocket } from 'ws';
import { problemOf } from './problem.ts';

export interface SessionLimits {
  readonly openMs: number;
  readonly idleMs: number;
  readonly longestMs: number;
  readonly pingMs: number;
  readonly recheckMs: number;
  readonly closeMs: number;
}

export interface SessionOptions {
  readonly limits: SessionLimits;
  /** Fires when the server goes down. */
  readonly closing: AbortSignal;
  readonly open: (wish: TerminalWish, signal: AbortSignal) => Promise<OpenTerminal>;
  /** Whether whoever opened it still may. */
  readonly stillAllowed: () => Promise<boolean>;
  readonly onOpened: (opened: OpenTerminal, wish: TerminalWish) => void;
}

type Opening = Extract<TerminalRequest, { type: 'open' }>;

/** WebSocket close codes (RFC 6455, section 7.4.1). */
const NORMAL = 1000;
const GOING_AWAY = 1001;

/**
 * One terminal over one connection, to its end. What the reader has not taken is bounded by the window of the protocol;
 * what was typed and not taken by the unit keeps the connection from being read on. Never rejects.
 */
export async function runSession(
  socket: WebSocket,
  options: SessionOptions,
): Promise<TerminalEnd | { error: unknown }> {
  const { limits, closing } = options;
  const over = new AbortController();
  let why: string | undefined;
  const end = (reason: string) => {
    why ??= reason;
    over.abort();
  };
  const opening = Promise.withResolvers<Opening>();
  const window = new Window();
  let opened: OpenTerminal | undefined;
  let idle: NodeJS.Timeout | undefined;
  const touch = () => {
    clearTimeout(idle);
    idle = setTimeout(() => end(`no key was pressed for ${Math.round(limits.idleMs / 60_000)} minutes`), limits.idleMs);
  };

  socket.on('error', () => end('the connection broke'));
  socket.on('close', () => end('the connection was closed'));
  socket.on('message', (data: RawData, binary: boolean) => {
    void receive(data as Buffer, binary).catch((error: unknown) => {
      opening.reject(error);
      end(problemOf(error).detail);
    });
  });
  const receive = async (data: Buffer, binary: boolean): Promise<void> => {
    if (binary) {
      if (opened === undefined) throw wrong('it says `open` first');
      touch();
      socket.pause();
      await opened.terminal.write(data);
      return socket.resume();
    }
    const request = requestOf(data);
    if (request.type === 'open') opening.resolve(request);
    else if (request.type === 'taken') window.taken(request.bytes);
    else opened?.terminal.resize(request);
  };

  const timers = [
    setTimeout(() => opening.reject(wrong(`nothing was said within ${limits.openMs} ms`)), limits.openMs),
    setTimeout(() => end('it was open for too long'), limits.longestMs),
    keepAlive(socket, limits.pingMs, () => end('nobody answers at the other end')),
    setInterval(() => {
      options.stillAllowed().then(
        (allowed) => allowed || end('who opened it may not any more'),
        () => end('nobody knows whether it may still be open'),
      );
    }, limits.recheckMs),
  ];
  const onClosing = () => end('the server is being stopped');
  closing.addEventListener('abort', onClosing, { once: true });
  over.signal.addEventListener('abort', () => {
    opening.reject(wrong(why ?? 'it was closed'));
    window.close();
    void opened?.terminal.close();
  });
  if (closing.aborted) onClosing();
  try {
    const { type: _type, command, ...size } = await opening.promise;
    const wish = { ...size, ...(command === undefined ? {} : { command }) };
    opened = await options.open(wish, over.signal);
    options.onOpened(opened, wish);
    tell(socket, { type: 'opened', kind: opened.offer.kind, resizes: opened.offer.resizes });
    touch();
    for await (const piece of opened.terminal.output) {
      for (let at = 0; at < piece.length; at += TERMINAL_MESSAGE_BYTES) {
        const part = piece.subarray(at, at + TERMINAL_MESSAGE_BYTES);
        await window.room(part.length);
        if (socket.readyState === socket.OPEN) socket.send(part);
      }
    }
    const ended = await opened.terminal.ended;
    const told = why === undefined ? ended : { reason: why };
    tell(socket, { type: 'ended', ...told });
    return told;
  } catch (error) {
    tell(socket, { type: 'refused', error: problemOf(error).error });
    return { error };
  } finally {
    for (const timer of timers) clearInterval(timer);
    clearTimeout(idle);
    closing.removeEventListener('abort', onClosing);
    over.abort();
    await opened?.terminal.close();
    socket.close(closing.aborted ? GOING_AWAY : NORMAL);
    setTimeout(() => socket.terminate(), limits.closeMs).unref();
  }
}

/** Bytes that are on the way. */
class Window {
  #out = 0;
  #closed = false;
  #wake: () => void = () => {};

  taken(bytes: number): void {
    this.#out = Math.max(0, this.#out - bytes);
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async room(bytes: number): Promise<void> {
    while (!this.#closed && this.#out + bytes > TERMINAL_WINDOW_BYTES) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#out += bytes;
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

function requestOf(data: Buffer): TerminalRequest {
  let json: unknown;
  try {
    json = JSON.parse(data.toString('utf8'));
  } catch {
    throw wrong('a text message is not JSON');
  }
  const { success, data: request } = terminalRequest.safeParse(json);
  if (!success) throw wrong('a text message is none of `open`, `resize` and `taken`');
  if (request.type === 'open' && (request.command?.length ?? 0) > TERMINAL_COMMAND_WORDS) {
    throw wrong(`a command has ${TERMINAL_COMMAND_WORDS} words at most`);
  }
  return request;
}

function wrong(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SERVER-REQUEST', { doing: 'open a terminal', reason });
}

function tell(socket: WebSocket, news: TerminalNews): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(news));
}
