import { defineErrors } from '../errors.ts';

export const archiveErrors = defineErrors({
  'SF-CORE-ARCHIVE': {
    status: 400,
    title: 'An archive cannot be read',
    hint: 'Pack it again, without encryption and links to the outside; or unpack it and name the folder.',
  },
});
