import { defineErrors } from '@superfluidity/core';

export const openstackSiteErrors = defineErrors({
  'SF-CLOUD-STATE': {
    status: 507,
    title: 'The driver cannot write down what it has to remember',
    hint: 'Look at the space and the rights of the state folder of the server.',
  },
  'SF-CLOUD-CHAIN': {
    status: 422,
    title: 'The site cannot steer packets through a chain',
    hint: 'Chains need the extension `sfc` of Neutron: `superfluidity site show NAME`. Services without chains work.',
  },
  'SF-CLOUD-BALANCER': {
    status: 422,
    title: 'The site cannot balance load',
    hint: 'Balancers need Octavia in the catalogue of the cloud: `superfluidity site show NAME`.',
  },
  'SF-CLOUD-GATEWAY': {
    status: 409,
    title: 'The gateway between the cloud and this machine cannot be used',
    hint: 'Look at `gateway` in the configuration of the site, and at the device that it names: see docs/guides/openstack.md.',
  },
  'SF-CLOUD-NODE': {
    status: 422,
    title: 'A node of the cloud cannot be read',
    hint: 'It needs root, and the programs ovs-vsctl, ovs-ofctl, ovs-appctl, ip and iptables-save on the node: see docs/guides/openstack.md.',
  },
  'SF-CLOUD-PODS': {
    status: 409,
    title: 'Pods have ports in the network',
    hint: 'Remove the pods. When there are none, the controller of Kuryr lets go of its ports, if it runs: `kubectl -n kube-system get lease superfluidity-kuryr`. Then try again.',
    transient: true,
  },
  'SF-CLOUD-CLOSED': {
    status: 503,
    title: 'The site is being closed',
    hint: 'Try again when it is open.',
    transient: true,
  },
});
