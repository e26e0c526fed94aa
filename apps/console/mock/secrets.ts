import { listShapes, pageOf, type Secret, type SecretRouteName } from '@superfluidity/api';
import type { Handlers } from './handlers.ts';
import { found, Refusal } from './refusal.ts';
import type { World } from './world.ts';

type SecretHandlers = Pick<Handlers, SecretRouteName>;

/** Secrets without their values: nothing asks for these. */
export function secretHandlers(world: World): SecretHandlers {
  const secretOf = (name: string | undefined): Secret =>
    found(world.secrets.get(name ?? ''), 'SF-SECRET-UNKNOWN', `there is no secret ${name}`);
  return {
    listSecrets: ({ query }) => pageOf([...world.secrets.values()], query as never, listShapes.secrets),
    getSecret: ({ params }) => secretOf(params['name']),
    setSecret: ({ params, body, principal }) => {
      const name = params['name']!;
      const before = world.secrets.get(name);
      const [now, value] = [Date.now(), body['value'] as unknown as string];
      const made: Secret = {
        name,
        kind: body['kind']!,
        version: (before?.version ?? 0) + 1,
        fingerprint: value.length.toString(16).padStart(16, '7'),
        setBy: principal.name,
        createdAt: before?.createdAt ?? now,
        updatedAt: now,
        usedBy: before?.usedBy ?? [],
      };
      world.secrets.set(name, made);
      return made;
    },
    removeSecret: ({ params }) => {
      const { name, usedBy } = secretOf(params['name']);
      if (usedBy.length > 0) {
        const reason = `${usedBy.map((one) => `${one.kind} ${one.name}`).join(', ')} refers to it`;
        throw new Refusal(409, 'SF-SECRET-IN-USE', reason, 'Change the site, or terminate the service.');
      }
      world.secrets.delete(name);
      return null;
    },
    rotateSecretKey: () => ({ keyId: 'mock00000000', secrets: world.secrets.size }),
  };
}
