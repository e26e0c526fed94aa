import type { Handlers } from '@superfluidity/api';
import type { Access } from './access.ts';

export function accessHandlers(access: Access): Handlers<'getMe' | 'listTokens' | 'createToken' | 'revokeToken'> {
  return {
    // The route asks for a token, so that nobody here is `anyone`.
    getMe: async ({ principal: { name, role } }) => ({ name, role: role === 'admin' ? 'admin' : 'reader' }),
    listTokens: ({ query }) => access.list(query),
    createToken: ({ body }) => access.create(body.name, body.role),
    revokeToken: async ({ params }) => {
      await access.revoke(params.name);
      return null;
    },
  };
}
