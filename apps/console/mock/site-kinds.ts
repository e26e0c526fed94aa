import type { SystemInfo } from '@superfluidity/api';

/** Small, but with everything that a form has to know. */
export const SITE_KINDS: SystemInfo['siteKinds'] = [
  {
    kind: 'linux',
    usable: true,
    missing: [],
    configSchema: {
      type: 'object',
      properties: {
        hosts: {
          type: 'array',
          description: 'Hosts of the site; default: one, h1, of the size of the machine',
          items: {
            type: 'object',
            properties: {
              name: { type: 'string', pattern: '^[a-z0-9-]+$', description: 'Name of the host' },
              cpu: { type: 'number', exclusiveMinimum: 0, description: 'Processor cores that units may take' },
              memoryMiB: { type: 'integer', description: 'Memory that units may take' },
            },
            required: ['name'],
          },
        },
      },
    },
  },
  {
    kind: 'simulated',
    usable: true,
    missing: [],
    configSchema: {
      type: 'object',
      properties: {
        seed: {
          type: 'integer',
          minimum: 0,
          default: 1,
          description: 'Equal seeds give equal latencies and equal failures.',
        },
        locator: {
          type: 'string',
          pattern: '^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2}$',
          description: 'First 48 bits of the segment identifiers',
        },
        realTime: { type: 'boolean', default: false, description: 'Whether simulated time is the time of the clock' },
        latency: {
          type: 'object',
          description: 'How long things take',
          properties: {
            startMs: { type: 'number', minimum: 0, default: 0 },
            removeMs: { type: 'number', minimum: 0, default: 0 },
          },
        },
      },
      required: ['seed'],
    },
  },
  {
    kind: 'openstack',
    usable: false,
    missing: [{ name: 'credentials', neededFor: 'everything', reason: 'no clouds.yaml was found', required: true }],
    configSchema: { type: 'object', properties: {} },
  },
];
