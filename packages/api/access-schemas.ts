import { z } from 'zod';
import { name } from './schemas.ts';

/** A reader sees everything and changes nothing. */
export const role = z.enum(['reader', 'admin']);

/** Who asks, as `getMe` tells it. */
export const principal = z
  .object({
    name: z.string().meta({ description: 'Name of the user' }),
    role,
    token: z.string().optional().meta({ description: 'Name of the token, where it is one' }),
    session: z
      .object({ id: z.string(), expiresAt: z.number() })
      .optional()
      .meta({ description: 'Of a browser that has signed in' }),
  })
  .meta({ id: 'Principal' });

export const token = z
  .object({
    id: z.string(),
    name,
    user: z.string().meta({ description: 'Whose it is. It allows no more than its user may' }),
    role,
    createdAt: z.number(),
  })
  .meta({ id: 'Token' });

/** Never in an answer, a log or an event. */
export const password = z.string().max(1_024).meta({ description: 'Twelve characters or more', format: 'password' });

export const user = z
  .object({
    id: z.string(),
    name,
    role,
    disabled: z.boolean().meta({ description: 'Can neither sign in nor use tokens' }),
    hasPassword: z.boolean().meta({ description: 'Without one nobody signs in with this name' }),
    tokenCount: z.int(),
    sessionCount: z.int().meta({ description: 'Browsers in which the user has signed in' }),
    createdAt: z.number(),
    signedInAt: z.number().optional().meta({ description: 'Last time' }),
  })
  .meta({ id: 'User' });

export const session = z
  .object({ id: z.string(), address: z.string(), agent: z.string(), createdAt: z.number(), expiresAt: z.number() })
  .meta({ id: 'Session' });

export const userDetail = user
  .extend({ tokens: z.array(token), sessions: z.array(session) })
  .meta({ id: 'UserDetail' });

export const secretKind = z.enum(['registry', 'cloud', 'cloud-init', 'ssh-key', 'other']);

/** Of a secret everything but the secret. */
export const secret = z
  .object({
    name,
    kind: secretKind,
    version: z.int().meta({ description: 'How often it was set' }),
    fingerprint: z.string().meta({ description: 'Equal for equal values under one key; tells nothing of the value' }),
    setBy: z.string().meta({ description: 'User who set it last' }),
    createdAt: z.number(),
    updatedAt: z.number(),
    usedBy: z.array(z.object({ kind: z.enum(['site', 'service']), name: z.string() })),
  })
  .meta({ id: 'Secret' });
