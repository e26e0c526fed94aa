import { defineErrors } from '@superfluidity/core';

export const kuryrKubernetesErrors = defineErrors({
  'SF-KURYR-LISTEN': {
    status: 409,
    title: 'Probes and metrics cannot be answered',
    hint: 'Another program has the port: choose another by `listen.port` of the controller, or by --health-port of the daemon.',
  },
});
