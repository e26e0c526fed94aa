import type { AccessRouteName, Connection, Handlers, Me, Principal, SecretRouteName } from '@superfluidity/api';
import { SuperfluidityError } from '@superfluidity/core';
import type { Access } from './access.ts';
import './errors.ts';
import type { Vault } from './secrets/vault.ts';

type Names = AccessRouteName | SecretRouteName;

export function accessHandlers(access: Access, vault: Vault): Handlers<Names> {
  const { users, sessions } = access;
  return {
    getMe: async ({ principal }) => meOf(principal),
    async signIn({ body, connection }) {
      const { address, agent, keepSession } = browser(connection);
      const { secret, principal } = await sessions.signIn({ ...body, address, agent });
      keepSession(secret, principal.session.expiresAt);
      return meOf(principal);
    },
    async signOut({ query, principal, connection }) {
      if (query.everywhere === 'true') await sessions.endAll(principal.name);
      else if (principal.session !== undefined) await sessions.end(principal.session.id);
      connection?.forgetSession();
      return null;
    },
    async changePassword({ body, principal, connection }) {
      await sessions.changePassword(principal, body.current, body.password, connection?.address ?? 'local');
      return null;
    },

    listUsers: ({ query }) => users.list(query),
    addUser: ({ body }) => users.add(body.name, body.role, body.password),
    getUser: ({ params }) => users.show(params.name),
    changeUser: ({ params, body }) => users.change(params.name, body),
    async setUserPassword({ params, body }) {
      await users.setPassword(params.name, body.password);
      return null;
    },
    async endUserSessions({ params }) {
      await users.show(params.name);
      await sessions.endAll(params.name);
      return null;
    },
    async removeUser({ params }) {
      await users.remove(params.name);
      return null;
    },

    listTokens: ({ query }) => access.list(query),
    createToken: ({ body, principal }) => access.create(body.name, body.role, body.user ?? principal.name),
    async revokeToken({ params }) {
      await access.revoke(params.name);
      return null;
    },

    listSecrets: ({ query }) => vault.list(query),
    getSecret: ({ params }) => vault.show(params.name),
    setSecret: ({ params, body, principal }) => vault.set(params.name, body.kind, body.value, principal.name),
    async removeSecret({ params }) {
      await vault.remove(params.name);
      return null;
    },
    rotateSecretKey: async () => ({ ...(await vault.rotate()) }),
  };
}

function browser(connection: Connection | undefined): Connection {
  if (connection !== undefined) return connection;
  throw new SuperfluidityError('SF-ACCESS-NO-BROWSER', {
    doing: 'sign in',
    reason: 'nobody is there to keep a session',
  });
}

/** The routes ask for a principal, so that nobody here is `anyone`. */
function meOf({ name, role, token, session }: Principal): Me {
  return {
    name,
    role: role === 'admin' ? 'admin' : 'reader',
    ...(token === undefined ? {} : { token }),
    ...(session === undefined ? {} : { session: { ...session } }),
  };
}
