import { defineErrors, type ErrorCode, isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';

export const storeErrors = defineErrors({
  'SF-STORE-URL': {
    status: 400,
    title: 'The database URL is not understood',
    hint: 'Use pglite:memory, pglite:<folder>, embedded:<folder> or postgres://user@host/database.',
  },
  'SF-STORE-UNREACHABLE': {
    status: 503,
    title: 'The database cannot be reached',
    hint: 'Check that PostgreSQL runs and accepts connections; the operation goes on when it is back.',
    transient: true,
  },
  'SF-STORE-DENIED': {
    status: 503,
    title: 'The database refuses the login, or the database does not exist',
    hint: 'Check the user, the password and the database name in the URL.',
  },
  'SF-STORE-BUSY': {
    status: 503,
    title: 'The database has no connection left',
    hint: 'Raise max_connections of PostgreSQL, or run fewer servers on it.',
    transient: true,
  },
  'SF-STORE-LOCKED': {
    status: 409,
    title: 'Somebody else is changing the same rows',
    hint: 'Try again.',
    transient: true,
  },
  'SF-STORE-IN-USE': {
    status: 409,
    title: 'Another process has this database folder open',
    hint: 'An embedded database belongs to one server. Stop the other one, or use postgres://.',
  },
  'SF-STORE-DISK-FULL': {
    status: 507,
    title: 'The database has no room left on its disk',
    hint: 'Free some space; nothing was changed by the statement that failed.',
    transient: true,
  },
  'SF-STORE-TIMEOUT': {
    status: 504,
    title: 'The database did not answer a statement in time',
    hint: 'Look at the load of the database and at long transactions (pg_stat_activity).',
    transient: true,
  },
  'SF-STORE-DUPLICATE': {
    status: 409,
    title: 'There is one with this name already',
    hint: 'Choose another name, or change the one that exists.',
  },
  'SF-STORE-REFERENCED': {
    status: 409,
    title: 'Something refers to it, or it refers to something that does not exist',
    hint: 'Remove what refers to it first, or create what it refers to.',
  },
  'SF-STORE-INVALID': {
    status: 400,
    title: 'The database does not accept the value',
    hint: 'Text must be UTF-8 without NUL characters; numbers must be within their range.',
  },
  'SF-STORE-FAILED': {
    status: 500,
    title: 'A database statement failed',
    hint: 'This is a defect. Please report it with the server log around this time.',
  },
  'SF-STORE-MIGRATION-CHANGED': {
    status: 500,
    title: 'A migration that was applied to this database is not the one this version has',
    hint: 'Released migrations never change. Run the version that made the database, or restore a backup.',
  },
  'SF-STORE-MIGRATION-FAILED': {
    status: 500,
    title: 'A migration could not be applied; the database is as it was before it',
    hint: 'Look at the cause; restore the former version of the program meanwhile.',
  },
  'SF-STORE-NEWER': {
    status: 500,
    title: 'The database was made by a newer version of the program',
    hint: 'Run that version, or a newer one.',
  },
  'SF-STORE-EMBEDDED': {
    status: 500,
    title: 'The embedded PostgreSQL server does not start',
    hint: 'Look at the lines of its log in the message; pglite:<folder> needs no server.',
  },
});

/**
 * SQLSTATE classes and codes (PostgreSQL manual, appendix A) and errno names, longest match first. By code and never by
 * class of object: two copies of a library, and PGlite beside pg, throw different classes for the same thing.
 */
const codesByPrefix: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['08', 'SF-STORE-UNREACHABLE'],
  ['57P', 'SF-STORE-UNREACHABLE'],
  ['25P03', 'SF-STORE-TIMEOUT'],
  ['57014', 'SF-STORE-TIMEOUT'],
  ['28', 'SF-STORE-DENIED'],
  ['3D000', 'SF-STORE-DENIED'],
  ['42501', 'SF-STORE-DENIED'],
  ['53100', 'SF-STORE-DISK-FULL'],
  ['ENOSPC', 'SF-STORE-DISK-FULL'],
  ['EDQUOT', 'SF-STORE-DISK-FULL'],
  ['53300', 'SF-STORE-BUSY'],
  ['40', 'SF-STORE-LOCKED'],
  ['55P03', 'SF-STORE-LOCKED'],
  ['23505', 'SF-STORE-DUPLICATE'],
  ['23503', 'SF-STORE-REFERENCED'],
  ['23', 'SF-STORE-INVALID'],
  ['22', 'SF-STORE-INVALID'],
  ['ECONN', 'SF-STORE-UNREACHABLE'],
  ['ENOTFOUND', 'SF-STORE-UNREACHABLE'],
  ['EHOST', 'SF-STORE-UNREACHABLE'],
  ['ENETUNREACH', 'SF-STORE-UNREACHABLE'],
  ['ETIMEDOUT', 'SF-STORE-UNREACHABLE'],
  ['EPIPE', 'SF-STORE-UNREACHABLE'],
  ['ENOENT', 'SF-STORE-UNREACHABLE'],
  ['EACCES', 'SF-STORE-DENIED'],
];

/** `pg` reports a connection that broke, or could not be made in time, by message alone. */
const BROKEN_CONNECTION =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a conn)/i;

interface DatabaseErrorLike {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly detail?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
}

/** The SQLSTATE or errno name in the error or in what caused it. */
export function databaseCode(error: unknown): string | undefined {
  for (let inner: unknown = error, depth = 0; inner instanceof Error && depth < 8; inner = inner.cause, depth += 1) {
    const code = (inner as DatabaseErrorLike).code;
    if (typeof code === 'string' && !code.startsWith('SF-')) return code;
  }
  return undefined;
}

function codeFor(error: unknown): ErrorCode {
  const code = databaseCode(error);
  if (code !== undefined) {
    const matches = codesByPrefix.filter(([prefix]) => code.startsWith(prefix));
    matches.sort(([a], [b]) => b.length - a.length);
    if (matches[0] !== undefined) return matches[0][1];
  }
  const message = error instanceof Error ? error.message : '';
  return BROKEN_CONNECTION.test(message) ? 'SF-STORE-UNREACHABLE' : 'SF-STORE-FAILED';
}

/** A driver's error as one of ours; ours pass through. The statement is kept, its parameters are not: they may be secret. */
export function toStoreError(error: unknown, doing: string, statement?: string): SuperfluidityError {
  if (isSuperfluidityError(error)) return error;
  const { message, detail, constraint, table } = (error ?? {}) as DatabaseErrorLike;
  const code = databaseCode(error);
  const data = Object.fromEntries(
    Object.entries({ code, constraint, table }).filter(([, value]) => typeof value === 'string'),
  );
  return new SuperfluidityError(codeFor(error), {
    doing,
    reason: typeof message === 'string' && message !== '' ? message : (code ?? 'the driver gave no reason'),
    ...(statement === undefined ? {} : { request: statement.slice(0, 2000) }),
    ...(typeof detail === 'string' ? { answer: detail } : {}),
    data,
    cause: error,
  });
}
