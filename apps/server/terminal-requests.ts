import { TERMINAL_COMMAND_WORDS, type TerminalRequest, terminalRequest } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { RawData, WebSocket } from 'ws';

export type Opening = Extract<TerminalRequest, { type: 'open' }>;

/** The first message of a connection. Sizes that follow before it is open do not count; keys are not taken. */
export function readOpening(socket: WebSocket, openMs: number, closing: AbortSignal): Promise<Opening> {
  return new Promise((resolve, reject) => {
    let isSaid = false;
    const timer = setTimeout(() => over(wrong(`nothing was said within ${openMs} ms`)), openMs);
    const onClosing = () => over(wrong('the server is being stopped'));
    const onClose = () => over(wrong('the connection was closed'));
    const over = (reason: Error | undefined, opening?: Opening) => {
      clearTimeout(timer);
      closing.removeEventListener('abort', onClosing);
      socket.off('close', onClose);
      if (opening === undefined) reject(reason!);
      else resolve(opening);
    };
    const onMessage = (data: RawData, binary: boolean) => {
      if (isSaid) {
        if (binary) socket.close(PROTOCOL_ERROR);
        return;
      }
      isSaid = true;
      try {
        const request = binary ? undefined : requestOf(data as Buffer);
        if (request?.type !== 'open') throw wrong('it says `open` first');
        over(undefined, request);
      } catch (error) {
        over(error as Error);
      }
    };
    closing.addEventListener('abort', onClosing, { once: true });
    // Without anybody who listens it would be nobody's mistake.
    socket.on('error', () => {});
    socket.on('close', onClose).on('message', onMessage);
    if (closing.aborted) onClosing();
  });
}

/** RFC 6455, section 7.4.1. */
const PROTOCOL_ERROR = 1002;

export function requestOf(data: Buffer): TerminalRequest {
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

export function wrong(reason: string): SuperfluidityError {
  return new SuperfluidityError('SF-SERVER-REQUEST', { doing: 'open a terminal', reason });
}
