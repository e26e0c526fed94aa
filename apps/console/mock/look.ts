import type { OperationDetail, ServiceDetail } from '@superfluidity/api';
import { textOf } from './plan.ts';
import { found, Refusal } from './refusal.ts';
import { SENTINELS } from './sentinels.ts';
import type { World } from './world.ts';

/** What requests name, or the refusal of a control plane that has no such thing. */
export function createLook(world: World) {
  const site = (name: string | undefined) =>
    found(
      world.sites.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no site ${name}`,
      'List them: `superfluidity site list`.',
    );
  const service = (name: string | undefined): ServiceDetail => {
    sentinel(name);
    return found(
      world.services.get(name ?? ''),
      'SF-LIFECYCLE-UNKNOWN',
      `there is no service ${name}`,
      'List them with `superfluidity service list`.',
    );
  };
  const idle = (name: string | undefined): ServiceDetail => {
    const one = service(name);
    if (one.busy !== undefined) {
      throw new Refusal(
        409,
        'SF-LIFECYCLE-BUSY',
        `${one.name} is being changed by ${one.busy}`,
        'Wait for it, or cancel it.',
      );
    }
    return one;
  };
  const operation = (id: string | undefined): OperationDetail =>
    found(world.operations.get(id ?? ''), 'SF-LIFECYCLE-UNKNOWN', `there is no operation ${id}`);
  const waiting = (id: string | undefined): OperationDetail => {
    const one = operation(id);
    if (one.state !== 'FAILED_TEMP') throw new Refusal(409, 'SF-LIFECYCLE-STATE', `the operation is ${one.state}`);
    return one;
  };
  const newestOf = (name: string | undefined) =>
    [...world.descriptors.values()].filter((one) => one.name === name).toSorted((a, b) => b.createdAt - a.createdAt)[0];
  const descriptor = (id: string | undefined) =>
    found(world.descriptors.get(id ?? '') ?? newestOf(id), 'SF-LIFECYCLE-UNKNOWN', `there is no descriptor ${id}`);
  const textOfSource = (source: unknown) => textOf(source as never, (id) => descriptor(id).source);
  return { site, service, idle, operation, waiting, newestOf, descriptor, textOfSource };
}

export type Look = ReturnType<typeof createLook>;

/** Names that are answered as a control plane in trouble answers. */
export function sentinel(name: string | undefined): void {
  if (name === SENTINELS.failingName)
    throw new Refusal(
      500,
      'SF-CORE-UNEXPECTED',
      'something failed that was not foreseen',
      'Look into the log of the server.',
    );
  if (name === SENTINELS.forbiddenName)
    throw new Refusal(403, 'SF-ACCESS-FORBIDDEN', 'the token may not see it', 'Use a token with the role admin.');
}

export const accepted = (started: OperationDetail) => ({ operation: started.id, service: started.service });

/** Of a text: eight hexadecimal digits (FNV-1a). */
export function digestOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
