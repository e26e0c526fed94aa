import { defineErrors } from '@superfluidity/core';

export const openstackErrors = defineErrors({
  'SF-OPENSTACK-CONFIG': {
    status: 422,
    title: 'The description of the cloud cannot be used',
    hint: 'See how clouds are named: clouds.yaml, OS_* variables, or the fields of the site; docs/guides/openstack.md.',
  },
  'SF-OPENSTACK-CREDENTIALS': {
    status: 502,
    title: 'Keystone does not take the credentials',
    hint: 'Check user, project, domains and password, or the application credential and whether it has expired.',
  },
  'SF-OPENSTACK-FORBIDDEN': {
    status: 502,
    title: 'The credentials do not allow it',
    hint: 'Give the user the role that the message names, or use other credentials.',
  },
  'SF-OPENSTACK-NO-SERVICE': {
    status: 502,
    title: 'The cloud has no such service',
    hint: 'The catalogue of the cloud does not list it for this region and interface: `superfluidity site show NAME`.',
  },
  'SF-OPENSTACK-NOT-FOUND': {
    status: 502,
    title: 'The cloud has no such thing',
    hint: 'It was removed meanwhile, or belongs to a project that these credentials do not see.',
  },
  'SF-OPENSTACK-CONFLICT': {
    status: 502,
    title: 'The cloud refuses it in this state',
    hint: 'Something else uses it, or changes it at this moment: read the message of the service.',
  },
  'SF-OPENSTACK-QUOTA': {
    status: 502,
    title: 'A quota of the project is exhausted',
    hint: 'Raise the quota that the message names, or remove something: `superfluidity site show NAME` lists quotas and use.',
  },
  'SF-OPENSTACK-EXHAUSTED': {
    status: 502,
    title: 'The cloud has none left',
    hint: 'The message names what: addresses of a subnet, segments for networks. Add some, or remove what uses them.',
  },
  'SF-OPENSTACK-VERSION': {
    status: 502,
    title: 'A service of the cloud is too old or too new',
    hint: 'See which releases of OpenStack can be used: docs/guides/openstack.md.',
  },
  'SF-OPENSTACK-CHECKSUM': {
    status: 502,
    title: 'What arrived in the cloud is not what was sent',
    hint: 'The image was removed again. Send it again; if that happens often, look at the storage of Glance.',
  },
  'SF-OPENSTACK-REFUSED': {
    status: 502,
    title: 'The cloud refuses the request',
    hint: 'Read the message of the service; the request id leads to its log.',
  },
  'SF-OPENSTACK-UNAVAILABLE': {
    status: 503,
    title: 'A service of the cloud does not answer',
    hint: 'The call was repeated as often as is safe. Check the service; operations go on when it is back.',
    transient: true,
  },
  'SF-OPENSTACK-ANSWER': {
    status: 502,
    title: 'The answer of the cloud was not understood',
    hint: 'The service may be of a release that was never tried: report the request and the answer.',
  },
});
