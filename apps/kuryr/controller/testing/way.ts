import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Transform } from 'node:stream';

interface Place {
  readonly host: string;
  readonly port: number;
}

/** A way to a server that can be cut, so that both sides are as they were and what lies between is not; or be made long. */
export class Way {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #isCut = false;
  #delayMs = 0;

  static async open(to: Place): Promise<Way> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Way(server, to);
  }

  private constructor(server: Server, to: Place) {
    this.#server = server;
    server.on('connection', (near) => {
      if (this.#isCut) return void near.destroy();
      const far = connect(to);
      this.#join(near, far, () => this.#delayMs);
      this.#join(far, near, () => 0);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#open) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** What is sent from now on comes so much later. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()));
  }

  #join(one: Socket, other: Socket, delayMs: () => number): void {
    this.#open.add(one);
    one.on('error', () => other.destroy());
    one.on('close', () => {
      this.#open.delete(one);
      other.destroy();
    });
    const later = new Transform({
      transform: (chunk: Buffer, _, done) => {
        const ms = delayMs();
        if (ms === 0) return done(null, chunk);
        void pause(ms).then(() => done(null, chunk));
      },
    });
    one.pipe(later).pipe(other);
  }
}
