import type { Access } from '@superfluidity/access';
import { type Connection, type Principal, SESSION_HEADER } from '@superfluidity/api';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * Who asks. A token in the header `Authorization` counts alone. The cookie of a session counts only together with a header
 * that pages of other origins cannot send, and not in what the browser itself calls a request of another site (Fetch
 * Metadata): SameSite=Strict does not tell apart the ports of one host.
 */
export async function callerOf(
  request: FastifyRequest,
  access: Pick<Access, 'authenticate' | 'authenticateSession'>,
): Promise<Principal | undefined> {
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const token = /^Bearer (\S+)$/i.exec(authorization)?.[1];
    return token === undefined ? undefined : access.authenticate(token);
  }
  const secret = cookieOf(request);
  return secret === undefined || !isConsole(request) ? undefined : access.authenticateSession(secret);
}

export const showsSession = (request: FastifyRequest): boolean => cookieOf(request) !== undefined && isConsole(request);

function isConsole({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  return headers[SESSION_HEADER] !== undefined && (site === undefined || site === 'same-origin');
}

/** Undefined where no page of the console asks: nobody is there who could keep a session. */
export function connectionOf(request: FastifyRequest, reply: FastifyReply): Connection | undefined {
  if (!isConsole(request)) return undefined;
  const set = (secret: string, expires: Date) => {
    // Where the console itself came by HTTPS, be it through a proxy, the cookie goes back by HTTPS alone.
    const secure = /^https:/i.test(request.headers.origin ?? '') ? '; Secure' : '';
    const cookie = `${cookieName(request)}=${secret}; Path=/; HttpOnly; SameSite=Strict; Expires=${expires.toUTCString()}`;
    reply.header('set-cookie', cookie + secure);
  };
  return {
    address: request.ip,
    agent: request.headers['user-agent'] ?? '',
    keepSession: (secret, expiresAt) => set(secret, new Date(expiresAt)),
    forgetSession: () => set('', new Date(0)),
  };
}

/** Cookies know hosts but no ports: of two control planes on one host each has its own. */
function cookieName(request: Pick<FastifyRequest, 'headers'>): string {
  return `superfluidity-${/:(\d+)$/.exec(request.headers.host ?? '')?.[1] ?? 'session'}`;
}

export function cookieOf(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const name = cookieName(request);
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, value] = part.trim().split('=');
    if (key === name && value !== undefined && value !== '') return value;
  }
  return undefined;
}
