import { scaleInput } from '../input.ts';
import { PolicyTable } from './policy.ts';
import { problemShape } from './schema.ts';

/** A table of a policy as `scale solve --table` writes it, parsed JSON. Rejects with SF-SCALE-INPUT. */
export function readPolicyTable(value: unknown): PolicyTable {
  const fail = (reason: string) => scaleInput(reason, 'read the table of a policy');
  if (typeof value !== 'object' || value === null) throw fail('it is no object');
  const { format, version, problem, table } = value as Readonly<Record<string, unknown>>;
  if (format !== 'superfluidity-scaling-policy' || version !== 1 || typeof table !== 'string') {
    throw fail('it is no table of a policy, version 1');
  }
  const parsed = problemShape.safeParse(problem);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw fail(`problem.${path.join('.')}: ${message}`);
  }
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(atob(table), (character) => character.charCodeAt(0));
  } catch {
    throw fail('its table is not base64');
  }
  return new PolicyTable(parsed.data, bytes);
}
