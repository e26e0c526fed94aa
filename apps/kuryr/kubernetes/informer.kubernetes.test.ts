import { silentLogger, systemClock } from '@superfluidity/core';
import { Cluster, type KubeObject, readClusterConfig } from '@superfluidity/driver-kubernetes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLab } from '../../../lab/kubernetes/testing.ts';
import { TestCluster } from '../controller/testing/cluster.ts';
import { Informer } from './informer.ts';

/** What is known of objects, when answers to requests and what a watch tells come in any order. */

const { lab, reason } = findLab();
const WAIT = { timeout: 20_000, interval: 50 } as const;

describe.skipIf(lab === undefined)(`what is known of objects${reason === undefined ? '' : ` (${reason})`}`, () => {
  let cluster: TestCluster;
  let informer: Informer<KubeObject>;

  beforeAll(async () => {
    cluster = await TestCluster.open(lab!, 'kuryr-watch');
    const client = Cluster.open('test', readClusterConfig('test', { kubeconfig: lab!.paths.adminConfig }), systemClock);
    informer = new Informer({ cluster: client, clock: systemClock, log: silentLogger }, '/api/v1/configmaps');
    informer.start();
    await informer.known(AbortSignal.timeout(20_000));
  });
  afterAll(async () => {
    await informer.stop();
    await cluster.close();
  });

  it('an answer that comes after the object went does not bring it back, and one of its name can come', async () => {
    const key = `${cluster.namespace}/late`;
    await cluster.inside('create', 'configmap', 'late');
    await expect.poll(() => informer.get(key), WAIT).toBeDefined();
    const answer = informer.get(key)!;
    expect(answer.metadata).not.toHaveProperty('managedFields');
    await cluster.inside('delete', 'configmap', 'late');
    await expect.poll(() => informer.get(key), WAIT).toBeUndefined();
    informer.note(answer);
    expect(informer.get(key)).toBeUndefined();
    const told: string[] = [];
    informer.on((of, before, now) => void (of === key && told.push(`${before?.metadata.uid} ${now?.metadata.uid}`)));
    await cluster.inside('create', 'configmap', 'late');
    await expect.poll(() => informer.get(key), WAIT).toBeDefined();
    expect(informer.get(key)!.metadata.uid).not.toBe(answer.metadata.uid);
    expect(told).toEqual([`undefined ${informer.get(key)!.metadata.uid}`]);
  });
});
