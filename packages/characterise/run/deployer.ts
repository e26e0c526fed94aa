import type { DescriptorFile } from '@superfluidity/dialects';
import type { UnderStress } from '../traffic/use-case.ts';
import type { UsageReading } from './usage.ts';

export interface Deployed extends Pick<UnderStress, 'addresses' | 'telemetry'> {
  /** What units of the service use of the infrastructure; absent where nobody measures it. */
  /** Where the first instance of each unit is, by function and by path of the unit. */
  readonly places?: Readonly<Record<string, UnitPlace>>;
  readonly usage?: () => Promise<readonly UsageReading[]>;
}

export interface UnitPlace {
  readonly site: string;
  readonly host: string;
}

/** How services come to be: a control plane, a driver, or nobody. */
export interface Deployer {
  /** Resolves when the service runs. On failure what was begun is left to `terminate`. */
  deploy(
    name: string,
    files: readonly DescriptorFile[],
    signal: AbortSignal,
    /** All its units run there, whatever the descriptor says. */
    where?: UnitPlace,
  ): Promise<Deployed>;
  /** Succeeds when there is no such service. */
  terminate(name: string, signal: AbortSignal): Promise<void>;
}

/** For what runs already, or needs no service. */
export const nobody: Deployer = {
  deploy: () => Promise.resolve({ addresses: {} }),
  terminate: () => Promise.resolve(),
};
