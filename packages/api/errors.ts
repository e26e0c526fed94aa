import { defineErrors } from '@superfluidity/core';

export const apiErrors = defineErrors({
  'SF-API-UNREACHABLE': {
    status: 503,
    title: 'The control plane does not answer',
    hint: 'Start it with `npm start` or `superfluidity server`, or name it with --server.',
    transient: true,
  },
  'SF-API-REFUSED': {
    status: 500,
    title: 'The control plane refused the request',
    hint: 'See the error that it gave.',
  },
  'SF-API-CURSOR': {
    status: 400,
    title: 'The place in the list is not one that this list gave',
    hint: 'Pass `next` of a page as `after`, with the same `sort`; or begin without it.',
  },
});
