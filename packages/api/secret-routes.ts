import { z } from 'zod';
import * as access from './access-schemas.ts';
import { anyOf, listOf, listQuery } from './lists.ts';
import { byName, nothing, type Route } from './route.ts';

/** Secrets, all but what they are. */
export const secretRoutes = {
  listSecrets: {
    method: 'GET',
    path: '/api/v1/secrets',
    summary: 'Names of secrets, who uses them, and never what they are',
    tag: 'secrets',
    query: listQuery(['name', 'kind', 'createdAt', 'updatedAt'], 'name', { kind: anyOf(access.secretKind.options) }),
    reply: listOf(access.secret, 'SecretList'),
    status: 200,
    role: 'admin',
  },
  getSecret: {
    method: 'GET',
    path: '/api/v1/secrets/:name',
    summary: 'One secret, but for its value',
    tag: 'secrets',
    params: byName,
    reply: access.secret,
    status: 200,
    role: 'admin',
  },
  setSecret: {
    method: 'PUT',
    path: '/api/v1/secrets/:name',
    summary: 'Make a secret, or give it another value. Sites and descriptors refer to it as `secret:NAME`',
    tag: 'secrets',
    params: byName,
    body: z.object({
      kind: access.secretKind,
      value: z.string().min(8).max(65_536).meta({ description: 'Never in an answer', format: 'password' }),
    }),
    reply: access.secret,
    status: 200,
    role: 'admin',
  },
  removeSecret: {
    method: 'DELETE',
    path: '/api/v1/secrets/:name',
    summary: 'Remove a secret to which nothing refers',
    tag: 'secrets',
    params: byName,
    reply: nothing,
    status: 204,
    role: 'admin',
  },
  rotateSecretKey: {
    method: 'POST',
    path: '/api/v1/secret-keys',
    summary: 'Seal all secrets anew with a new key, or with the first one of the environment',
    tag: 'secrets',
    reply: z.object({ keyId: z.string(), secrets: z.int() }).meta({ id: 'RotatedKey' }),
    status: 200,
    role: 'admin',
  },
} as const satisfies Record<string, Route>;
