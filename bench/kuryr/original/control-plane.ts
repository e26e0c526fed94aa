import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureBinaries } from '../../../lab/kubernetes/binaries.ts';
import { type Lab, labPaths, type LabPaths } from '../../../lab/kubernetes/lab.ts';
import { removeNamespaces } from '../../../lab/kubernetes/namespaces.ts';
import { planFor } from '../../../lab/kubernetes/plan.ts';
import { labFolder, makeFolders } from '../../../lab/paths.ts';
import { startedProcesses, stopProcess } from '../../../lab/processes.ts';
import { startItems } from '../../../lab/start.ts';

/** What a controller needs of Kubernetes. Pods are bound by the bench, so that there is no scheduler; nodes are objects only. */
const ITEMS = ['namespaces', 'certificates', 'etcd', 'kube-apiserver', 'door', 'kube-controller-manager'];
/** Beside a laboratory, which has 6443. */
const PORT = 6453;

/** An API server with nothing in it, in a folder beside the laboratories: the original takes all pods that there are. Nothing of it stays. */
export class ControlPlane {
  readonly lab: Lab;

  static async open(tell: (text: string) => void): Promise<ControlPlane> {
    const bin = await ensureBinaries(tell);
    const paths = labPaths(join(dirname(labFolder('kubernetes')), 'original'));
    const options = { nodes: 0, network: 'none', address: '127.0.0.1', port: PORT } as const;
    const plane = new ControlPlane({ options, paths, bin });
    // Of a run that was killed.
    await plane[Symbol.asyncDispose]();
    try {
      makeFolders(paths);
      const { items, files } = planFor(plane.lab);
      const chosen = items.filter(({ name }) => ITEMS.includes(name));
      await startItems(plane.lab, chosen, files, tell);
      return plane;
    } catch (error) {
      await plane[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  get paths(): LabPaths {
    return this.lab.paths;
  }

  /** With all that was started in its folder, the last first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of startedProcesses(this.paths).toReversed()) await stopProcess(this.paths, process);
    await removeNamespaces(this.lab);
    rmSync(this.paths.folder, { recursive: true, force: true });
  }
}
