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
  /** Asks again. */
  readonly authenticate: () => Promise<Principal | undefined>;
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
  const authenticate = callerOf(request, access);
  const principal = await authenticate();
  const presentedToken = tokenOf(request) !== undefined;
  authorise({ principal, presentedToken, presentedSession: cookieOf(request) !== undefined, doing }, 'admin');
  if (!enabled) throw new SuperfluidityError('SF-SERVER-TERMINALS-OFF', { doing, reason: 'they are switched off' });
  checkOrigin(doing, request);
  if (!protocolsOf(request).includes(TERMINAL_PROTOCOL)) {
    throw new SuperfluidityError('SF-SERVER-REQUEST', { doing, reason: `it speaks ${TERMINAL_PROTOCOL} only` });
  }
  return { principal: principal!, authenticate, ...place };
}

const protocolsOf = ({ headers }: IncomingMessage): readonly string[] =>
  (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());

/** Of who cannot send headers, such as a browser, it comes as a protocol. */
function tokenOf(request: IncomingMessage): string | undefined {
  const presented = protocolsOf(request).find((one) => one.startsWith(TOKEN_PROTOCOL));
  return presented?.slice(TOKEN_PROTOCOL.length) ?? /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/**
 * Who asks. The cookie of a session counts only with an origin, which is looked at: browsers send both by themselves,
 * and let no page choose the latter.
 */
export function callerOf(request: IncomingMessage, access: GateOptions['access']): Admitted['authenticate'] {
  const token = tokenOf(request);
  if (token !== undefined) return () => access.authenticate(token);
  const session = cookieOf(request);
  if (session === undefined || !isOwnPage(request)) return async () => undefined;
  return () => access.authenticateSession(session);
}

/** Browsers say which page asks, and no page can say it differently; what is no browser says nothing. */
function checkOrigin(doing: string, { headers }: Pick<IncomingMessage, 'headers'>): void {
  const { origin, host } = headers;
  if (origin === undefined || isOwnPage({ headers })) return;
  throw new SuperfluidityError('SF-SERVER-ORIGIN', { doing, reason: `the page is of ${origin}, not of ${host}` });
}

function isOwnPage({ headers: { origin, host } }: Pick<IncomingMessage, 'headers'>): boolean {
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
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
