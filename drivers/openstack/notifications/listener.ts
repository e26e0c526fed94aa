import type { Logger } from '@superfluidity/core';
import { Connection, type Consumer } from 'rabbitmq-client';
import type { OpenstackConfig } from '../config.ts';
import { mayConcern, readNotification } from './envelope.ts';

/** Messages that wait for us at the broker: of more the oldest go, since one is enough to wake a look. */
const QUEUE_MAX = 1_000;
/** Sent to us before we have acknowledged others. */
const PREFETCH = 50;
const RETRY_LOW_MS = 500;
const RETRY_HIGH_MS = 30_000;
/** Without an answer for two of these a broker is gone. */
const HEARTBEAT_S = 20;
const CONNECT_MS = 10_000;
const CLOSE_MS = 2_000;
const KEYS = ['notifications.*', 'versioned_notifications.*'];

export interface ListenerParts {
  readonly site: string;
  readonly config: NonNullable<OpenstackConfig['notifications']>;
  /** Of the site: what is told of others is not listened to. */
  readonly project: () => Promise<string>;
  /** Something may have changed. */
  readonly wake: () => void;
  readonly log: Logger;
}

/**
 * Listens to what Nova, Neutron and Heat tell over RabbitMQ. A message wakes a look at the site, and decides nothing: one that is lost
 * is made up for by the next look, one that is forged costs a look. While the broker is gone the site is looked at as often as
 * without it, and the connection is tried again after growing pauses.
 */
export class NotificationListener {
  readonly #parts: ListenerParts;
  readonly #connection: Connection;
  readonly #consumers: readonly Consumer[];
  /** Exchanges from which messages come. */
  readonly #heard = new Set<string>();
  #reason = 'the broker has not answered yet';
  #lost = false;
  #project: string | undefined;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    const { config } = parts;
    this.#connection = new Connection({
      url: config.url.replace(/^rabbit:/, 'amqp:'),
      connectionName: `superfluidity ${parts.site}`,
      connectionTimeout: CONNECT_MS,
      heartbeat: HEARTBEAT_S,
      retryLow: RETRY_LOW_MS,
      retryHigh: RETRY_HIGH_MS,
    });
    this.#connection.on('error', (error: unknown) => {
      this.#heard.clear();
      this.#lose(error);
    });
    // An exchange that is not there takes its channel with it: each has one of its own.
    this.#consumers = config.exchanges.map((exchange) => this.#consume(exchange));
  }

  /** As it is now, for `site show`. */
  get state(): { readonly present: boolean; readonly note: string } {
    const missing = this.#parts.config.exchanges.filter((exchange) => !this.#heard.has(exchange));
    if (missing.length === 0) return { present: true, note: `of ${this.#parts.config.exchanges.join(', ')}` };
    const what = this.#heard.size === 0 ? 'none come' : `none come of ${missing.join(', ')}`;
    return { present: this.#heard.size > 0, note: `${what} (${this.#reason}): changes are seen by polling` };
  }

  async close(): Promise<void> {
    const closing = Promise.all(this.#consumers.map((consumer) => consumer.close())).then(() =>
      this.#connection.close(),
    );
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, CLOSE_MS)));
    await Promise.race([closing.catch(() => {}), patience]);
    clearTimeout(timer);
    this.#connection.unsafeDestroy();
  }

  #consume(exchange: string): Consumer {
    const consumer = this.#connection.createConsumer(
      {
        // Without a name of its own the broker gives one, so that nobody takes messages from the queues of others.
        queue: '',
        queueOptions: {
          exclusive: true,
          autoDelete: true,
          arguments: { 'x-max-length': QUEUE_MAX, 'x-overflow': 'drop-head' },
        },
        exchanges: [{ exchange, type: 'topic', passive: true }],
        queueBindings: KEYS.map((routingKey) => ({ exchange, routingKey })),
        qos: { prefetchCount: PREFETCH },
        concurrency: PREFETCH,
        requeue: false,
      },
      async ({ body }) => this.#hear(body),
    );
    consumer.on('ready', () => {
      this.#heard.add(exchange);
      const { log, site, wake } = this.#parts;
      if (this.#lost && this.#heard.size === this.#parts.config.exchanges.length) {
        this.#lost = false;
        log.info({ site }, 'notifications of the cloud come again');
      }
      // What was told meanwhile is not told again.
      wake();
    });
    consumer.on('error', (error: unknown) => {
      this.#heard.delete(exchange);
      this.#lose(error);
    });
    return consumer;
  }

  async #hear(body: unknown): Promise<void> {
    const told = readNotification(body);
    if (told === undefined) return;
    // Until it is known whose site it is, everything may concern it.
    this.#project ??= await this.#parts.project().catch(() => undefined);
    if (this.#project === undefined || mayConcern(told, this.#project)) this.#parts.wake();
  }

  /** Said once, until they come again. */
  #lose(error: unknown): void {
    this.#reason = error instanceof Error ? error.message : String(error);
    if (this.#lost) return;
    this.#lost = true;
    const { log, site } = this.#parts;
    log.warn({ site, reason: this.#reason }, 'no notifications of the cloud: changes are seen by polling');
  }
}
