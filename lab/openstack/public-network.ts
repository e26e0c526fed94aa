/** The world outside, behind the external network: RFC 5737, and a device in a namespace that has its first address. */
export const PUBLIC = { name: 'public', cidr: '203.0.113.0/24', gateway: '203.0.113.1', device: 'lab-public' } as const;
