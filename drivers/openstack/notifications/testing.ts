import { readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { skip } from '../testing.ts';

/** For tests of what RabbitMQ of the laboratory tells. */

function transportUrl(): URL | undefined {
  const folder = process.env['SUPERFLUIDITY_LAB'] ?? '/var/tmp/superfluidity-lab';
  try {
    const text = readFileSync(join(folder, 'openstack/etc/nova/nova.conf'), 'utf8');
    const url = /^transport_url\s*=\s*rabbit:(\S+)/m.exec(text)?.[1];
    return url === undefined ? undefined : new URL(`amqp:${url}`);
  } catch {
    return undefined;
  }
}
export const broker = transportUrl();
/** Why these tests are skipped. */
export const why =
  skip ?? (broker === undefined ? 'the cloud is none of `npm run lab`: its RabbitMQ is not known' : undefined);

/** Between the site and RabbitMQ, which goes on working for everybody else. */
export class Wire {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  async join(): Promise<void> {
    this.#server = createServer((near) => {
      const far = createConnection(Number(broker!.port), broker!.hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {}).on('close', () => to.destroy());
        from.pipe(to);
      }
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.#port, '127.0.0.1', resolve));
    const at = this.#server.address();
    if (at !== null && typeof at === 'object') this.#port = at.port;
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server!.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    await closed;
  }

  get url(): string {
    const url = new URL(broker!);
    url.host = `127.0.0.1:${this.#port}`;
    return url.href;
  }
}
