import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from '@superfluidity/access';
import { type Handlers, TERMINAL_MESSAGE_BYTES, TERMINAL_PROTOCOL } from '@superfluidity/api';
import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import type { OpenTerminal, Terminals } from '@superfluidity/lifecycle';
import type { NewEvent } from '@superfluidity/observe';
import type { TerminalWish } from '@superfluidity/site';
import type { FastifyInstance } from 'fastify';
import { WebSocketServer } from 'ws';
import './errors.ts';
import { admit, type Admitted, callerOf, refuse, unitOf } from './terminal-gate.ts';
import { type Opening, readOpening } from './terminal-requests.ts';
import { refuseOver, type SessionLimits, TerminalSession } from './terminal-session.ts';

export interface TerminalOptions {
  readonly access: Pick<Access, 'authenticate' | 'authenticateSession'>;
  readonly terminals: Terminals;
  /** False: this server opens none. */
  readonly enabled: boolean;
  /** Told of who opened a terminal where and when it ended; never of what was in it. */
  readonly audit: (event: NewEvent) => void;
  readonly limits: SessionLimits & { readonly atOnce: number; readonly perUser: number };
}

/** Terminals in units, through WebSockets. Everything is asked for before a connection becomes one. */
export function attachTerminals(app: FastifyInstance, options: TerminalOptions): void {
  const { access, terminals, audit, limits } = options;
  const closing = new AbortController();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: TERMINAL_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => TERMINAL_PROTOCOL,
  });
  /** By name of the user. */
  const open = new Map<string, number>();
  const running = new Set<Promise<void>>();
  /** By the secret with which they are joined anew. */
  const sessions = new Map<string, Place & { readonly session: TerminalSession; readonly name: string }>();
  const tooMany = (own: number, name: string) =>
    new SuperfluidityError('SF-SERVER-TERMINALS', { doing: 'open a terminal', reason: `${own} of ${name} are open` });

  /** Counted from here on: what is being opened takes its place already. */
  function take(name: string): void {
    const doing = 'open a terminal';
    const [all, own] = [[...open.values()].reduce((sum, each) => sum + each, 0), open.get(name) ?? 0];
    // Who lost some comes back to them.
    const parked = [...sessions.values()].filter((one) => one.name === name && one.session.isParked).length;
    if (own - parked >= limits.perUser) throw tooMany(own, name);
    if (all - parked >= limits.atOnce)
      throw new SuperfluidityError('SF-SERVER-TERMINALS', { doing, reason: `${all} are open` });
    open.set(name, own + 1);
  }

  function giveBack(name: string): void {
    const left = open.get(name)! - 1;
    if (left === 0) open.delete(name);
    else open.set(name, left);
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    let admitted: Admitted;
    try {
      admitted = await admit(request, options);
      take(admitted.principal.name);
    } catch (error) {
      const place = unitOf(request.url ?? '');
      const who = (await callerOf(request, access)())?.name;
      if (place !== undefined && who !== undefined) audit(refusal(who, place, error));
      return refuse(socket, error);
    }
    const name = admitted.principal.name;
    let begun = false;
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      begun = true;
      const session = run(accepted, admitted).finally(() => giveBack(name));
      running.add(session);
      void session.finally(() => running.delete(session));
    });
    // It answers at once, and ends the connection itself when the request is none of a WebSocket.
    if (!begun) giveBack(name);
  }

  async function run(socket: import('ws').WebSocket, admitted: Admitted): Promise<void> {
    const { principal, authenticate, ...place } = admitted;
    let opened: OpenTerminal;
    let opening: Opening;
    try {
      opening = await readOpening(socket, limits.openMs, closing.signal);
      if (opening.rejoin !== undefined) return rejoin(socket, opening, principal.name, place);
      // Those that wait to be joined anew count again, now that it is not one of them.
      if (open.get(principal.name)! > limits.perUser) throw tooMany(open.get(principal.name)! - 1, principal.name);
      const { type: _type, command, columns, rows } = opening;
      const wish = { columns, rows, ...(command === undefined ? {} : { command }) };
      opened = await openFor(socket, place, wish);
      audit(openingEvent(principal.name, place.service, opened, wish));
    } catch (error) {
      refuseOver(socket, error, limits.closeMs);
      return audit(refusal(principal.name, place, error));
    }
    if (socket.readyState !== socket.OPEN) await opened.terminal.close();
    const at = performance.now();
    const secret = randomBytes(16).toString('base64url');
    const session = new TerminalSession(opened, {
      limits,
      closing: closing.signal,
      secret,
      stillAllowed: async () => (await authenticate())?.role === principal.role,
    });
    sessions.set(secret, { session, name: principal.name, ...place });
    const end = await session.run(socket, opening);
    sessions.delete(secret);
    audit(ending(principal.name, place.service, opened, performance.now() - at, end));
  }

  /** Given up when the connection is closed meanwhile. */
  async function openFor(socket: import('ws').WebSocket, place: Place, wish: TerminalWish): Promise<OpenTerminal> {
    const gone = new AbortController();
    const leave = () => gone.abort();
    socket.once('close', leave);
    closing.signal.addEventListener('abort', leave, { once: true });
    try {
      return await terminals.open(place.service, place.unit, wish, gone.signal);
    } finally {
      socket.off('close', leave);
      closing.signal.removeEventListener('abort', leave);
    }
  }

  function rejoin(socket: import('ws').WebSocket, opening: Opening, name: string, place: Place): void {
    const known = sessions.get(opening.rejoin!);
    if (known === undefined || known.name !== name || known.service !== place.service || known.unit !== place.unit) {
      const reason = 'it is over, or waited for too long';
      throw new SuperfluidityError('SF-SERVER-TERMINAL-GONE', { doing: 'join a terminal anew', reason });
    }
    if (socket.readyState !== socket.OPEN) return;
    known.session.join(socket, opening);
    audit(
      event(name, place.service, place.unit, `${name}: join terminal in ${place.unit} of ${place.service} anew`, {}),
    );
  }

  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrade(request, socket, head).catch((error: unknown) => refuse(socket, error));
  });
  app.addHook('preClose', async () => {
    closing.abort();
    await Promise.all(running);
  });
}

