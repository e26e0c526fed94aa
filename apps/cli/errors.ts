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
  'SF-CLI-TIMEOUT': {
    status: 504,
    title: 'The operation did not end within the time limit',
    hint: 'It goes on: follow it with `superfluidity operation watch ID`.',
    transient: true,
  },
});
