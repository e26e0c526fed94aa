import pg from 'pg';
import type { BackendOptions, NotificationHandler } from './backend.ts';
import { Channels } from './channels.ts';
import { toStoreError } from './errors.ts';
import { limits } from './limits.ts';

/**
 * LISTEN needs a connection of its own that stays. When it breaks it is made again, and every handler is told that
 * something may have been missed meanwhile.
 */
export class ServerNotifications {
  readonly #config: pg.ClientConfig;
  readonly #options: BackendOptions;
  readonly #channels: Channels;
  readonly #closed = new AbortController();
  #client: Promise<pg.Client> | undefined;

  constructor(config: pg.ClientConfig, options: BackendOptions) {
    this.#config = config;
    this.#options = options;
    this.#channels = new Channels((error) =>
      options.log.error({ error: String(error) }, 'notification handler failed'),
    );
  }

  async listen(channel: string, handler: NotificationHandler): Promise<() => Promise<void>> {
    const first = this.#channels.add(channel, handler);
    try {
      // A new connection listens to all channels; one that is there has to be told of the new one.
      const isNew = this.#client === undefined;
      const client = await (this.#client ??= this.#connect());
      if (first && !isNew) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      this.#channels.remove(channel, handler);
      throw toStoreError(error, `listen for notifications on ${channel}`);
    }
    return async () => {
      if (!this.#channels.remove(channel, handler) || this.#closed.signal.aborted) return;
      const client = await this.#client?.catch(() => undefined);
      await client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {});
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config);
    client.on('notification', ({ channel, payload }) => this.#channels.tell(channel, payload ?? ''));
    client.on('error', (error) => this.#options.log.warn({ error: error.message }, 'notification connection failed'));
    client.on('end', () => void this.#reconnect(client));
    try {
      await client.connect();
      for (const channel of this.#channels.names) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
    connected.add(client);
    return client;
  }

  /** Until it succeeds or the store is closed: the server decides how long it is away. */
  async #reconnect(broken: pg.Client): Promise<void> {
    if (!connected.delete(broken)) return;
    while (!this.#closed.signal.aborted) {
      try {
        this.#client = this.#connect();
        await this.#client;
        this.#channels.tellAll();
        return;
      } catch {
        await this.#options.clock.sleep(limits.listenRetryMs, this.#closed.signal).catch(() => {});
      }
    }
  }
}

/** Clients whose end is a breakage to repair; one that never connected is its caller's failure. */
const connected = new WeakSet<pg.Client>();
