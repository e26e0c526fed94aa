import { defineErrors } from '@superfluidity/core';

export const accessErrors = defineErrors({
  'SF-ACCESS-NO-TOKEN': {
    status: 401,
    title: 'The request carries no token',
    hint: 'Send `Authorization: Bearer <token>`. The first admin token is in the file admin.token of the state folder.',
  },
  'SF-ACCESS-BAD-TOKEN': {
    status: 401,
    title: 'The token is not known here',
    hint: 'It may have been revoked, or belong to another server. `superfluidity token show` prints the one of this machine.',
  },
  'SF-ACCESS-FORBIDDEN': {
    status: 403,
    title: 'The token does not allow this',
    hint: 'Use a token with the role admin: `superfluidity token create NAME --role admin`.',
  },
  'SF-ACCESS-NAME-TAKEN': {
    status: 409,
    title: 'There is a token with this name already',
    hint: 'Choose another name, or revoke that one first.',
  },
  'SF-ACCESS-UNKNOWN-TOKEN': {
    status: 404,
    title: 'There is no token with this name',
    hint: 'List them with `superfluidity token list`.',
  },
  'SF-ACCESS-LAST-ADMIN': {
    status: 409,
    title: 'It is the last token that may change anything',
    hint: 'Create another admin token first: `superfluidity token create NAME --role admin`.',
  },
});
