import { defineErrors } from '@superfluidity/core';

export const accessErrors = defineErrors({
  'SF-ACCESS-NO-TOKEN': {
    status: 401,
    title: 'The request carries no token',
    hint: 'Sign in in the console, or send `Authorization: Bearer <token>`. The first admin token is in the file admin.token of the state folder.',
  },
  'SF-ACCESS-BAD-TOKEN': {
    status: 401,
    title: 'The token is not known here',
    hint: 'It may have been revoked, or belong to another server. `superfluidity token show` prints the one of this machine.',
  },
  'SF-ACCESS-FORBIDDEN': {
    status: 403,
    title: 'The user or the token does not allow this',
    hint: 'It takes the role admin: `superfluidity token create NAME --role admin`, or `superfluidity user role NAME admin`.',
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
  'SF-ACCESS-SESSION': {
    status: 401,
    title: 'The session in this browser is over',
    hint: 'Sign in again. Sessions end after twelve hours, when their user is disabled, and by signing out everywhere.',
  },
  'SF-ACCESS-PASSWORD': {
    status: 401,
    title: 'The name or the password is wrong',
    hint: 'An admin can set a new password: `superfluidity user password NAME`. Who has none cannot sign in.',
  },
  'SF-ACCESS-OLD-PASSWORD': {
    status: 422,
    title: 'The password until now is another one',
    hint: 'Whoever has forgotten it asks an admin: `superfluidity user password NAME`.',
  },
  'SF-ACCESS-TOO-MANY': {
    status: 429,
    title: 'Too many passwords were wrong',
    hint: 'Wait for as long as the header Retry-After says. Tokens work meanwhile.',
    transient: true,
  },
  'SF-ACCESS-BUSY': {
    status: 503,
    title: 'Too many passwords are being checked',
    hint: 'Try again in a few seconds.',
    transient: true,
  },
  'SF-ACCESS-WEAK': {
    status: 400,
    title: 'The password is too easy to guess',
    hint: 'Take twelve characters or more: four words that have nothing to do with each other are good.',
  },
  'SF-ACCESS-NO-BROWSER': {
    status: 403,
    title: 'Only the console may sign in',
    hint: 'Programs use a token: `superfluidity token create NAME`.',
  },
  'SF-ACCESS-UNKNOWN-USER': {
    status: 404,
    title: 'There is no user with this name',
    hint: 'List them with `superfluidity user list`.',
  },
  'SF-ACCESS-USER-TAKEN': {
    status: 409,
    title: 'There is a user with this name already',
    hint: 'Choose another name.',
  },
  'SF-ACCESS-LAST-USER': {
    status: 409,
    title: 'Nobody would be left who may change anything',
    hint: 'Make another admin first, with a password or a token: `superfluidity user add NAME --role admin`.',
  },
  'SF-ACCESS-ROLE': {
    status: 409,
    title: 'A token cannot allow more than its user',
    hint: 'Give the user the role first: `superfluidity user role NAME admin`.',
  },
  'SF-SECRET-UNKNOWN': {
    status: 404,
    title: 'There is no secret with this name',
    hint: 'List them with `superfluidity secret list`; make it with `superfluidity secret set NAME`.',
  },
  'SF-SECRET-IN-USE': {
    status: 409,
    title: 'Something refers to the secret',
    hint: 'Change the site, or terminate the service, before you remove it.',
  },
  'SF-SECRET-KEY': {
    status: 500,
    title: 'The key of the secrets is not there or cannot be used',
    hint: 'Start the server with the key by which they were sealed: secrets.key of the state folder, --key-file, or SUPERFLUIDITY_SECRET_KEY. Servers of one database need the same one.',
  },
  'SF-SECRET-BROKEN': {
    status: 500,
    title: 'A secret is not as it was sealed',
    hint: 'Somebody has changed it in the database. Set it again, and find out who it was.',
  },
});
