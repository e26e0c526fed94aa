import { defineErrors } from '@superfluidity/core';

export const kuryrErrors = defineErrors({
  'SF-KURYR-CONFIG': {
    status: 422,
    title: 'The configuration of Kuryr cannot be used',
    hint: 'The message names the field; docs/guides/kuryr.md lists all of them.',
  },
  'SF-KURYR-ANNOTATION': {
    status: 422,
    title: 'An annotation or label of an object cannot be used',
    hint: 'Correct it, or remove it: then what the controller is configured with holds.',
  },
  'SF-KURYR-ATTACHMENT': {
    status: 422,
    title: 'A pod cannot be attached to a network that it asks for',
    hint: 'The message says what is lacking; NetworkAttachmentDefinitions that can be named are described in docs/guides/kuryr.md.',
  },
  'SF-KURYR-NODE': {
    status: 422,
    title: 'Pods of this node cannot be given interfaces',
    hint: 'Say by the label `superfluidity.dev/vif` of the node, or by `drivers.vif` of the configuration, how its pods are connected; the message says what is lacking for that.',
  },
  'SF-KURYR-NOT-READY': {
    status: 503,
    title: 'Something that a pod needs is still being made',
    hint: 'It is tried again by itself; events of the object that the message names say what it waits for.',
    transient: true,
  },
  'SF-KURYR-ADDRESSES': {
    status: 503,
    title: 'The network has no address left',
    hint: 'Enlarge the prefix, end pods, or lower what pools keep ready (`pool.minimum`).',
    transient: true,
  },
  'SF-KURYR-RESOURCE': {
    status: 422,
    title: 'A resource of Kuryr was changed by somebody else and cannot be read',
    hint: 'These resources are written by the controller alone: delete it, and it is made anew.',
  },
  'SF-KURYR-POLICY': {
    status: 422,
    title: 'The network policy cannot be carried out',
    hint: 'The message says what is not possible, or which limit it exceeds; what was carried out before holds on.',
  },
  'SF-KURYR-SERVICE': {
    status: 422,
    title: 'The service cannot be balanced like this',
    hint: 'Types ClusterIP and LoadBalancer, protocols TCP, UDP and SCTP are balanced, with the limits that the message names.',
  },
});
