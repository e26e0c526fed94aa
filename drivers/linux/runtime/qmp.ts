import { createConnection, type Socket } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';

/** The control channel of QEMU: JSON lines over a Unix socket (QEMU Machine Protocol specification). */

export type QmpEvent = { readonly event: string; readonly data?: Readonly<Record<string, unknown>> };

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const TIMEOUT_MS = 5000;
const LINE_BYTES_MAX = 4 << 20;

function failure(doing: string, reason: string, request: string, answer?: string): SuperfluidityError {
  return new SuperfluidityError('SF-LINUX-VM', { doing, reason, request, ...(answer === undefined ? {} : { answer }) });
}

export class QmpClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (event: QmpEvent) => void;
  #greeted: (() => void) | undefined;
  #nextId = 0;
  #text = '';

  private constructor(socket: Socket, onEvent: (event: QmpEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#read(chunk));
    socket.on('close', () => this.#fail('the connection was closed'));
    socket.on('error', (error) => this.#fail(error.message));
  }

  /** Connects, waits for the greeting and leaves the negotiation mode. */
  static async connect(path: string, onEvent: (event: QmpEvent) => void = () => {}): Promise<QmpClient> {
    const socket = createConnection(path);
    const client = new QmpClient(socket, onEvent);
    await new Promise<void>((resolve, reject) => {
      const fail = (reason: string) => {
        clearTimeout(timer);
        socket.destroy();
        reject(failure(`connect to ${path}`, reason, `connect ${path}`));
      };
      const timer = setTimeout(() => fail(`no greeting within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
      socket.once('error', (error) => fail(error.message));
      client.#greeted = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await client.execute('qmp_capabilities');
    return client;
  }

  #fail(reason: string): void {
    for (const { command, reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(failure(`tell QEMU to ${command}`, reason, command));
    }
    this.#pending.clear();
  }

  #read(chunk: string): void {
    this.#text += chunk;
    if (this.#text.length > LINE_BYTES_MAX) {
      this.#socket.destroy();
      return;
    }
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#handle(JSON.parse(line) as Record<string, unknown>);
  }

  #handle(message: Record<string, unknown>): void {
    if ('QMP' in message) return this.#greeted?.();
    if (typeof message['event'] === 'string') return this.#onEvent(message as unknown as QmpEvent);
    const pending = this.#pending.get(Number(message['id']));
    if (pending === undefined) return;
    this.#pending.delete(Number(message['id']));
    clearTimeout(pending.timer);
    if (!('error' in message)) return pending.resolve(message['return']);
    const { desc } = message['error'] as { desc?: string };
    pending.reject(
      failure(`tell QEMU to ${pending.command}`, desc ?? 'refused', pending.command, JSON.stringify(message['error'])),
    );
  }

  execute(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    this.#nextId += 1;
    const id = this.#nextId;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(failure(`tell QEMU to ${command}`, `no answer within ${timeoutMs} ms`, command));
      }, timeoutMs);
      this.#pending.set(id, { command, resolve, reject, timer });
      this.#socket.write(
        `${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }), id })}\n`,
      );
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
