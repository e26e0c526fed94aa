import { defineErrors } from '@superfluidity/core';

export const linuxErrors = defineErrors({
  'SF-LINUX-LINK-PEER': {
    status: 409,
    title: 'The other end of the link is not on this machine',
    hint: 'Links of the Linux driver join two sites of one machine: open both sites first, and link them by their names.',
  },
  'SF-LINUX-PATH-UNKNOWN': {
    status: 404,
    title: 'The site has no such version of the service chain',
    hint: 'A version is installed before it is activated: retry the operation.',
  },
  'SF-LINUX-CLOSED': {
    status: 503,
    title: 'The site is being closed',
    hint: 'Try again when it is open.',
    transient: true,
  },
});
