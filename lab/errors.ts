import { defineErrors } from '@superfluidity/core';

export const labErrors = defineErrors({
  'SF-LAB-OPTION': {
    status: 400,
    title: 'The laboratory does not know this option',
    hint: 'Read `npm run lab -- openstack --help`, or that of `kubernetes`.',
  },
  'SF-LAB-ROOT': {
    status: 403,
    title: 'The laboratory needs root',
    hint: 'Run it as root, in a container or a virtual machine if you would rather not.',
  },
  'SF-LAB-PACKAGES': {
    status: 424,
    title: 'Packages that the laboratory runs are not installed',
    hint: 'Run the same command with --install, or install what is named with apt-get (Debian 12).',
  },
  'SF-LAB-COMMAND': {
    status: 502,
    title: 'A program that prepares the laboratory failed',
    hint: 'Read what it said; `npm run lab -- KIND down --wipe` and `up` begin anew.',
  },
  'SF-LAB-PROCESS': {
    status: 502,
    title: 'A process of the laboratory ended or does not answer',
    hint: 'Read its log, which is named above; `npm run lab -- KIND up` starts it again.',
    transient: true,
  },
  'SF-LAB-REQUEST': {
    status: 502,
    title: 'A service of the laboratory refused a request',
    hint: 'Read its answer and its log under the folder `log` of the laboratory.',
  },
  'SF-LAB-ABSENT': {
    status: 404,
    title: 'There is no laboratory here',
    hint: 'Start one with `npm run lab -- KIND up`.',
  },
});
