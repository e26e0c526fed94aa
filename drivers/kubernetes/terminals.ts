import { newId, SuperfluidityError } from '@superfluidity/core';
import type {
  Terminal,
  TerminalEnd,
  TerminalOffer,
  TerminalSize,
  TerminalWish,
  UnitTerminals,
} from '@superfluidity/site';
import { LIMITS } from './config.ts';
import { CHANNELS, type ExecEnd, openExec, runInside, type Socket } from './exec.ts';
import { isDone, stateOf } from './record.ts';
import type { Found } from './workloads/find.ts';
import type { World } from './world.ts';

const SHELL = ['sh'] as const;
/** By which everything that was begun in a session is found: what it begins inherits it. */
const MARK = 'SUPERFLUIDITY_SESSION';
/** Kubelets leave a program alone when the connection to its terminal ends. */
const SWEEP = `for file in /proc/[0-9]*/environ; do
  if grep -q "${MARK}=$0" "$file"; then pid=\${file%/environ}; kill -KILL "\${pid#/proc/}"; fi
done 2>/dev/null`;

/** Sessions in units, by way of the API server and the kubelet. */
export class PodTerminals implements UnitTerminals {
  readonly #world: World;
  readonly #find: (id: string) => Promise<Found>;
  readonly #open = new Set<Terminal>();
  #opening = 0;

  constructor(world: World, find: (id: string) => Promise<Found>) {
    this.#world = world;
    this.#find = find;
  }

  async offer(id: string): Promise<TerminalOffer> {
    const { pod, record } = await this.#find(id);
    const state = pod === undefined || isDone(pod) ? 'without a pod that runs' : stateOf(pod, record.workload).state;
    if (state === 'running' || state === 'draining') return { kind: 'program', resizes: true, commands: true };
    return { absent: `the unit is ${state}` };
  }

  async open(id: string, wish: TerminalWish, signal: AbortSignal): Promise<Terminal> {
    const doing = `open a terminal in unit ${id}`;
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    const { pod } = await this.#find(id);
    const offer = await this.offer(id);
    if ('absent' in offer) throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason: offer.absent });
    if (pod === undefined) throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { doing, reason: 'its pod is gone' });
    if (this.#open.size + this.#opening >= LIMITS.sessions)
      throw new SuperfluidityError('SF-CORE-LIMIT', {
        doing,
        reason: `${LIMITS.sessions} terminals are open in the site`,
      });
    this.#opening += 1;
    try {
      const mark = newId('ses');
      const name = pod.metadata.name;
      const session = new Session(() => this.#sweep(name, mark));
      const marked = ['sh', '-c', `export ${MARK}=${mark}; exec "$@"`, 'sh', ...(wish.command ?? SHELL)];
      const asked = { pod: name, command: marked, tty: true, stdin: true, signal };
      const take = (channel: number, data: Buffer) => session.take(channel, data);
      session.begin(await openExec(this.#world, asked, take, (end) => session.tell(end)), wish);
      this.#open.add(session);
      const close = () => void session.close();
      signal.addEventListener('abort', close, { once: true });
      void session.ended.then(() => {
        signal.removeEventListener('abort', close);
        this.#open.delete(session);
      });
      if (signal.aborted) close();
      return session;
    } finally {
      this.#opening -= 1;
    }
  }

  async #sweep(pod: string, mark: string): Promise<void> {
    const signal = AbortSignal.timeout(LIMITS.sessionEndMs);
    // Where the unit has ended there is nothing to sweep.
    await runInside(this.#world, pod, ['sh', '-c', SWEEP, mark], signal).catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.close()));
  }
}

class Session implements Terminal {
  readonly output: AsyncIterable<Uint8Array>;
  readonly ended: Promise<TerminalEnd>;
  readonly #sweep: () => Promise<void>;
  #socket: Socket | undefined;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #isOver = false;
  #wake = () => {};
  #end: (end: TerminalEnd) => void = () => {};
  #last: TerminalEnd | undefined;

  constructor(sweep: () => Promise<void>) {
    this.#sweep = sweep;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.output = this.#read();
  }

  begin(socket: Socket, size: TerminalSize): void {
    this.#socket = socket;
    socket.addEventListener('close', () => this.#finish());
    socket.addEventListener('error', () => socket.terminate());
    if (this.#size > LIMITS.sessionBuffer) socket.pause();
    this.resize(size);
  }

  take(channel: number, data: Buffer): void {
    if (channel !== CHANNELS.stdout) return;
    this.#pieces.push(data);
    this.#size += data.length;
    if (this.#size > LIMITS.sessionBuffer) this.#socket?.pause();
    this.#wake();
  }

  /** The program has ended; the connection ends after that. */
  tell(end: ExecEnd): void {
    this.#last ??= end;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#send(CHANNELS.stdin, bytes);
  }

  resize({ columns, rows }: TerminalSize): void {
    void this.#send(CHANNELS.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  }

  async close(): Promise<void> {
    if (!this.#isOver) {
      this.#last ??= { reason: 'the session was closed' };
      this.#socket?.resume();
      this.#socket?.close();
      const late = setTimeout(() => this.#socket?.terminate(), LIMITS.sessionEndMs);
      await this.ended;
      clearTimeout(late);
    }
  }

  #send(channel: number, bytes: Uint8Array): Promise<void> {
    if (this.#isOver || this.#socket === undefined) return Promise.resolve();
    const socket = this.#socket;
    return new Promise((resolve) => socket.send(Buffer.concat([Buffer.of(channel), bytes]), () => resolve()));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#wake();
    const end = this.#last ?? { reason: 'the unit ended, or its node does not answer' };
    void this.#sweep().then(() => this.#end(end));
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#pieces.length > 0) {
        const piece = this.#pieces.shift()!;
        this.#size -= piece.length;
        if (this.#size <= LIMITS.sessionBuffer / 2) this.#socket?.resume();
        yield piece;
      }
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
