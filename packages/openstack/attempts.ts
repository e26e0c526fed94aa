import { type Clock, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { HttpAnswer, Method } from './exchange.ts';
import type { Limits } from './limits.ts';
import { isBusy } from './refusal.ts';

export interface Repeated {
  readonly service: string;
  readonly method: Method;
  readonly doing: string;
  /** May be sent again when nobody knows whether it was done. */
  readonly repeatable: boolean;
  readonly waitsWhileBusy: boolean;
  /** Under which it is sent, each time. */
  readonly requestId: string;
  readonly signal: AbortSignal;
}

/**
 * Repeats with growing pauses what may be repeated. A service that is overloaded or away (429, 503, no connection) has done
 * nothing. After other failures nobody knows, so only what is repeatable goes again.
 */
export async function repeat(
  what: Repeated,
  { limits, clock, log }: { readonly limits: Limits; readonly clock: Clock; readonly log: Logger },
  attempt: () => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const startedMs = clock.now();
  for (let count = 1; ; count += 1) {
    const outcome = await outcomeOf(attempt, what.signal);
    const elapsedMs = clock.now() - startedMs;
    const waited = 'answer' in outcome ? retryAfterMs(outcome.answer, clock.now(), limits) : undefined;
    const pauseMs = waited ?? pauseAfter(count, limits);
    const again = maySucceed(outcome, what, limits);
    if (again === 'no' || elapsedMs + pauseMs > again.untilMs || count >= again.attempts) {
      if ('answer' in outcome) return outcome.answer;
      throw unavailable(what, count, outcome.failure);
    }
    const reason = 'answer' in outcome ? `status ${outcome.answer.status}` : messageOf(outcome.failure);
    const { service, doing, requestId } = what;
    log.debug({ service, doing, requestId, count, pauseMs, reason }, 'a call to the cloud is repeated');
    await clock.sleep(pauseMs, what.signal);
  }
}

type Outcome = { readonly answer: HttpAnswer } | { readonly failure: unknown };

async function outcomeOf(attempt: () => Promise<HttpAnswer>, signal: AbortSignal): Promise<Outcome> {
  try {
    return { answer: await attempt() };
  } catch (failure) {
    signal.throwIfAborted();
    if (failure instanceof SuperfluidityError) throw failure;
    return { failure };
  }
}

interface Patience {
  readonly attempts: number;
  readonly untilMs: number;
}

function maySucceed(outcome: Outcome, { repeatable, waitsWhileBusy }: Repeated, limits: Limits): Patience | 'no' {
  const patience = { attempts: limits.attempts, untilMs: limits.callMs };
  if ('failure' in outcome) {
    if (isFinal(outcome.failure)) return 'no';
    return repeatable || wasNotSent(outcome.failure) ? patience : 'no';
  }
  const { status } = outcome.answer;
  if (status === 429 || status === 503) return patience;
  if (status === 409) {
    const isWaitedFor = waitsWhileBusy && isBusy(outcome.answer);
    return isWaitedFor ? { attempts: Number.POSITIVE_INFINITY, untilMs: limits.busyMs } : 'no';
  }
  if (!repeatable || status < 500) return 'no';
  // A gateway in front of a service that restarts says 502 and 504; 500 is a defect, which rarely goes away.
  return status === 502 || status === 504 ? patience : { ...patience, attempts: limits.attemptsOnDefect };
}

function pauseAfter(count: number, { backOff: { delayMs, factor, delayMaxMs } }: Limits): number {
  return Math.min(delayMaxMs, delayMs * factor ** (count - 1));
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterMs({ headers }: HttpAnswer, nowMs: number, { retryAfterMaxMs }: Limits): number | undefined {
  const given = headers['retry-after'];
  if (given === undefined) return undefined;
  const ms = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - nowMs;
  return Number.isFinite(ms) ? Math.min(retryAfterMaxMs, Math.max(0, ms)) : undefined;
}

function codeOf(failure: unknown): string {
  const code = (failure as { readonly code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : '';
}

/** No connection came about, so the service has not seen the request. */
function wasNotSent(failure: unknown): boolean {
  return /^(?:ECONNREFUSED|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/.test(
    codeOf(failure),
  );
}

/** Certificates do not get better by waiting, and what was closed here stays closed. */
const isCertificate = (failure: unknown) =>
  /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$)/.test(codeOf(failure));
const isFinal = (failure: unknown) =>
  isCertificate(failure) || /^(?:UND_ERR_DESTROYED|UND_ERR_CLOSED|UND_ERR_INVALID_ARG)$/.test(codeOf(failure));

function unavailable(what: Repeated, attempts: number, cause: unknown): SuperfluidityError {
  const { service, doing, requestId, method } = what;
  const notSent = wasNotSent(cause) || isCertificate(cause);
  const reason = `${service}: ${messageOf(cause)}${notSent ? '' : ` (sent as ${requestId})`}`;
  if (isCertificate(cause)) {
    const hint = 'Give the certificate of its authority: cacert in clouds.yaml, OS_CACERT, or the field of the site.';
    return new SuperfluidityError('SF-OPENSTACK-CONFIG', { doing, reason, hint, cause });
  }
  const mayBeDone = !notSent && method !== 'GET' && method !== 'HEAD';
  return new SuperfluidityError('SF-OPENSTACK-UNAVAILABLE', {
    doing,
    reason,
    data: { attempts, globalRequestId: requestId, ...(mayBeDone ? { mayBeDone } : {}) },
    cause,
  });
}

function messageOf(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure);
  // Several addresses were tried: Node names their errors and not the sum of them.
  return message || codeOf(failure) || 'no connection';
}
