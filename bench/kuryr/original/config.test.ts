import type { OwnProject } from '@superfluidity/openstack/testing';
import { expect, it } from 'vitest';
import { labPaths } from '../../../lab/kubernetes/lab.ts';
import { type OriginalConfig, renderOriginal } from './config.ts';
import { addressIn } from './node.ts';

const project = {
  id: 'p1',
  config: {
    authUrl: 'http://127.0.0.1:5000/v3',
    credentials: { kind: 'password', user: { id: 'u1' }, password: 'secret', project: { id: 'p1' } },
    region: 'RegionOne',
  },
} as Pick<OwnProject, 'id' | 'config'> as OwnProject;
const parts: OriginalConfig = {
  lab: {
    options: { nodes: 0, network: 'none', address: '127.0.0.1', port: 6453 },
    paths: labPaths('/lab'),
    bin: '/bin',
  },
  cloud: { project, subnet: 's1', group: 'g1' },
  bin: '/venv/bin',
  tag: 'run-1',
  batch: undefined,
  ovsdb: '/lab/run/os-vif.sock',
};

it('os-vif is given a database of its own, and what the original makes a tag', () => {
  const text = renderOriginal(parts);
  expect(text).toContain('[os_vif_ovs]\novsdb_connection = unix:/lab/run/os-vif.sock\n');
  expect(text).toContain('resource_tags = run-1\n');
  expect(text).toContain('api_root = https://127.0.0.1:6453\n');
  expect(text).toContain('auth_url = http://127.0.0.1:5000/v3\nuser_id = u1\npassword = secret\nproject_id = p1\n');
});

it('there is a pool where ports are ordered in batches', () => {
  expect(renderOriginal(parts)).toContain('vif_pool_driver = noop\n');
  expect(renderOriginal(parts)).not.toContain('ports_pool_batch');
  const pooled = renderOriginal({ ...parts, batch: 75 });
  expect(pooled).toContain('vif_pool_driver = neutron\n');
  expect(pooled).toContain('ports_pool_batch = 75\n');
});

it('finds the address of a pod beside that of its device', () => {
  expect(addressIn('{"address": "fa:16:3e:00:00:01", "ips": [{"address": "10.88.0.7"}], "gateway": "10.88.0.1"}')).toBe(
    '10.88.0.7',
  );
  expect(() => addressIn('{"address": "fa:16:3e:00:00:01"}')).toThrow('no address');
});