/** What the route answers: whether this caller would get a terminal. */
export function terminalHandlers(terminals: Terminals, enabled: boolean): Handlers<'getTerminal'> {
  return {
    async getTerminal({ params, principal }) {
      const { unit, offer } = await terminals.offer(params.name, params.unit);
      const no = (reason: string) => ({ unit: unit.id, possible: false, reason });
      if ('absent' in offer) return no(offer.absent);
      if (!enabled) return no('this server opens no terminals: it was started with --no-terminals');
      if (principal.role !== 'admin') return no(`${principal.name} may only read`);
      return { unit: unit.id, possible: true, ...offer };
    },
  };
}

type Place = Pick<Admitted, 'service' | 'unit'>;

function event(by: string, service: string, unit: string, message: string, body: NewEvent['body']): NewEvent {
  const params = { name: service, unit };
  return {
    kind: 'audit',
    subject: unit,
    service,
    by,
    severity: 'info',
    message,
    body: { route: 'openTerminal', params, ...body },
  };
}

const named = ({ unit }: OpenTerminal): string => `${unit.path}#${unit.index} of`;

/** Of a command the program alone: its arguments may be secrets. */
function openingEvent(by: string, service: string, opened: OpenTerminal, { command }: TerminalWish): NewEvent {
  const program = command === undefined ? '' : ` for ${command[0].slice(0, 100)}`;
  const sentence = `${by}: open terminal in ${named(opened)} ${service}${program}`;
  return event(by, service, opened.unit.id, sentence, { kind: opened.offer.kind });
}

function ending(
  by: string,
  service: string,
  opened: OpenTerminal,
  ms: number,
  end: { readonly exitCode?: number; readonly reason?: string } | { readonly error: unknown },
): NewEvent {
  const how =
    'error' in end
      ? 'it broke'
      : (end.reason ?? (end.exitCode === undefined ? 'it ended' : `exit code ${end.exitCode}`));
  const sentence = `${by}: close terminal in ${named(opened)} ${service} after ${Math.round(ms / 1_000)} s: ${how}`;
  return event(by, service, opened.unit.id, sentence, { ms: Math.round(ms), how });
}

function refusal(by: string, { service, unit }: Place, error: unknown): NewEvent {
  const code = isSuperfluidityError(error) ? error.code : 'SF-CORE-UNEXPECTED';
  const sentence = `${by}: open terminal in ${unit} of ${service}: refused, ${code}`;
  return { ...event(by, service, unit, sentence, { code }), severity: 'warning' };
}
