import { defineErrors } from '@superfluidity/core';

export const cliErrors = defineErrors({
  'SF-CLI-USAGE': {
    status: 400,
    title: 'The command was not given as it should be',
    hint: 'See the help: add --help to the command.',
  },
  'SF-CLI-FILE': {
    status: 400,
    title: 'A file cannot be used',
    hint: 'Check the path and its permissions.',
  },
  'SF-CLI-NO-TOKEN': {
    status: 401,
    title: 'No token was found',
    hint: 'Start a server on this machine (`superfluidity server`), set SUPERFLUIDITY_TOKEN, or name a file with --token-file.',
  },
  'SF-CLI-SECRET-INPUT': {
    status: 400,
    title: 'The password or the secret was not given',
    hint: 'Type it at a terminal, or give it on standard input: `command < file`. It is never an argument.',
  },
  'SF-CLI-TERMINAL': {
    status: 409,
    title: 'No terminal was opened',
    hint: 'The reason is that of the control plane; `superfluidity service logs NAME UNIT` reads what the unit prints.',
  },
  'SF-PACKAGE-CONTENT': {
    status: 400,
    title: 'The package cannot be used',
    hint: 'See `superfluidity package inspect`: it says what a package holds.',
  },
  'SF-PACKAGE-SIGNATURE': {
    status: 422,
    title: 'The signature of the package does not match',
    hint: 'Get the package anew from who signed it; do not use it as it is.',
  },
  'SF-PACKAGE-KEY': {
    status: 400,
    title: 'A key or a certificate cannot be used',
    hint: 'Name files in PEM: a private RSA or ECDSA key without a passphrase, and its X.509 certificate.',
  },
  'SF-PUBLISH-ADDRESS': {
    status: 400,
    title: 'The repository or the branch cannot be used',
    hint: 'Name a URL or a path without a password: git asks its credential helper, or ssh its agent.',
  },
  'SF-PUBLISH-GIT': {
    status: 502,
    title: 'git failed',
    hint: 'The answer of git is shown; try the same with git itself, with the same user.',
  },
  'SF-PUBLISH-REJECTED': {
    status: 409,
    title: 'The repository did not take what was pushed',
    hint: 'Others push all the time, or a rule of the repository forbids it: the answer of git says which. Try again, or another branch.',
  },
  'SF-CLI-TIMEOUT': {
    status: 504,
    title: 'The operation did not end within the time limit',
    hint: 'It goes on: follow it with `superfluidity operation watch ID`.',
    transient: true,
  },
});
