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
  'SF-KUBE-KURYR': {
    status: 502,
    title: 'Kuryr did not connect the pod to the network of its unit',
    hint: 'Its configuration needs `drivers: {subnet: annotation}` and the cloud of the site that `kuryr` names; `kubectl describe pod` shows what it did.',
    transient: true,
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
  'SF-KUBE-WORKLOAD': {
    status: 422,
    title: 'The unit cannot be this kind of object',
    hint: 'Change `workloads` in the configuration of the site: docs/guides/kubernetes.md says what each kind is for.',
  },
  'SF-KUBE-RUNTIME': {
    status: 422,
    title: 'The cluster has no such RuntimeClass',
    hint: '`superfluidity site show NAME` lists those that it has: name one of them under `runtimeClasses` in the configuration of the site.',
  },
  'SF-KUBE-PARENT': {
    status: 422,
    title: 'The host is not what the unit is nested in',
    hint: 'Label the nodes that are virtual machines of the unit around it, or say under `parents` in the configuration of the site which they are.',
  },
  'SF-KUBE-SERVICE': {
    status: 422,
    title: 'The cluster does not serve the balancer',
    hint: 'The message says what its Service or Route lacks; `services` in the configuration of the site says where its addresses are from.',
  },
  'SF-KUBE-BUILD': {
    status: 422,
    title: 'An image was not built from its source',
    hint: '`oc logs` of the build that the message names says more; look at `builds` in the configuration of the site.',
  },
  'SF-KUBE-OPENSHIFT': {
    status: 422,
    title: 'The cluster is not OpenShift, or lacks a part of it',
    hint: 'Leave out of the configuration of the site what the message names: it is there in OpenShift only.',
  },
  'SF-KUBE-CLOSED': {
    status: 503,
    title: 'The site is being closed',
    hint: 'Try again when it is open.',
    transient: true,
  },
});
