import type { Handlers } from '@superfluidity/api';
import type { Access } from './access.ts';

export function accessHandlers(access: Access): Handlers<'listTokens' | 'createToken' | 'revokeToken'> {
  return {
    listTokens: async () => [...(await access.list())],
    createToken: ({ body }) => access.create(body.name, body.role),
    revokeToken: async ({ params }) => {
      await access.revoke(params.name);
      return null;
    },
  };
}
