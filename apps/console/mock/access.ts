import {
  type AccessRouteName,
  listShapes,
  type Me,
  pageOf,
  type Token,
  type User,
  type UserDetail,
} from '@superfluidity/api';
import type { Handlers } from './handlers.ts';
import { found, Refusal } from './refusal.ts';
import type { World } from './world.ts';

type AccessHandlers = Pick<Handlers, AccessRouteName>;

const SESSION_MS = 12 * 3_600_000;
const PASSWORD_MIN = 12;

/** Who may use the mock control plane. */
export function accessHandlers(world: World): AccessHandlers {
  const userOf = (name: string | undefined): User => {
    const one = world.users.find((user) => user.name === name);
    return found(
      one,
      'SF-ACCESS-UNKNOWN-USER',
      `there is no user ${name}`,
      'List them with `superfluidity user list`.',
    );
  };
  const sessionsOf = (name: string) => [...world.sessions].filter(([, one]) => one.user === name);
  const counted = (one: User): User => ({
    ...one,
    hasPassword: world.passwords.has(one.name),
    tokenCount: world.tokens.filter((token) => token.user === one.name).length,
    sessionCount: sessionsOf(one.name).length,
  });
  const detailed = (one: User): UserDetail => ({
    ...counted(one),
    tokens: world.tokens.filter((token) => token.user === one.name),
    sessions: sessionsOf(one.name).map(([, { id, expiresAt }]) => ({
      id,
      address: '192.0.2.7',
      agent: 'Mozilla/5.0 (X11; Linux x86_64) Chromium',
      createdAt: expiresAt - SESSION_MS,
      expiresAt,
    })),
  });
  const replace = (one: User): User => {
    world.users[world.users.findIndex(({ id }) => id === one.id)] = one;
    return one;
  };
  const endAll = (name: string, but?: string) => {
    for (const [secret, one] of sessionsOf(name)) if (one.id !== but) world.sessions.delete(secret);
  };
  const strong = (password: string) => {
    if (password.length >= PASSWORD_MIN) return password;
    const hint = 'Take twelve characters or more.';
    throw new Refusal(400, 'SF-ACCESS-WEAK', `it has ${password.length} characters, and takes ${PASSWORD_MIN}`, hint);
  };
  const keepOne = (name: string) => {
    const other = world.users.some((one) => one.role === 'admin' && !one.disabled && one.name !== name);
    if (!other)
      throw new Refusal(409, 'SF-ACCESS-LAST-USER', 'no other admin has a way in', 'Make another admin first.');
  };
  const prove = (name: string, password: string) => {
    if (world.passwords.get(name) === password && userOf(name).disabled === false) return;
    const hint = 'An admin can set a new password: `superfluidity user password NAME`.';
    throw new Refusal(401, 'SF-ACCESS-PASSWORD', `sign in as ${name}: they do not match`, hint);
  };

  return {
    getMe: ({ principal }) => ({ ...principal }),
    signIn: ({ body, keepSession }) => {
      const name: string = body['name']!;
      prove(name, body['password']!);
      const now = Date.now();
      const user = replace({ ...userOf(name), signedInAt: now });
      const session = { id: `ses-0mk${now.toString(36)}`, expiresAt: now + SESSION_MS };
      const secret = `mock-${crypto.randomUUID()}`;
      world.sessions.set(secret, { ...session, user: name });
      keepSession(secret);
      return { name, role: user.role, session };
    },
    signOut: ({ principal, query, keepSession }) => {
      if ((query['everywhere'] as unknown) === 'true') endAll(principal.name);
      for (const [secret, one] of world.sessions) if (one.id === principal.session?.id) world.sessions.delete(secret);
      keepSession('');
      return null;
    },
    changePassword: ({ principal, body }) => {
      if (world.passwords.get(principal.name) !== body['current'])
        throw new Refusal(422, 'SF-ACCESS-OLD-PASSWORD', 'it does not match', 'Ask an admin.');
      world.passwords.set(principal.name, strong(body['password']!));
      endAll(principal.name, principal.session?.id);
      return null;
    },

    listUsers: ({ query }) => pageOf(world.users.map(counted), query as never, listShapes.users),
    addUser: ({ body }) => {
      const name: string = body['name']!;
      if (world.users.some((one) => one.name === name))
        throw new Refusal(409, 'SF-ACCESS-USER-TAKEN', `there is a user ${name}`, 'Choose another name.');
      const password: string | undefined = body['password'];
      if (password !== undefined) world.passwords.set(name, strong(password));
      const role: User['role'] = body['role']!;
      const nothing = { disabled: false, hasPassword: false, tokenCount: 0, sessionCount: 0 };
      const one = { id: `usr-0mkn${world.users.length}`, name, role, ...nothing, createdAt: Date.now() };
      world.users.push(one);
      return detailed(one);
    },
    getUser: ({ params }) => detailed(userOf(params['name'])),
    changeUser: ({ params, body }) => {
      const one = userOf(params['name']);
      const [role, disabled] = [body['role'] as User['role'] | undefined, body['disabled'] as boolean | undefined];
      if (disabled === true || role === 'reader') keepOne(one.name);
      if (disabled === true) endAll(one.name);
      return detailed(
        replace({ ...one, ...(role === undefined ? {} : { role }), ...(disabled === undefined ? {} : { disabled }) }),
      );
    },
    setUserPassword: ({ params, body }) => {
      const { name } = userOf(params['name']);
      world.passwords.set(name, strong(body['password']!));
      endAll(name);
      return null;
    },
    endUserSessions: ({ params }) => {
      endAll(userOf(params['name']).name);
      return null;
    },
    removeUser: ({ params }) => {
      const { name } = userOf(params['name']);
      keepOne(name);
      endAll(name);
      world.users.splice(0, world.users.length, ...world.users.filter((one) => one.name !== name));
      world.tokens.splice(0, world.tokens.length, ...world.tokens.filter((one) => one.user !== name));
      return null;
    },

    listTokens: ({ query }) => pageOf(world.tokens, query as never, listShapes.tokens),
    createToken: ({ body, principal }) => {
      const name: string = body['name']!;
      if (world.tokens.some((token) => token.name === name))
        throw new Refusal(409, 'SF-ACCESS-NAME-TAKEN', `there is a token ${name}`, 'Choose another name.');
      const user = userOf((body['user'] as string | undefined) ?? principal.name);
      const role: Token['role'] = body['role']!;
      const token = { id: `tok-0mkn${world.tokens.length}`, name, user: user.name, role, createdAt: Date.now() };
      world.tokens.push(token);
      return { ...token, secret: `sf_${'mock'.repeat(10)}abc` };
    },
    revokeToken: ({ params }) => {
      const at = world.tokens.findIndex((token) => token.name === params['name']);
      found(world.tokens[at], 'SF-ACCESS-UNKNOWN-TOKEN', `there is no token ${params['name']}`);
      if (!world.tokens.some((token, i) => i !== at && token.role === 'admin'))
        throw new Refusal(409, 'SF-ACCESS-LAST-ADMIN', 'no other admin token', 'Create another one first.');
      world.tokens.splice(at, 1);
      return null;
    },
  };
}

/** Who a browser is that has signed in. */
export function sessionUser(world: World, secret: string | undefined): Me | undefined {
  const session = world.sessions.get(secret ?? '');
  const user = world.users.find(({ name }) => name === session?.user);
  if (session === undefined || user === undefined || user.disabled) return undefined;
  const { id, expiresAt } = session;
  return { name: user.name, role: user.role, session: { id, expiresAt } };
}
