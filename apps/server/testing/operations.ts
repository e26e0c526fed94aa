import type { Client, OperationDetail, Step } from '@superfluidity/api';

const POLL_MS = 10;
const TIMEOUT_MS = 60_000;
const RESTING = ['COMPLETED', 'FAILED_TEMP', 'FAILED', 'ROLLED_BACK'];

/** The operation as it is when it rests, in whatever state. */
export function settled(
  client: Client,
  id: string,
  timeoutMs = TIMEOUT_MS,
  pollMs = POLL_MS,
): Promise<OperationDetail> {
  return until(
    `operation ${id} rests`,
    async () => {
      const operation = await client.call('getOperation', { params: { id } });
      return RESTING.includes(operation.state) ? operation : undefined;
    },
    timeoutMs,
    pollMs,
  );
}

/** The operation, which has to end well. */
export async function completed(
  client: Client,
  id: string,
  timeoutMs = TIMEOUT_MS,
  pollMs = POLL_MS,
): Promise<OperationDetail> {
  const operation = await settled(client, id, timeoutMs, pollMs);
  if (operation.state === 'COMPLETED') return operation;
  throw new Error(`${operation.kind} ${operation.service} is ${operation.state}: ${JSON.stringify(operation.error)}`);
}

/** Resolves as soon as a step is seen in one of the states, with the step. */
export function stepSeen(client: Client, id: string, step: string, states: readonly Step['state'][]): Promise<Step> {
  return until(`step ${step} is ${states.join(' or ')}`, async () => {
    const { steps } = await client.call('getOperation', { params: { id } });
    return steps.find((each) => each.id === step && states.includes(each.state));
  });
}

/** Asks until there is an answer. Its last error is told when the time is over. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  timeoutMs = TIMEOUT_MS,
  pollMs = POLL_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await pause(pollMs);
  }
  throw new Error(`not within ${timeoutMs / 1_000} s: ${what}`, { cause: last });
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A descriptor as the API takes it. */
export function sourceOf(text: string | Uint8Array, baseFolder?: string) {
  const base64 = Buffer.from(text).toString('base64');
  return {
    files: [{ path: 'service.yaml', base64 }],
    ...(baseFolder === undefined ? {} : { baseFolder }),
  };
}
