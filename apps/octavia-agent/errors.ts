import { defineErrors } from '@superfluidity/core';

export const octaviaAgentErrors = defineErrors({
  'SF-OCTAVIA-UNSUPPORTED': {
    status: 422,
    title: 'This provider cannot balance like this',
    hint: 'Leave out what the message names, or choose another provider: `openstack loadbalancer provider list`.',
  },
  'SF-OCTAVIA-UNKNOWN': {
    status: 404,
    title: 'The agent does not know this load balancer',
    hint: 'It was made before the agent kept its state, or the state was lost: delete the load balancer and make it again.',
  },
  'SF-OCTAVIA-FOLDER': {
    status: 422,
    title: 'The folder of the agent is too deep for the sockets of its proxies',
    hint: 'Start the agent with a shorter --folder.',
  },
  'SF-OCTAVIA-SOCKET': {
    status: 502,
    title: 'A socket of Octavia does not answer as it should',
    hint: 'Check that octavia-driver-agent runs, and that the paths of its sockets are those that the agent was given.',
  },
  'SF-OCTAVIA-COMMAND': {
    status: 502,
    title: 'A command on the network node failed',
    hint: 'The answer has what it said. The agent needs root, ip, ovs-vsctl and haproxy.',
  },
});
