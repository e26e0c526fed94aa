import { defineErrors } from '@superfluidity/core';

export const haproxyErrors = defineErrors({
  'SF-HAPROXY-CONFIG': {
    status: 422,
    title: 'HAProxy does not take the configuration of a balancer',
    hint: 'Read its message: a certificate without key, an expression that is none, or a name that it does not know.',
  },
  'SF-HAPROXY-SILENT': {
    status: 502,
    title: 'The proxy of a balancer does not answer',
    hint: 'Its last words are in the answer. An address or port that is taken, or memory, are usual reasons.',
  },
});
