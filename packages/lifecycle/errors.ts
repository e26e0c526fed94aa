import { defineErrors } from '@superfluidity/core';

export const lifecycleErrors = defineErrors({
  'SF-LIFECYCLE-NAME-TAKEN': {
    status: 409,
    title: 'There is something of that name already',
    hint: 'Choose another name, or terminate and remove the one that is there.',
  },
  'SF-LIFECYCLE-UNKNOWN': {
    status: 404,
    title: 'There is nothing of that name',
    hint: 'List what there is: `superfluidity service list`, `site list`, `operation list`, `descriptor list`.',
  },
  'SF-LIFECYCLE-LINK': {
    status: 422,
    title: 'The two sites cannot be linked',
    hint: 'Place what talks to each other at one of them: `superfluidity service plan FILE` says where everything would go.',
  },
  'SF-LIFECYCLE-SHARED-NETWORK': {
    status: 422,
    title: 'The site cannot be in the networks of the other one',
    hint: 'Look at `kuryr: {site: ...}` in its configuration: docs/guides/kubernetes.md says what such sites share.',
  },
  'SF-LIFECYCLE-NO-POOLS': {
    status: 409,
    title: 'The site has no pools that can be ordered about',
    hint: 'Its driver keeps nothing ready, or decides alone what it keeps: `superfluidity pool list`.',
  },
  'SF-LIFECYCLE-BUSY': {
    status: 409,
    title: 'Another operation of the service is not finished',
    hint: 'Wait for it, or end it: `superfluidity operation cancel|retry|rollback|fail ID`.',
  },
  'SF-LIFECYCLE-STATE': {
    status: 409,
    title: 'Not possible in this state',
    hint: 'See the state with `superfluidity operation show ID` or `service show NAME`.',
  },
  'SF-LIFECYCLE-DESCRIPTOR': {
    status: 422,
    title: 'The descriptor has errors',
    hint: 'Mend what is listed; `superfluidity service check FILE` shows it with line and column.',
  },
  'SF-LIFECYCLE-ADOPTION': {
    status: 422,
    title: 'The stack cannot go on as that of a service',
    hint: 'Nothing was touched. Change the template so that what is named is otherwise, update the stack, and adopt it then.',
  },
  'SF-LIFECYCLE-POLICY': {
    status: 409,
    title: 'A policy of the service would be violated',
    hint: 'The packet, its path and the rules are in the data of the error; `superfluidity verify service FILE` shows them. Nothing was changed.',
  },
  'SF-LIFECYCLE-POLICY-REALISED': {
    status: 409,
    title: 'What the sites have now violates a policy of the service',
    hint: 'See `superfluidity operation show ID`. `operation retry` asks the sites again, `continue` leaves it as it is, `rollback` takes the operation back.',
  },
  'SF-LIFECYCLE-WAYS': {
    status: 400,
    title: 'Where packets go cannot be asked so',
    hint: 'Places are functions, units and networks of the service, packets a filter of tcpdump: `tcp dst port 80`.',
  },
  'SF-LIFECYCLE-SCALING-POLICY': {
    status: 422,
    title: 'A policy of scaling cannot be used',
    hint: 'See the guide of scaling: tables are made by `superfluidity scale solve --table`, models by `superfluidity scale train`.',
  },
  'SF-LIFECYCLE-PLAYBOOK': {
    status: 422,
    title: 'The playbook cannot be run so',
    hint: 'See which there are with `superfluidity service playbook --help`; docs/guides/cluster.md says what they are given.',
  },
  'SF-LIFECYCLE-PLAYBOOK-FAILED': {
    status: 502,
    title: 'A playbook failed',
    hint: 'Mend what the hosts say and `superfluidity operation retry ID`: what is as it should be is left alone.',
  },
  'SF-LIFECYCLE-IN-USE': {
    status: 409,
    title: 'It is in use',
    hint: 'End what uses it first.',
  },
  'SF-LIFECYCLE-CHANGED': {
    status: 409,
    title: 'Somebody else has saved a version since',
    hint: 'Look at the newest version, take over what it changed, and save after it; the designer of the console merges both.',
  },
  'SF-LIFECYCLE-PREFIX-IN-USE': {
    status: 409,
    title: 'The prefix of a network is used by another service',
    hint: 'Give the network another prefix.',
  },
  'SF-LIFECYCLE-SCALE': {
    status: 422,
    title: 'The number of instances is outside what the descriptor allows',
    hint: 'Choose a number between `scale.min` and `scale.max` of the unit.',
  },
  'SF-LIFECYCLE-SITE-KIND': {
    status: 422,
    title: 'There is no such kind of site',
    hint: 'List the kinds with `superfluidity site kinds`.',
  },
  'SF-LIFECYCLE-SITE-UNUSABLE': {
    status: 409,
    title: 'This machine lacks what the kind of site needs',
    hint: 'See `superfluidity doctor`; `superfluidity doctor --fix` installs what can be installed.',
  },
  'SF-LIFECYCLE-UNIT-MISSING': {
    status: 409,
    title: 'A unit that a step needs is not there',
    hint: 'Retry the operation; it creates what is missing.',
  },
  'SF-LIFECYCLE-RUN-BROKEN': {
    status: 500,
    title: 'The run of an operation broke off',
    hint: 'See the cause; then `superfluidity operation retry ID` goes on, and `rollback` takes back what was done.',
  },
});
