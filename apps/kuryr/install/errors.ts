import { defineErrors } from '@superfluidity/core';

export const installErrors = defineErrors({
  'SF-KURYR-INSTALL': {
    status: 422,
    title: 'Kuryr cannot be installed like this',
    hint: 'The message names what is lacking; `superfluidity kuryr install --help` lists what can be given.',
  },
  'SF-KURYR-INSTALLED': {
    status: 409,
    title: 'Kuryr is installed in another namespace of the cluster',
    hint: 'Two controllers of one cluster would give away the same ports: uninstall the other first.',
  },
  'SF-KURYR-IN-USE': {
    status: 409,
    title: 'Kuryr is in use',
    hint: 'Its controller alone gives back what stands behind these: end the pods, or move them to another network, and try again; --wait waits for it. --abandon removes the objects alone, and leaves what they stand for in the cloud.',
  },
});
