import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import type { Terminal, TerminalEnd } from '@superfluidity/site';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * The serial console of a virtual machine, through the socket that QEMU offers. It has room for one. What is shown there
 * also goes into the output of the unit, since that is what its console prints.
 */
export async function openSerial(doing: string, path: string): Promise<Terminal> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
  } catch (cause) {
    socket.destroy();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SuperfluidityError('SF-LINUX-VM', { doing, reason, request: `connect ${path}`, answer: reason, cause });
  }
  // The machine waits for somebody to press Enter before it shows a prompt.
  socket.write('\n');
  return new SerialTerminal(socket);
}

class SerialTerminal implements Terminal {
  readonly output: AsyncIterable<Uint8Array>;
  readonly ended: Promise<TerminalEnd>;
  readonly #socket: Socket;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => {
      socket.once('close', () => resolve({ reason: this.#closed ? 'it was closed' : 'the machine ended' }));
    });
    this.output = this.#read();
  }

  async *#read(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) yield chunk;
    } catch {
      // Closed by us, or by the end of the machine: `ended` says which.
    } finally {
      this.#socket.destroy();
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(bytes)) return;
    await Promise.race([once(this.#socket, 'drain').catch(() => {}), this.ended]);
  }

  /** A serial line does not tell how large a screen is. */
  resize(): void {}

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket.destroy();
    await this.ended;
  }
}
