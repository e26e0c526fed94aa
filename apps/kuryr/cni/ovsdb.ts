import { connect, type Socket } from 'node:net';
import { SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import './errors.ts';
import { LIMITS } from './limits.ts';

/** An operation of a transaction: RFC 7047, section 5.2. */
export type Operation = Readonly<Record<string, unknown>> & { readonly op: string };

const outcomeSchema = z.looseObject({
  error: z.string().nullish(),
  details: z.string().nullish(),
  rows: z.array(z.record(z.string(), z.unknown())).optional(),
});
export type Outcome = z.infer<typeof outcomeSchema>;

const messageSchema = z.looseObject({
  id: z.unknown().optional(),
  method: z.string().nullish(),
  params: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});

interface Asked {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * The database of Open vSwitch, over one connection that stays (RFC 7047): `ovs-vsctl` would cost the start of a process and a
 * copy of the whole database for each port.
 */
export class Ovsdb {
  readonly #path: string;
  readonly #asked = new Map<number, Asked>();
  #socket: Promise<Socket> | undefined;
  #next = 0;

  /** The path of its Unix socket. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Either all of it is done or nothing. Throws `SF-CNI-OVSDB`. */
  async transact(doing: string, operations: readonly Operation[], signal?: AbortSignal): Promise<readonly Outcome[]> {
    const refuse = (reason: string, cause?: unknown) =>
      new SuperfluidityError('SF-CNI-OVSDB', {
        doing,
        reason,
        request: JSON.stringify(operations).slice(0, 2_000),
        ...(cause === undefined ? {} : { cause }),
      });
    let result: unknown;
    try {
      result = await this.#ask('transact', ['Open_vSwitch', ...operations], signal);
    } catch (cause) {
      throw refuse(cause instanceof Error ? cause.message : String(cause), cause);
    }
    const parsed = z.array(outcomeSchema.nullable()).safeParse(result);
    if (!parsed.success) throw refuse('its answer cannot be read', parsed.error);
    const outcomes = parsed.data.map((outcome) => outcome ?? {});
    const failed = outcomes.find(({ error }) => typeof error === 'string');
    if (failed !== undefined) throw refuse(`${failed.error}${failed.details ? ` (${failed.details})` : ''}`);
    return outcomes;
  }

  async close(): Promise<void> {
    const socket = await this.#socket?.catch(() => undefined);
    this.#socket = undefined;
    socket?.destroy();
  }

  async #ask(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const limited = AbortSignal.any([AbortSignal.timeout(LIMITS.ovsdbMs), ...(signal === undefined ? [] : [signal])]);
    limited.throwIfAborted();
    this.#socket ??= this.#open();
    const socket = await this.#socket;
    // A signal that has fired tells nobody any more.
    limited.throwIfAborted();
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        // Its answer will find nobody.
        this.#asked.delete(id);
        reject(limited.reason instanceof Error ? limited.reason : new Error(String(limited.reason)));
      };
      const done = () => limited.removeEventListener('abort', onAbort);
      limited.addEventListener('abort', onAbort, { once: true });
      this.#asked.set(id, {
        resolve: (result) => (done(), resolve(result)),
        reject: (error) => (done(), reject(error)),
      });
      socket.write(JSON.stringify({ method, params, id }));
    });
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      const messages = new Messages();
      let isOver = false;
      const end = (error: Error) => {
        // An error is followed by the end: by then there may be another connection, with questions of its own.
        if (isOver) return;
        isOver = true;
        socket.destroy();
        this.#socket = undefined;
        const asked = [...this.#asked.values()];
        this.#asked.clear();
        for (const { reject: fail } of asked) fail(error);
        reject(error);
      };
      socket.on('connect', () => resolve(socket));
      socket.on('error', end);
      socket.on('close', () => end(new Error('the connection ended')));
      socket.on('data', (piece: Buffer) => {
        try {
          for (const text of messages.take(piece)) this.#receive(socket, messageSchema.parse(JSON.parse(text)));
        } catch (error) {
          end(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  #receive(socket: Socket, { id, method, params, result, error }: z.infer<typeof messageSchema>): void {
    // The server asks who says nothing whether it is there, and closes the connection of who does not answer.
    if (method === 'echo') return void socket.write(JSON.stringify({ id, result: params, error: null }));
    const asked = this.#asked.get(Number(id));
    if (asked === undefined) return;
    this.#asked.delete(Number(id));
    if (error === null || error === undefined) asked.resolve(result);
    else asked.reject(new Error(JSON.stringify(error).slice(0, 2_000)));
  }
}

const [QUOTE, ESCAPE, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

/** Objects that follow each other without anything between them. Each byte is looked at once. */
class Messages {
  #pieces: Buffer[] = [];
  #size = 0;
  #depth = 0;
  #isQuoted = false;
  #isEscaped = false;

  *take(piece: Buffer): Generator<string> {
    let from = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isQuoted) {
        if (byte === ESCAPE) this.#isEscaped = true;
        else if (byte === QUOTE) this.#isQuoted = false;
      } else if (byte === QUOTE) this.#isQuoted = true;
      else if (byte === OPEN) this.#depth += 1;
      else if (byte === CLOSE && (this.#depth -= 1) === 0) {
        yield Buffer.concat([...this.#pieces, piece.subarray(from, at + 1)]).toString('utf8');
        this.#pieces = [];
        this.#size = 0;
        from = at + 1;
      }
    }
    const rest = piece.subarray(from);
    this.#size += rest.length;
    if (this.#size > LIMITS.ovsdbAnswerBytes) throw new Error('a message of Open vSwitch is too large');
    this.#pieces.push(rest);
  }
}
