import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Access, authorise } from '@superfluidity/access';
import { type Principal, routes, TERMINAL_PROTOCOL, TOKEN_PROTOCOL } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import './errors.ts';
import { problemOf } from './problem.ts';
import { cookieOf } from './session-cookie.ts';

/** Whoever may pass, and to which unit. */
export interface Admitted {
  readonly principal: Principal;
  /** Who it is now: a token may be revoked, a session ended. */
  readonly again: () => Promise<Principal | undefined>;
  readonly service: string;
  readonly unit: string;
}

export interface GateOptions {
  readonly access: Pick<Access, 'authenticate' | 'authenticateSession'>;
  /** False: nobody passes. */
  readonly enabled: boolean;
}

const PATH = new RegExp(`^${routes.getTerminal.path.replace(/:\w+/g, '([^/?]+)')}(?:\\?|$)`);
const NAME_MAX = 256;

/** Which unit the address names, if it is one of a terminal. */
export function unitOf(url: string): { readonly service: string; readonly unit: string } | undefined {
  const [, name, id] = PATH.exec(url) ?? [];
  if (name === undefined || id === undefined) return undefined;
  try {
    const [service, unit] = [decodeURIComponent(name), decodeURIComponent(id)];
    return service.length > NAME_MAX || unit.length > NAME_MAX ? undefined : { service, unit };
  } catch {
    // Not the encoding of anything.
    return undefined;
  }
}

/** Looks at everything that can be known before a connection becomes a terminal. Throws a coded error. */
export async function admit(request: IncomingMessage, { access, enabled }: GateOptions): Promise<Admitted> {
  const place = unitOf(request.url ?? '');
  const doing = 'open a terminal';
  if (place === undefined) throw new SuperfluidityError('SF-SERVER-NO-ROUTE', { doing, reason: 'no such route' });
  const again = whoAsks(request, access);
  const principal = await again?.();
  authorise({ principal, presentedToken: again !== undefined, doing }, 'admin');
  if (!enabled) throw new SuperfluidityError('SF-SERVER-TERMINALS-OFF', { doing, reason: 'they are switched off' });
  checkOrigin(doing, request);
  if (!offeredBy(request).includes(TERMINAL_PROTOCOL)) {
    throw new SuperfluidityError('SF-SERVER-REQUEST', { doing, reason: `it speaks ${TERMINAL_PROTOCOL} only` });
  }
  return { principal: principal!, again: again!, ...place };
}

/**
 * Whose token or session it is. Browsers send no headers of ours with a WebSocket: a token comes as one of its protocols,
 * and the cookie of a session counts only where the page is of this very origin.
 */
export function whoAsks(
  request: IncomingMessage,
  access: GateOptions['access'],
): (() => Promise<Principal | undefined>) | undefined {
  const presented = offeredBy(request).find((one) => one.startsWith(TOKEN_PROTOCOL));
  const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const token = presented?.slice(TOKEN_PROTOCOL.length) ?? bearer;
  if (token !== undefined) return () => access.authenticate(token);
  const session = isOfThisOrigin(request) ? cookieOf(request) : undefined;
  return session === undefined ? undefined : () => access.authenticateSession(session);
}

const offeredBy = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());

function isOfThisOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}

/** Browsers say which page asks, and no page can say it differently; what is no browser says nothing. */
function checkOrigin(doing: string, request: IncomingMessage): void {
  const { origin, host } = request.headers;
  if (origin === undefined || isOfThisOrigin(request)) return;
  throw new SuperfluidityError('SF-SERVER-ORIGIN', { doing, reason: `the page is of ${origin}, not of ${host}` });
}

/** A refusal in HTTP, as of every other route. */
export function refuse(socket: Duplex, thrown: unknown): void {
  const problem = problemOf(thrown);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_WORDS[problem.status] ?? 'Refused'}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(problem.status === 401 ? ['www-authenticate: Bearer'] : []),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};
