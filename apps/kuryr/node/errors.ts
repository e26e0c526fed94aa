import { defineErrors } from '@superfluidity/core';

export const kuryrNodeErrors = defineErrors({
  'SF-KURYR-NFT': {
    status: 502,
    title: 'The kernel of the node refused what Services or policies became',
    hint: 'Check that nft(8) is on the node, that the daemon is root there, and what `nft list tables` says.',
    transient: true,
  },
  'SF-KURYR-BRIDGED': {
    status: 501,
    title: 'What goes from pod to pod of one bridge does not pass the packet filter of the node',
    hint: 'The kernel needs br_netfilter (`modprobe br_netfilter`), and net.bridge.bridge-nf-call-iptables=1 in the network of the node.',
    transient: true,
  },
  'SF-KURYR-FLOWS': {
    status: 502,
    title: 'Flows of UDP to endpoints that have gone could not be removed',
    hint: 'Install conntrack(8) on the node; until then such flows end when they are silent for 30 s to 180 s.',
    transient: true,
  },
});
