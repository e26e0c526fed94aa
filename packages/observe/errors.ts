import { defineErrors } from '@superfluidity/core';

export const observeErrors = defineErrors({
  'SF-OBSERVE-NOT-WRITTEN': {
    status: 503,
    title: 'The event log cannot be written now',
    hint: 'Check the database. Nothing is lost yet: events wait in memory, up to a limit.',
    transient: true,
  },
});
