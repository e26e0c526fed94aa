import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import {
  getStack,
  listStackEvents,
  listStackResources,
  type Stack,
  type StackEvent,
  type StackName,
} from '@superfluidity/openstack';
import type { Tell } from '@superfluidity/site';
import { LIMITS } from '../config.ts';
import type { World } from '../world.ts';

/** Id of the newest event there is: what comes to pass from now on comes after it. */
export async function lastEvent(world: World, which: StackName, signal: AbortSignal): Promise<string | undefined> {
  return (await listStackEvents(world.cloud, which, undefined, signal)).at(-1)?.id;
}

/**
 * Waits until the stack rests, and tells of every event after `since`; without it, of those of what is under way. Undefined:
 * it is gone.
 */
export async function follow(
  world: World,
  which: StackName,
  since: string | undefined,
  doing: string,
  tell: Tell,
  signal: AbortSignal,
): Promise<Stack | undefined> {
  let marker = since;
  let isFirst = since === undefined;
  for (;;) {
    if (signal.aborted) throw new SuperfluidityError('SF-CORE-CANCELLED', { doing, reason: 'cancelled' });
    // Asked before the events: what it says to be over has told all.
    const stack = await getStack(world.cloud, which, signal).catch(ifGone);
    const rests = stack === undefined || !stack.stack_status.endsWith('_IN_PROGRESS');
    const events = await listStackEvents(world.cloud, which, marker, signal).catch(ifGone);
    const news = isFirst ? sinceItBegan(events ?? [], which) : (events ?? []);
    isFirst = false;
    for (const event of news) {
      const reason = event.resource_status_reason ?? '';
      tell({
        at: timeOf(event),
        what: event.resource_name,
        state: event.resource_status,
        ...(event.resource_status.endsWith('_FAILED') && reason !== '' ? { reason } : {}),
      });
    }
    marker = events?.at(-1)?.id ?? marker;
    if (rests) return stack?.stack_status === 'DELETE_COMPLETE' ? undefined : stack;
    await world.clock.sleep(LIMITS.stackLookMs, signal).catch(() => {});
  }
}

/** Heat keeps the events of earlier changes. */
function sinceItBegan(events: readonly StackEvent[], { name }: StackName): readonly StackEvent[] {
  const begin = events.findLastIndex(
    (event) => event.resource_name === name && event.resource_status.endsWith('_IN_PROGRESS'),
  );
  return begin === -1 ? events : events.slice(begin);
}

/** Heat's times are UTC, with or without saying so. */
function timeOf({ event_time: text }: StackEvent): number {
  return Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
}

function ifGone(error: unknown): undefined {
  if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
  throw error;
}

/** The resource on which it failed, with the reason, in Heat's words. */
export async function stackFailure(
  world: World,
  stack: Stack,
  doing: string,
  signal: AbortSignal,
): Promise<SuperfluidityError> {
  const which = { name: stack.stack_name, id: stack.id };
  const resources = await listStackResources(world.cloud, which, signal).catch(() => []);
  const failed = resources.filter(({ resource_status: status }) => status.endsWith('_FAILED'));
  const first =
    failed.find(({ resource_status_reason: reason }) => !/aborted|cancelled/i.test(reason ?? '')) ?? failed[0];
  const reason =
    first === undefined
      ? (stack.stack_status_reason ?? stack.stack_status)
      : `${first.resource_name} (${first.resource_type}): ${first.resource_status_reason ?? first.resource_status}`;
  return new SuperfluidityError('SF-SITE-STACK-FAILED', {
    doing,
    reason,
    request: `stack ${stack.stack_name} ${stack.id}`,
    answer: `${stack.stack_status}: ${stack.stack_status_reason ?? ''}`,
    data: {
      stack: stack.id,
      status: stack.stack_status,
      failed: failed.slice(0, 20).map((one) => ({ name: one.resource_name, type: one.resource_type })),
    },
  });
}
