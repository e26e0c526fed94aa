import type { Context } from '../context.ts';
import { followOperation } from '../follow.ts';

export interface Waiting {
  readonly wait: boolean;
  readonly timeout: number;
}

/** What a request began: followed to its end, or told by its id. */
export async function accept(
  context: Context,
  accepted: { operation: string; service: string },
  { wait, timeout }: Waiting,
): Promise<void> {
  if (wait) return followOperation(context, accepted.operation, { timeoutSeconds: timeout });
  await context.show(accepted, () => accepted.operation);
}
