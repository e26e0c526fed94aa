import { defineErrors } from '@superfluidity/core';

export const kubernetesSiteErrors = defineErrors({
  'SF-KUBE-CONFIG': {
    status: 422,
    title: 'The kubeconfig cannot be used',
    hint: 'Name a file that `kubectl --kubeconfig FILE --context NAME get pods` works with.',
  },
  'SF-KUBE-FORBIDDEN': {
    status: 403,
    title: 'The cluster does not allow it',
    hint: 'Give the user of the kubeconfig what docs/guides/kubernetes.md lists: `kubectl auth can-i --list` says what it has.',
  },
  'SF-KUBE-REFUSED': {
    status: 422,
    title: 'The API server refused an object',
    hint: 'The answer says why: a quota, a policy of admission, or a field.',
  },
  'SF-KUBE-NETWORK': {
    status: 422,
    title: 'The network of the cluster cannot do this',
    hint: 'A cluster has one flat network of pods that gives addresses by itself: leave out what the message names, or place the unit at a site that has networks.',
  },
  'SF-KUBE-POLICY': {
    status: 422,
    title: 'Nothing would enforce the rules',
    hint: 'When the network of the cluster enforces NetworkPolicies, set `policies: true` in the configuration of the site; else leave `allow` out.',
  },
  'SF-KUBE-CHAIN': {
    status: 422,
    title: 'The site cannot steer packets through a chain',
    hint: 'Place the units of chains at sites of kind linux or openstack. Services without chains work.',
  },
  'SF-KUBE-CLOSED': {
    status: 503,
    title: 'The site is being closed',
    hint: 'Try again when it is open.',
    transient: true,
  },
});
