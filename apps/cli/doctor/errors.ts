import { defineErrors } from '@superfluidity/core';

export const doctorErrors = defineErrors({
  'SF-DOCTOR-ROOT': {
    status: 403,
    title: 'Installing packages needs root',
    hint: 'Run `sudo npx superfluidity doctor --fix`, or install the packages that the table names.',
  },
  'SF-DOCTOR-CONFIRM': {
    status: 400,
    title: 'What would be removed has to be confirmed',
    hint: 'Read what is named above, then run the command again with --yes.',
  },
  'SF-DOCTOR-SYSTEM': {
    status: 501,
    title: 'Packages can be installed on Debian and Ubuntu only',
    hint: 'Install what the table names with the package manager of this system.',
  },
  'SF-DOCTOR-INSTALL': {
    status: 502,
    title: 'A package could not be installed',
    hint: 'Read the answer of the package manager; run the command again when its cause is gone.',
    transient: true,
  },
});
