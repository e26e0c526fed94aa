import { defineErrors } from '@superfluidity/core';

export const kuryrCniErrors = defineErrors({
  'SF-CNI-SOCKET': {
    status: 409,
    title: 'The daemon of the node cannot listen on its socket',
    hint: 'One daemon serves a node: stop the other one, or give this one a socket and a folder of its own with --socket and --folder.',
  },
  'SF-CNI-STATE': {
    status: 507,
    title: 'The daemon of the node cannot write down what it plugged',
    hint: 'Look at the space and the rights of its folder: `df /run`.',
  },
  'SF-CNI-OVSDB': {
    status: 502,
    title: 'Open vSwitch does not do what it was asked for',
    hint: 'Check that ovsdb-server and ovs-vswitchd run on the node, that the bridge is there, and what `ovs-vsctl show` says of the port.',
    transient: true,
  },
  'SF-CNI-INSTALL': {
    status: 500,
    title: 'The CNI plugin cannot be built or installed',
    hint: 'It needs a C compiler (gcc and libc6-dev), or --executable with the file that was built elsewhere.',
  },
});
