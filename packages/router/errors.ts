import { defineErrors } from '@superfluidity/core';

export const routerErrors = defineErrors({
  'SF-LINUX-STATE': {
    status: 507,
    title: 'The driver cannot write down what it did',
    hint: 'Look at the space and the rights of /run/superfluidity: `df /run`.',
  },
  'SF-LINUX-COMMAND': {
    status: 500,
    title: 'A program of the system failed',
    hint: 'The request is its command line and the answer is what it printed; run it by hand to look closer.',
  },
  'SF-LINUX-COMMAND-MISSING': {
    status: 501,
    title: 'A program of the system is not installed',
    hint: 'Run `superfluidity doctor --fix` as root, or install the package that has the program.',
  },
  'SF-LINUX-COMMAND-TIMEOUT': {
    status: 504,
    title: 'A program of the system did not finish in time',
    hint: 'The machine may be overloaded; retry when it is not.',
    transient: true,
  },
  'SF-LINUX-NO-ANSWER': {
    status: 504,
    title: 'An address did not answer a ping within the time limit',
    hint: 'Look at the log of the unit that has the address and at the routes on the way.',
    transient: true,
  },
});
