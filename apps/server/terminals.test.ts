import { once } from 'node:events';
import {
  createClient,
  openTerminal,
  TERMINAL_PROTOCOL,
  TERMINAL_WINDOW_BYTES,
  TOKEN_PROTOCOL,
} from '@superfluidity/api';
import type { Principal, TerminalCall, Unit } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Terminals } from '@superfluidity/lifecycle';
import type { NewEvent } from '@superfluidity/observe';
import '@superfluidity/site';
import type { Terminal, TerminalEnd, TerminalSize, TerminalWish } from '@superfluidity/site';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type AppOptions, buildApp } from './app.ts';
import { limits as real } from './limits.ts';
import { terminalHandlers, type TerminalOptions } from './terminals.ts';
import { fakeHandlers } from './testing/fake-handlers.ts';

const principals = new Map<string, Principal>([
  ['boss-secret', { name: 'boss', role: 'admin' }],
  ['guest-secret', { name: 'guest', role: 'reader' }],
]);
const access = {
  authenticate: async (secret: string) => principals.get(secret),
  authenticateSession: async (secret: string) => principals.get(secret),
};
const unit = { id: 'unit-1', path: 'video/server', index: 0, site: 'edge' } as Unit;
const PIECE = 100_000;
const SECRET_WORDS = 'the-password-is-swordfish';

/** Repeats what is typed; `flood` makes it talk without end, `exit` ends it. */
class FakeTerminal implements Terminal {
  readonly wish: TerminalWish;
  readonly sizes: TerminalSize[] = [];
  readonly output = this.#read();
  taken = 0;
  closed = 0;
  readonly #ended = Promise.withResolvers<TerminalEnd>();
  readonly ended = this.#ended.promise;
  #pieces: Uint8Array[] = [];
  #flood = 0;
  #over = false;
  #wake = () => {};

