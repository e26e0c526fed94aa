import type { DescriptorFile } from '@superfluidity/dialects';
import type { UnderStress } from '../traffic/use-case.ts';

export interface Deployed extends Pick<UnderStress, 'addresses' | 'telemetry'> {}

/** How services come to be: a control plane, a driver, or nobody. */
export interface Deployer {
  /** Resolves when the service runs. On failure what was begun is left to `terminate`. */
  deploy(name: string, files: readonly DescriptorFile[], signal: AbortSignal): Promise<Deployed>;
  /** Succeeds when there is no such service. */
  terminate(name: string, signal: AbortSignal): Promise<void>;
}

/** For what runs already, or needs no service. */
export const nobody: Deployer = {
  deploy: () => Promise.resolve({ addresses: {} }),
  terminate: () => Promise.resolve(),
};
