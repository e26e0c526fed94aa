import { defineErrors } from '@superfluidity/core';

export const fabricErrors = defineErrors({
  'SF-FABRIC-CHAIN': {
    status: 422,
    title: 'The service chain cannot be realised',
    hint: 'A chain leads through at least two ports, each of them once, to an address that no other port on the way has.',
  },
  'SF-FABRIC-SID': {
    status: 422,
    title: 'A hop of the chain has no usable segment identifier',
    hint: 'The site has to state a SID (an IPv6 address) for its router and for every port: see `superfluidity site show NAME`.',
  },
  'SF-FABRIC-PREFIX': {
    status: 422,
    title: 'The IPv4 prefix cannot be used',
    hint: 'Write it as ADDRESS/LENGTH with a length from 8 to 30 and no bits set after the prefix, for example 10.60.1.0/24.',
  },
  'SF-FABRIC-ADDRESS': {
    status: 422,
    title: 'The IPv4 address is not valid',
    hint: 'Write it as four numbers from 0 to 255 without leading zeros, for example 10.60.1.7.',
  },
  'SF-FABRIC-BALANCER': {
    status: 422,
    title: 'The site cannot balance like this',
    hint: 'The message names what is asked for and the kinds of balancers that have it: leave it out, or place the units at a site that has one.',
  },
  'SF-FABRIC-QUALITY': {
    status: 422,
    title: 'The site cannot treat packets of a port like this',
    hint: 'Leave out what the message names, or place the unit at a site that has it: `superfluidity site show NAME`.',
  },
  'SF-FABRIC-POOL-CLOSED': {
    status: 503,
    title: 'The pool is closed',
    hint: 'The site is being closed, or what the pool is of is being removed; try again when it is open.',
    transient: true,
  },
  'SF-FABRIC-POOL-BUSY': {
    status: 503,
    title: 'Too many wait for the pool',
    hint: 'Ask for fewer at a time, or let the pool keep more.',
    transient: true,
  },
  'SF-FABRIC-POOL-QUOTA': {
    status: 503,
    title: 'The pool may not make more',
    hint: 'The quota of the project is used up: raise it, lower the minimum of the pool, or give ports back.',
    transient: true,
  },
  'SF-FABRIC-VLAN': {
    status: 503,
    title: 'The trunk has no VLAN id left',
    hint: 'A trunk carries 4094 ports at most: put the units on another host.',
  },
  'SF-FABRIC-PORT-NOT-READY': {
    status: 502,
    title: 'A port was made and did not become ready',
    hint: 'Nothing plugs it, or the agent of its host is not alive: `superfluidity site show NAME` lists the agents.',
    transient: true,
  },
});
