import { defineErrors } from '@superfluidity/core';

export const siteErrors = defineErrors({
  'SF-SITE-FENCED': {
    status: 409,
    title: 'The caller has been replaced by a newer one',
    hint: 'Nothing to do: the server that took over goes on with the operation.',
    // A member in good standing only needs the fence that the others have; one that was replaced does not get it.
    transient: true,
  },
  'SF-SITE-NO-HOST': {
    status: 404,
    title: 'The site has no such host',
    hint: 'List the hosts with `superfluidity site show NAME`.',
  },
  'SF-SITE-NO-CAPACITY': {
    status: 409,
    title: 'The host has no room for the unit',
    hint: 'Remove something, add a host, or lower the requirements.',
  },
  'SF-SITE-ENVIRONMENT': {
    status: 422,
    title: 'The site cannot run this kind of unit',
    hint: 'See what it can run with `superfluidity site show NAME`, or what is missing with `superfluidity doctor`.',
  },
  'SF-SITE-CONFLICT': {
    status: 409,
    title: 'Something else with the same id is there already',
    hint: 'The same id was used for something different. Remove that first.',
  },
  'SF-SITE-ADDRESS-IN-USE': {
    status: 409,
    title: 'The address is in use',
    hint: 'Leave the address out to get a free one, or choose another.',
  },
  'SF-SITE-ADDRESS-EXHAUSTED': {
    status: 409,
    title: 'The network has no free address left',
    hint: 'Give the network a larger prefix.',
  },
  'SF-SITE-ADDRESS-OUTSIDE': {
    status: 422,
    title: "The address does not lie in the site's part of the network",
    hint: 'Leave the address out to get one, or choose one of the prefix that the message names.',
  },
  'SF-SITE-NO-PATH': {
    status: 404,
    title: 'The site has no such version of the service chain',
    hint: 'A version is installed before it is activated: retry the operation.',
  },
  'SF-SITE-NO-NETWORK': {
    status: 404,
    title: 'The site has no such network',
    hint: 'The network is created before its ports: retry the operation.',
  },
  'SF-SITE-IMAGE': {
    status: 422,
    title: 'The image cannot be used',
    hint: 'Check that the path exists, relative to the descriptor, and has the format that its prefix says.',
  },
  'SF-SITE-UNIT-FAILED': {
    status: 502,
    title: 'The unit did not start',
    hint: 'Read its output with `superfluidity service logs NAME UNIT`.',
  },
  'SF-SITE-UNIT-NOT-READY': {
    status: 504,
    title: 'The unit started but its health check did not pass in time',
    hint: 'Read its output with `superfluidity service logs NAME UNIT`; raise `health.timeoutMs` if it is merely slow.',
  },
  'SF-SITE-UNIT-UNKNOWN': {
    status: 404,
    title: 'The site has no such unit',
    hint: 'It may have been removed meanwhile. List the units with `superfluidity service show NAME`.',
  },
  'SF-SITE-NO-TERMINAL': {
    status: 409,
    title: 'There is no terminal to the unit',
    hint: 'Containers and processes have one while they run, virtual machines a serial console; read the output of the others with `superfluidity service logs NAME UNIT`.',
  },
  'SF-SITE-TERMINAL-BUSY': {
    status: 409,
    title: 'The console of the machine is in use',
    hint: 'A serial console has room for one: wait until the other session is closed.',
    transient: true,
  },
  'SF-SITE-NO-DUMP': {
    status: 422,
    title: 'The networks of the site cannot be read',
    hint: 'Sites of kinds linux and openstack can be dumped: `superfluidity site list` shows kinds.',
  },
  'SF-SITE-NO-STACKS': {
    status: 422,
    title: 'The site makes no stacks',
    hint: 'Deploy directly, without `--via heat`; `superfluidity site show NAME` says what the site has.',
  },
  'SF-SITE-NO-STACK': {
    status: 404,
    title: 'The site has no such stack',
    hint: 'Name one by the id or the name that `openstack stack list` shows in the project of the site.',
  },
  'SF-SITE-STACK-FAILED': {
    status: 502,
    title: 'The stack failed',
    hint: 'The message names the resource and its reason. Remove the cause, then `superfluidity operation retry ID`, or roll back.',
  },
  'SF-SITE-NO-WORKFLOWS': {
    status: 422,
    title: 'The site runs no workflows',
    hint: 'See which sites do with `superfluidity site show NAME`.',
  },
  'SF-SITE-WORKFLOW-INVALID': {
    status: 422,
    title: 'The workflow cannot be run',
    hint: 'Correct its definition, its name or its input: the message is that of the site.',
  },
  'SF-SITE-WORKFLOW-FAILED': {
    status: 502,
    title: 'The workflow failed',
    hint: 'The message has what its tasks said. `superfluidity operation retry ID` runs those again that failed.',
  },
  'SF-SITE-UNAVAILABLE': {
    status: 503,
    title: 'The site does not answer',
    hint: 'Check the site; operations go on when it is back.',
    transient: true,
  },
  'SF-SITE-CONFIG': {
    status: 422,
    title: 'The configuration of the site is not valid',
    hint: 'Compare it with the schema printed by `superfluidity site kinds`.',
  },
});
