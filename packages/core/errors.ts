/**
 * Coded errors. Every expected failure of the system is a `SuperfluidityError` whose code stands in a catalogue
 * made by `defineErrors`; `docs/reference/errors.md` is tested against those catalogues in both directions.
 * A broken invariant is a bug and is thrown as an `InvariantError`, which nobody catches.
 */

/** Stable and readable, never reused: `SF-<ROOM>-<WHAT>`. */
export type ErrorCode = `SF-${string}`;

export interface ErrorKind {
  /** HTTP status with which the API answers (RFC 9457 problem details). */
  readonly status: number;
  /** One line that is the same for every occurrence. */
  readonly title: string;
  /** What the user can do about it. */
  readonly hint: string;
  /** True when the same call may succeed later without anybody changing anything. */
  readonly transient?: boolean;
}

const catalogue = new Map<ErrorCode, ErrorKind>();

/** Registers the error kinds of one package. A code may be defined once only. */
export function defineErrors<const T extends Record<ErrorCode, ErrorKind>>(kinds: T): T {
  for (const [code, kind] of Object.entries(kinds)) {
    invariant(!catalogue.has(code as ErrorCode), `error code ${code} is defined twice`);
    catalogue.set(code as ErrorCode, kind as ErrorKind);
  }
  return kinds;
}

/** All kinds defined by the packages that have been imported so far. */
export function errorCatalogue(): ReadonlyMap<ErrorCode, ErrorKind> {
  return catalogue;
}

export interface ErrorDetails {
  /** Why it failed, this time. */
  readonly reason: string;
  /** What was being done, to what: `create unit video/server on core/h1`. */
  readonly doing?: string;
  /** Overrides the hint of the kind where more is known. */
  readonly hint?: string;
  /** The southbound request and its answer, where there was one: a command line, a system call, an HTTP exchange. */
  readonly request?: string;
  readonly answer?: string;
  /** Positions in descriptors, limits that were hit, and the like. Plain JSON. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class SuperfluidityError extends Error {
  override readonly name = 'SuperfluidityError';
  readonly code: ErrorCode;
  readonly kind: ErrorKind;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails) {
    const kind = catalogue.get(code);
    invariant(kind !== undefined, `error code ${code} is not defined`);
    super(
      details.doing === undefined ? details.reason : `${details.doing}: ${details.reason}`,
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.kind = kind;
    this.details = details;
  }

  get hint(): string {
    return this.details.hint ?? this.kind.hint;
  }
}

/** An error as plain JSON: stored with operations, sent by the API, printed by the command. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly request?: string;
  readonly answer?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorReport;
}

const CAUSE_DEPTH_MAX = 8;

/** The whole cause chain as data. Errors of other libraries keep their own code, or get `SF-CORE-UNEXPECTED`. */
export function reportError(error: unknown, depth = 0): ErrorReport {
  const cause =
    error instanceof Error && error.cause !== undefined && depth < CAUSE_DEPTH_MAX
      ? { cause: reportError(error.cause, depth + 1) }
      : {};
  if (error instanceof SuperfluidityError) {
    const { request, answer, data } = error.details;
    return {
      code: error.code,
      message: error.message,
      hint: error.hint,
      ...(request === undefined ? {} : { request }),
      ...(answer === undefined ? {} : { answer }),
      ...(data === undefined ? {} : { data }),
      ...cause,
    };
  }
  if (error instanceof Error) {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : 'SF-CORE-UNEXPECTED';
    return { code, message: error.message, ...cause };
  }
  return { code: 'SF-CORE-UNEXPECTED', message: String(error) };
}

export function isSuperfluidityError(error: unknown, code?: ErrorCode): error is SuperfluidityError {
  return error instanceof SuperfluidityError && (code === undefined || error.code === code);
}

/** A bug in this software, not a condition of the world. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

export const coreErrors = defineErrors({
  'SF-CORE-UNEXPECTED': {
    status: 500,
    title: 'Something failed in a way that was not foreseen',
    hint: 'This is a defect. Please report it with the server log around this time.',
  },
  'SF-CORE-TIMEOUT': {
    status: 504,
    title: 'Something did not finish within its time limit',
    hint: 'Look at what it was waiting for; retry the operation when that is healthy.',
    transient: true,
  },
  'SF-CORE-CANCELLED': {
    status: 409,
    title: 'The work was cancelled before it finished',
    hint: 'Start it again if it is still wanted.',
  },
  'SF-CORE-LIMIT': {
    status: 413,
    title: 'A limit was exceeded',
    hint: 'Split the request, or raise the limit named in the message.',
  },
});