  constructor(wish: TerminalWish) {
    this.wish = wish;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const text = new TextDecoder().decode(bytes);
    if (text === 'flood') this.#flood = 100;
    else if (text === 'exit') this.#finish({ exitCode: 7 });
    else this.#pieces.push(bytes);
    this.#wake();
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  async close(): Promise<void> {
    this.closed += 1;
    this.#finish({ reason: 'it was closed' });
  }

  #finish(end: TerminalEnd): void {
    this.#over = true;
    this.#ended.resolve(end);
    this.#wake();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield* this.#pieces.splice(0);
      for (; this.#flood > 0 && !this.#over; this.#flood -= 1) {
        this.taken += PIECE;
        yield new Uint8Array(PIECE);
      }
      if (this.#over) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(given: Partial<TerminalOptions> = {}) {
  const opened: FakeTerminal[] = [];
  const events: NewEvent[] = [];
  const offer = { kind: 'program', resizes: true, commands: true } as const;
  const terminals: Terminals = {
    offer: async () => ({ unit, offer }),
    async open(_service, name, wish) {
      if (name === 'nft') throw new SuperfluidityError('SF-SITE-NO-TERMINAL', { reason: 'it has no program' });
      const terminal = new FakeTerminal(wish);
      opened.push(terminal);
      return { unit, offer, terminal };
    },
  };
  const { enabled = true } = given;
  const app = await buildApp({
    handlers: fakeHandlers(terminalHandlers(terminals, enabled)),
    access,
    metrics: { contentType: 'text/plain', text: async () => '', request: () => {} } as unknown as AppOptions['metrics'],
    log: pino({ level: 'silent' }),
    openApi: '{}',
    consoleFolder: '/nowhere',
    terminals: {
      terminals,
      enabled,
      audit: (event) => events.push(event),
      ...given,
      limits: { ...real.terminals, ...given.limits },
    },
  });
  apps.push(app);
  const server = await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, server, opened, events };
}

const PATH = '/api/v1/services/demo/units/video%2Fserver%230/terminal';

/** The status of the refusal and its code; or the open connection. */
async function connect(
  server: string,
  more: { path?: string; token?: string; origin?: string; protocol?: string; cookie?: boolean } = {},
) {
  const { path = PATH, token = 'boss-secret', origin, protocol = TERMINAL_PROTOCOL, cookie } = more;
  const socket = new WebSocket(
    `${server.replace('http', 'ws')}${path}`,
    [protocol, ...(token === '' ? [] : [`${TOKEN_PROTOCOL}${token}`])],
    {
      ...(origin === undefined ? {} : { origin }),
      ...(cookie === true ? { headers: { cookie: `superfluidity-${new URL(server).port}=boss-secret` } } : {}),
    },
  );
  return new Promise<WebSocket | string>((resolve, reject) => {
    socket.on('open', () => resolve(socket));
    socket.on('error', reject);
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${JSON.parse(text).error.code}`));
    });
  });
}

/** A terminal as the client of the API opens it, with all that it shows. */
function screen(server: string, more: Partial<TerminalCall> = {}) {
  const ended = Promise.withResolvers<Parameters<TerminalCall['onEnd']>[0]>();
  const news = Promise.withResolvers<unknown>();
  const seen = { text: '', bytes: 0 };
  const connection = openTerminal({
    server,
    token: 'boss-secret',
    service: 'demo',
    unit: 'video/server#0',
    columns: 80,
    rows: 24,
    onOpened: news.resolve,
    onOutput: async (bytes) => {
      seen.bytes += bytes.length;
      seen.text = (seen.text + new TextDecoder().decode(bytes)).slice(-1000);
    },
    onEnd: ended.resolve,
    ...more,
  });
  const type = (text: string) => connection.type(new TextEncoder().encode(text));
  return { ...connection, type, seen, opened: news.promise, ended: ended.promise };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 400 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

describe('who may open a terminal', () => {
  test.each([
    ['nobody without a token', { token: '' }, '401 SF-ACCESS-NO-TOKEN'],
    ['nobody with a token that opens nothing', { token: 'other' }, '401 SF-ACCESS-BAD-TOKEN'],
    ['nobody who may only read', { token: 'guest-secret' }, '403 SF-ACCESS-FORBIDDEN'],
    ['no page of another origin', { origin: 'http://evil.example' }, '403 SF-SERVER-ORIGIN'],
    ['nobody at another address', { path: '/api/v1/services/demo/terminal' }, '404 SF-SERVER-NO-ROUTE'],
    ['nobody at an address that means nothing', { path: PATH.replace('%2F', '%') }, '404 SF-SERVER-NO-ROUTE'],
    ['nobody who speaks otherwise', { protocol: 'telnet' }, '400 SF-SERVER-REQUEST'],
  ])('%s', async (_title, more, answer) => {
    const { server, opened, events } = await start();
    expect(await connect(server, more)).toBe(answer);
    expect(opened).toEqual([]);
    const known = !answer.startsWith('401') && !answer.startsWith('404');
    expect(events.map(({ severity }) => severity)).toEqual(known ? ['warning'] : []);
  });

  test('a page of this server, with a token or with the session that the browser keeps', async () => {
    const { server } = await start();
    expect(await connect(server, { origin: server })).toBeInstanceOf(WebSocket);
    const session = { cookie: true, token: '' };
    expect(await connect(server, { ...session, origin: server })).toBeInstanceOf(WebSocket);
    expect(await connect(server, { ...session, origin: 'http://localhost:1' })).toBe('401 SF-ACCESS-SESSION');
    expect(await connect(server, session)).toBe('401 SF-ACCESS-SESSION');
  });

  test('nobody where it is switched off', async () => {
    const { server } = await start({ enabled: false });
    expect(await connect(server)).toBe('403 SF-SERVER-TERMINALS-OFF');
  });

  test('so many at a time, and again when one is closed', async () => {
    const { server } = await start({ limits: { ...real.terminals, perUser: 2 } });
    const [one] = [await connect(server), await connect(server)];
    expect(await connect(server)).toBe('503 SF-SERVER-TERMINALS');
    (one as WebSocket).close();
    await once(one as WebSocket, 'close');
    expect(await connect(server)).toBeInstanceOf(WebSocket);
  });

  test('is told in advance, with the reason', async () => {
    const { server } = await start();
    const ask = (url: string, token: string) =>
      createClient({ server: url, token }).call('getTerminal', { params: { name: 'demo', unit: 'unit-1' } });
    expect(await ask(server, 'boss-secret')).toMatchObject({ possible: true, kind: 'program', resizes: true });
    expect(await ask(server, 'guest-secret')).toMatchObject({ possible: false, reason: /only read/ });
    const off = await start({ enabled: false });
    expect(await ask(off.server, 'boss-secret')).toMatchObject({ possible: false, reason: /--no-terminals/ });
  });
});

describe('a terminal', () => {
  test('shows, takes keys and sizes, and tells the exit code; of which only the frame is written down', async () => {
    const { server, opened, events } = await start();
    const one = screen(server, { command: ['sh', '-c', SECRET_WORDS] });
    expect(await one.opened).toMatchObject({ type: 'opened', kind: 'program', resizes: true });
    expect(opened[0]!.wish).toEqual({ columns: 80, rows: 24, command: ['sh', '-c', SECRET_WORDS] });
    await one.type(SECRET_WORDS);
    one.resize({ columns: 132, rows: 50 });
    await until(() => one.seen.text === SECRET_WORDS && opened[0]!.sizes.length === 1);
    expect(opened[0]!.sizes).toEqual([{ type: 'resize', columns: 132, rows: 50 }]);
    await one.type('exit');
    expect(await one.ended).toEqual({ type: 'ended', exitCode: 7 });
    await until(() => events.length === 2);
    expect(events.map(({ message }) => message)).toEqual([
      'boss: open terminal in video/server#0 of demo for sh',
      expect.stringMatching(/^boss: close terminal in video\/server#0 of demo after \d+ s: exit code 7$/),
    ]);
    expect(JSON.stringify(events)).not.toContain(SECRET_WORDS);
    expect(JSON.stringify(events)).not.toContain('boss-secret');
  });

  test('waits for a slow reader within the window, and loses nothing', async () => {
    const { server, opened } = await start();
    const gate = Promise.withResolvers<void>();
    let seen = 0;
    const one = screen(server, {
      onOutput: async (bytes) => {
        await gate.promise;
        seen += bytes.length;
      },
    });
    await one.opened;
    await one.type('flood');
    await until(() => opened[0]!.taken > TERMINAL_WINDOW_BYTES - PIECE);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(opened[0]!.taken).toBeLessThan(TERMINAL_WINDOW_BYTES + 2 * PIECE);
    gate.resolve();
    await until(() => seen >= 100 * PIECE);
    expect(seen).toBe(100 * PIECE);
  });

  describe('that was lost', () => {
    /** As when a page is loaded anew, or the network goes. */
    const lose = async (server: string, wish: object, how: 'reload' | 'cut') => {
      const socket = (await connect(server)) as WebSocket;
      socket.send(JSON.stringify({ type: 'open', columns: 80, rows: 24, ...wish }));
      const [news] = (await once(socket, 'message')) as [Buffer];
      return {
        news: JSON.parse(news.toString()),
        socket,
        lose: () => (how === 'cut' ? socket.terminate() : socket.close(1001)),
      };
    };

    test.each(['reload', 'cut'] as const)(
      'is joined anew after a %s, with what it showed and goes on to show',
      async (how) => {
        const { server, opened, events } = await start();
        const first = await lose(server, {}, how);
        first.socket.send(Buffer.from('before\n'));
        await once(first.socket, 'message');
        first.lose();
        await once(first.socket, 'close');
        await opened[0]!.write(new TextEncoder().encode('meanwhile\n'));
        const again = screen(server, { rejoin: first.news.rejoin, columns: 100 });
        expect(await again.opened).toMatchObject({ rejoin: first.news.rejoin });
        await until(() => again.seen.text === 'before\nmeanwhile\n');
        await again.type('after');
        await until(() => again.seen.text.endsWith('after'));
        expect(opened).toHaveLength(1);
        expect(opened[0]!.sizes.at(-1)).toMatchObject({ columns: 100 });
        again.close();
        await until(() => events.length === 3);
        expect(events.map(({ message }) => message.replace(/ after \d+ s/, ''))).toEqual([
          'boss: open terminal in video/server#0 of demo',
          'boss: join terminal in video/server#0 of demo anew',
          'boss: close terminal in video/server#0 of demo: the connection was closed',
        ]);
        expect(JSON.stringify(events)).not.toContain(first.news.rejoin);
      },
    );

    test('waits for a while, and takes the place of no other', async () => {
      const { server, opened } = await start({ limits: { ...real.terminals, keepMs: 80, perUser: 1 } });
      const first = await lose(server, {}, 'cut');
      first.lose();
      await once(first.socket, 'close');
      const other = screen(server);
      expect(await other.ended).toMatchObject({ type: 'refused', error: { code: 'SF-SERVER-TERMINALS' } });
      await until(() => opened[0]!.closed > 0);
      const late = screen(server, { rejoin: first.news.rejoin });
      expect(await late.ended).toMatchObject({ type: 'refused', error: { code: 'SF-SERVER-TERMINAL-GONE' } });
    });

    test('is nobody else’s, and of no other unit; who comes later has it', async () => {
      const { server, opened } = await start();
      const first = screen(server);
      const { rejoin } = (await first.opened) as { rejoin: string };
      principals.set('rival-secret', { name: 'rival', role: 'admin' });
      for (const wrong of [{ token: 'rival-secret' }, { unit: 'other#0' }, { rejoin: 'guessed' }]) {
        const one = screen(server, { rejoin, ...wrong });
        expect(await one.ended).toMatchObject({ type: 'refused', error: { code: 'SF-SERVER-TERMINAL-GONE' } });
      }
      const second = screen(server, { rejoin });
      await second.opened;
      expect(await first.ended).toEqual({ type: 'ended', reason: 'it was joined anew from elsewhere' });
      await second.type('here');
      await until(() => second.seen.text === 'here');
      expect(opened).toHaveLength(1);
    });

    test('keeps what nobody has seen within the window, and what is shown again within its bound', async () => {
      const { server, opened } = await start({ limits: { ...real.terminals, replayBytes: 1_000 } });
      const first = await lose(server, {}, 'cut');
      first.socket.send(Buffer.from('flood'));
      await until(() => opened[0]!.taken > PIECE);
      first.lose();
      await once(first.socket, 'close');
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(opened[0]!.taken).toBeLessThan(TERMINAL_WINDOW_BYTES + 3 * PIECE);
      const again = screen(server, { rejoin: first.news.rejoin });
      await again.opened;
      await until(() => opened[0]!.taken === 100 * PIECE);
      expect(again.seen.bytes).toBeLessThan(100 * PIECE + 1_000);
    });
  });

  test('says why there is none', async () => {
    const { server, events } = await start();
    const one = screen(server, { unit: 'nft' });
    expect(await one.ended).toMatchObject({ type: 'refused', error: { code: 'SF-SITE-NO-TERMINAL' } });
    await until(() => events.length === 1);
    expect(events[0]).toMatchObject({ severity: 'warning', body: { code: 'SF-SITE-NO-TERMINAL' } });
  });

  test('is closed in the unit when the connection is, when nobody types, and when the server stops', async () => {
    const { app, server, opened, events } = await start({ limits: { ...real.terminals, idleMs: 60 } });
    const left = screen(server);
    await left.opened;
    left.close();
    await until(() => opened[0]!.closed > 0);
    const idle = screen(server);
    expect(await idle.ended).toMatchObject({ type: 'ended', reason: /^no key was pressed/ });
    expect(opened[1]!.closed).toBeGreaterThan(0);
    const last = screen(server);
    await last.opened;
    await app.close();
    expect(await last.ended).toMatchObject({ type: 'ended', reason: 'the server is being stopped' });
    expect(opened[2]!.closed).toBeGreaterThan(0);
    expect(events).toHaveLength(6);
  });

  test('is closed when its token does not open it any more', async () => {
    const { server, opened } = await start({ limits: { ...real.terminals, recheckMs: 20 } });
    principals.set('fired-secret', { name: 'fired', role: 'admin' });
    const one = screen(server, { token: 'fired-secret' });
    await one.opened;
    principals.delete('fired-secret');
    expect(await one.ended).toMatchObject({ reason: /^who opened it may not/ });
    expect(opened[0]!.closed).toBeGreaterThan(0);
  });

  test.each([
    ['what is no JSON', 'hello'],
    ['another message', JSON.stringify({ type: 'dance' })],
    ['keys before it is open', Buffer.from('x')],
    ['a screen of no size', JSON.stringify({ type: 'open', columns: 0, rows: 24 })],
    ['a command without end', JSON.stringify({ type: 'open', columns: 80, rows: 24, command: Array(100).fill('x') })],
    ['nothing at all', undefined],
  ])('is refused to who sends %s', async (_title, message) => {
    const { server, opened } = await start({ limits: { ...real.terminals, openMs: 50 } });
    const socket = (await connect(server)) as WebSocket;
    const closed = once(socket, 'close');
    if (message !== undefined) socket.send(message);
    const [news] = (await once(socket, 'message')) as [Buffer];
    expect(JSON.parse(news.toString())).toMatchObject({ type: 'refused', error: { code: 'SF-SERVER-REQUEST' } });
    await closed;
    expect(opened).toEqual([]);
  });

  test('ends for who sends a message without end', async () => {
    const { server, opened } = await start();
    const socket = (await connect(server)) as WebSocket;
    socket.send(JSON.stringify({ type: 'open', columns: 80, rows: 24 }));
    await once(socket, 'message');
    socket.send(Buffer.alloc(100_000));
    await once(socket, 'close');
    await until(() => opened[0]!.closed > 0);
  });
});
