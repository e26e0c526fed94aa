import { describe, expect, it } from 'vitest';
import './errors.ts';
import { isBusy, refusal } from './refusal.ts';

/** As the services of the laboratory (releases of 2022) put it. */
const answers: readonly (readonly [string, number, unknown, string, string])[] = [
  [
    'Neutron, a quota',
    409,
    { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['port'].", detail: '' } },
    'SF-OPENSTACK-QUOTA',
    "Quota exceeded for resources: ['port'].",
  ],
  [
    'Neutron, addresses',
    409,
    { NeutronError: { type: 'IpAddressGenerationFailure', message: 'No more IP addresses available on network n.' } },
    'SF-OPENSTACK-EXHAUSTED',
    'No more IP addresses available on network n.',
  ],
  [
    'Neutron, segments',
    503,
    { NeutronError: { type: 'NoNetworkAvailable', message: 'Unable to create the network.' } },
    'SF-OPENSTACK-EXHAUSTED',
    'Unable to create the network.',
  ],
  ['Neutron, a text', 404, { NeutronError: 'gone' }, 'SF-OPENSTACK-NOT-FOUND', 'gone'],
  [
    'Nova, a quota',
    403,
    {
      forbidden: {
        code: 403,
        message: 'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances',
      },
    },
    'SF-OPENSTACK-QUOTA',
    'Quota exceeded for instances: Requested 1, but already used 10 of 10 instances',
  ],
  [
    'Nova',
    404,
    { itemNotFound: { code: 404, message: 'Instance x could not be found.' } },
    'SF-OPENSTACK-NOT-FOUND',
    'Instance x could not be found.',
  ],
  [
    'Keystone',
    401,
    { error: { code: 401, message: 'The request requires authentication.', title: 'Unauthorized' } },
    'SF-OPENSTACK-CREDENTIALS',
    'The request requires authentication.',
  ],
  [
    'Heat',
    409,
    { code: 409, title: 'Conflict', error: { message: 'The Stack (a) already exists.', type: 'StackExists' } },
    'SF-OPENSTACK-CONFLICT',
    'The Stack (a) already exists.',
  ],
  [
    'Heat, a quota',
    403,
    { error: { type: 'RequestLimitExceeded', message: 'You have reached the maximum stacks per tenant, 512.' } },
    'SF-OPENSTACK-QUOTA',
    'You have reached the maximum stacks per tenant, 512.',
  ],
  [
    'Octavia',
    403,
    { faultcode: 'Client', faultstring: 'Quota has been met for resources: Load Balancer', debuginfo: null },
    'SF-OPENSTACK-QUOTA',
    'Quota has been met for resources: Load Balancer',
  ],
  [
    'Placement',
    404,
    {
      errors: [
        {
          status: 404,
          title: 'Not Found',
          detail: 'The resource could not be found.<br /><br />\n No resource provider',
        },
      ],
    },
    'SF-OPENSTACK-NOT-FOUND',
    'The resource could not be found. No resource provider',
  ],
  [
    'Ironic',
    409,
    { error_message: '{"faultcode": "Client", "faultstring": "Node is locked"}' },
    'SF-OPENSTACK-CONFLICT',
    'Node is locked',
  ],
  [
    'Glance',
    404,
    '<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1>No image<br /><br /></body></html>',
    'SF-OPENSTACK-NOT-FOUND',
    'status 404: 404 Not Found No image',
  ],
  ['a list', 400, [1], 'SF-OPENSTACK-REFUSED', 'status 400: [1]'],
  ['null', 500, null, 'SF-OPENSTACK-UNAVAILABLE', 'status 500: null'],
];

describe('a refusal', () => {
  it.each(answers)('has the words of %s', (_, status, body, code, reason) => {
    const answer = { status, headers: {}, text: typeof body === 'string' ? body : JSON.stringify(body) };
    const error = refusal({ doing: 'do it', request: 'GET http://x', answer });
    expect([error.code, error.details.reason]).toEqual([code, reason]);
  });

  it('has the request ids of both sides', () => {
    const answer = { status: 404, headers: { 'x-compute-request-id': 'req-a' }, text: '{}' };
    const error = refusal({ doing: 'do it', request: 'GET http://x', answer, globalRequestId: 'req-b' });
    expect(error.message).toBe('do it: status 404: {} (req-a)');
    expect(error.details.data).toEqual({ status: 404, requestId: 'req-a', globalRequestId: 'req-b' });
  });

  it.each([
    [true, { error: { type: 'ActionInProgress', message: 'Stack a already has an action (UPDATE) in progress.' } }],
    [true, { faultstring: 'Load Balancer a is immutable and cannot be updated.' }],
    [true, { faultstring: 'Invalid state PENDING_UPDATE of loadbalancer resource a' }],
    [false, { faultstring: 'Invalid state PENDING_DELETE of loadbalancer resource a' }],
    [true, { conflictingRequest: { message: "Cannot 'reboot' instance a while it is in task_state rebooting" } }],
    [true, { errors: [{ code: 'placement.concurrent_update', detail: 'conflict' }] }],
    [false, { conflictingRequest: { message: "Cannot 'reboot' instance a while it is in task_state deleting" } }],
    [false, { conflictingRequest: { message: "Cannot 'reboot' instance a while it is in vm_state error" } }],
    [false, { NeutronError: { type: 'OverQuota', message: 'Quota exceeded' } }],
  ])('is waited out: %s', (waits, body) => {
    expect(isBusy({ status: 409, headers: {}, text: JSON.stringify(body) })).toBe(waits);
  });
});
