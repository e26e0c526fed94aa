import { defineErrors } from '@superfluidity/core';

export const verifyErrors = defineErrors({
  'SF-VERIFY-INPUT': {
    status: 400,
    title: 'A file of the network cannot be read',
    hint: 'Correct the line that is named, or leave the file out.',
  },
  'SF-VERIFY-FORMAT': {
    status: 400,
    title: 'No reader knows this format',
    hint: 'superfluidity verify --formats lists what is recognised, and by what.',
  },
  'SF-VERIFY-QUESTION': {
    status: 400,
    title: 'The question cannot be read',
    hint: 'The message has the position; docs/guides/verify.md has the languages of packets and policies.',
  },
  'SF-VERIFY-PORT': {
    status: 404,
    title: 'The network has no such port',
    hint: 'Ports are named box:port, and boxes after their files; docs/guides/verify.md says how.',
  },
  'SF-VERIFY-BOUND': {
    status: 422,
    title: 'A bound was hit before the answer was found',
    hint: 'Ask of fewer packets or of a part of the network, or raise the bound that is named.',
  },
  'SF-VERIFY-LIMIT': {
    status: 413,
    title: 'The input is larger than what is read',
    hint: 'Split it, or raise the bound that is named.',
  },
});
