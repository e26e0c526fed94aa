import { seeded } from '@superfluidity/core';
import type { ExperimentResult } from '../analysis/results.ts';
import { type Characterisation, configurationsOf, fullPlan } from '../config/characterisation.ts';

/** What class each configuration of Table 7 of D6.1 is in: of SR-IOV A, of Open vSwitch B with 4 processors and none with 2. */
export function classOfTable7({
  vnic_type: nic,
  vm_vcpus: processors,
}: Readonly<Record<string, unknown>>): 'A' | 'B' | 'C' {
  if (nic === 'direct') return 'A';
  return processors === 4 ? 'B' : 'C';
}

const LEVELS = { A: [0.85, 195], B: [0.98, 165], C: [1.3, 110] } as const;

/** The 48 experiments, their samples some percent around values within the class; `spoilt` of them are far out. */
export function table7(
  characterisation: Characterisation,
  { samples = 20, spread = 0.02, spoilt = 0, seed = 1 } = {},
): readonly ExperimentResult[] {
  const configurations = configurationsOf(characterisation.parameters);
  const random = seeded(seed);
  return fullPlan(configurations.length, characterisation.iterations).map((experiment) => {
    const [latency, throughput] = LEVELS[classOfTable7(configurations[experiment.configuration]!)];
    return {
      ...experiment,
      samples: Array.from({ length: samples }, (_, i) => {
        const far = random() < spoilt ? 4 : 1;
        const around = () => 1 + spread * (2 * random() - 1);
        const metrics = { latency: latency * around() * far, curl_bytes_download: (throughput * around()) / far };
        return { atMs: (i + 1) * 3_000, metrics };
      }),
    };
  });
}
