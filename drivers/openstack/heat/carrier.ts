import { createStack, deleteStack, type StackName, type StackSource, updateStack } from '@superfluidity/openstack';
import type { World } from '../world.ts';

/** Who asks Heat to change a stack: the driver itself, or a workflow that the driver runs. */
export interface StackCarrier {
  create(name: string, source: StackSource, signal: AbortSignal): Promise<void>;
  /** `reuse`: parameters that are not given stay as they are. */
  update(which: StackName, source: StackSource, reuse: boolean, signal: AbortSignal): Promise<void>;
  delete(which: StackName, signal: AbortSignal): Promise<void>;
}

export function directCarrier({ cloud }: World): StackCarrier {
  return {
    async create(name, source, signal) {
      await createStack(cloud, name, source, signal);
    },
    update: (which, source, reuse, signal) => updateStack(cloud, which, source, reuse, signal),
    delete: (which, signal) => deleteStack(cloud, which, signal),
  };
}
