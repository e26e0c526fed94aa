import { defineErrors } from '@superfluidity/core';

export const demoErrors = defineErrors({
  'SF-DEMO-SERVER': {
    status: 500,
    title: 'The control plane of the demo did not start',
    hint: 'Its last words are in the answer above. `superfluidity doctor` says what this machine lacks.',
  },
  'SF-DEMO-OPERATION': {
    status: 500,
    title: 'An operation of the demo did not complete',
    hint: 'The cause is above. `superfluidity doctor` says what this machine lacks.',
  },
  'SF-DEMO-SILENT': {
    status: 504,
    title: 'The user equipment of the demo gets no video',
    hint: 'Start `superfluidity server --demo` and read its output: `superfluidity service logs mobile-edge ue`.',
  },
});
