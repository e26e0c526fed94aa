import { systemClock } from '@superfluidity/core';
import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { readConfig } from './config.ts';

const kubeconfig = (cluster: object, user: object) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user }],
  });

test.each([
  ['a server without TLS', { server: 'http://127.0.0.1:1' }, {}, /HTTP protocol is not allowed/],
  [
    'a program for credentials that is not there',
    { server: 'https://127.0.0.1:1' },
    { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'sf-no-such-program' } },
    /sf-no-such-program/,
  ],
])('%s is a fault of the kubeconfig', async (_what, server, user, reason) => {
  const config = readConfig('pods', { content: kubeconfig(server, user) });
  const cluster = Cluster.open('pods', config, systemClock);
  await expect(cluster.get('/version', AbortSignal.timeout(5_000))).rejects.toMatchObject({
    code: 'SF-KUBE-CONFIG',
    message: expect.stringMatching(reason),
  });
});
