import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runGraph } from '../graph.ts';
import { goModule, stagingModules } from './binaries.ts';
import { type Lab, labPaths, nodesOf } from './lab.ts';
import { checkOptions, defaultOptions, type LabOptions, NETWORKS } from './options.ts';
import { planFor } from './plan.ts';

function labWith(options: Partial<LabOptions>): Lab {
  return {
    options: checkOptions({ ...defaultOptions(), ...options }),
    paths: labPaths('/lab'),
    bin: '/bin/of/kubernetes',
  };
}

const anyOptions = fc.record({ nodes: fc.integer({ min: 1, max: 9 }), network: fc.constantFrom(...NETWORKS) });

describe('the plan of a laboratory of Kubernetes', () => {
  it('can be carried out, with any number of nodes', async () => {
    await fc.assert(
      fc.asyncProperty(anyOptions, async (options) => {
        const { items, files } = planFor(labWith(options));
        const names = items.map(({ name }) => name);
        for (const item of items) {
          for (const before of item.after) expect(names).toContain(before);
          if (item.kind === 'process') for (const file of item.files ?? []) expect(Object.keys(files)).toContain(file);
        }
        const done: string[] = [];
        await runGraph(items, 4, async ({ name }) => {
          done.push(name);
        });
        expect(done.toSorted()).toEqual(names.toSorted());
      }),
      { numRuns: 20 },
    );
  });

  it('gives every node what no other one has', () => {
    const nodes = nodesOf(labWith({ nodes: 9 }));
    for (const what of ['name', 'address', 'podPrefix', 'namespace', 'cgroup', 'containerd'] as const)
      expect(new Set(nodes.map((node) => node[what])).size).toBe(9);
  });

  it('has room at the door of the API server for who comes at once', () => {
    const door = planFor(labWith({})).items.find(({ name }) => name === 'door');
    expect(door).toMatchObject({
      argv: expect.arrayContaining([expect.stringMatching(/^TCP-LISTEN:.*,backlog=1024$/)]),
    });
  });

  it('starts a kubelet when the one before it is ready: all of them empty one folder as they start', () => {
    const { items } = planFor(labWith({ nodes: 3 }));
    const waitsFor = (name: string) => items.find((item) => item.name === name)?.after;
    expect(waitsFor('node1-kubelet')?.filter((name) => name.endsWith('-kubelet'))).toEqual([]);
    expect(waitsFor('node2-kubelet')).toContain('node1-kubelet');
    expect(waitsFor('node3-kubelet')).toContain('node2-kubelet');
  });

  it('writes networks of pods only where it is told to', () => {
    const conflists = (network: LabOptions['network']) =>
      Object.keys(planFor(labWith({ network })).files).filter((path) => path.endsWith('.conflist'));
    expect(conflists('bridge')).toEqual(['/lab/etc/node1/cni/10-lab.conflist', '/lab/etc/node2/cni/10-lab.conflist']);
    expect(conflists('none')).toEqual([]);
  });

  it.each([{ nodes: 0 }, { nodes: 10 }, { nodes: 1.5 }, { port: 0 }, { address: '0.0.0.0' }, { network: 'flannel' }])(
    'refuses %o',
    (options) => {
      expect(() => labWith(options as Partial<LabOptions>)).toThrow(expect.objectContaining({ code: 'SF-LAB-OPTION' }));
    },
  );

  it('builds Kubernetes from what its project publishes', () => {
    const goMod = [
      'module k8s.io/kubernetes',
      'go 1.24.0',
      'replace (',
      '\tk8s.io/api => ./staging/src/k8s.io/api',
      '\tk8s.io/kubelet => ./staging/src/k8s.io/kubelet',
      '\tgithub.com/other/thing => ../elsewhere',
      ')',
    ].join('\n');
    expect(stagingModules(goMod)).toEqual(['k8s.io/api', 'k8s.io/kubelet']);
    expect(goModule('1.24.0', ['k8s.io/api'])).toContain('\nreplace k8s.io/api => k8s.io/api v0.34.');
  });
});
