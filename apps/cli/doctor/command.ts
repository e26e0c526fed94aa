import { reportError } from '@superfluidity/core';
import { Command, Option } from 'commander';
import { type Diagnosis, examine, type FetchKernel, isHealthy, type Probe, treat, type Treatment } from './doctor.ts';
import { type Machine, thisMachine } from './machine.ts';
import { type OrphanOptions, type OrphanSurroundings, purgeOrphans } from './orphans.ts';
import { describeDiagnoses, describeTreatment } from './report.ts';

export interface DoctorOptions {
  readonly fix: boolean;
  readonly extras: boolean;
  readonly json: boolean;
}

export interface DoctorSurroundings extends OrphanSurroundings {
  readonly machine?: Machine;
  /** Kinds of sites that are asked what they miss. Default: the one that runs on this machine. */
  readonly probes?: readonly Probe[];
  readonly fetchKernel?: FetchKernel;
}

/** Examines, with `fix` treats and examines again, and prints. True when nothing is missing that running needs. */
export async function runDoctor(options: DoctorOptions, surroundings: DoctorSurroundings = {}): Promise<boolean> {
  const { machine = thisMachine(), print = console.log } = surroundings;
  const probes = surroundings.probes ?? [(await import('@superfluidity/driver-linux')).linuxDriver];
  let diagnoses: readonly Diagnosis[] = await examine(machine, probes);
  let treatment: Treatment | undefined;
  if (options.fix) {
    treatment = await treat(machine, diagnoses, options.extras, surroundings.fetchKernel).catch((error: unknown) => ({
      installed: [],
      failed: [{ name: 'packages', error: reportError(error) }],
    }));
    if (treatment.installed.length > 0) diagnoses = await examine(machine, probes);
  }
  const healthy = isHealthy(diagnoses);
  if (options.json) print(JSON.stringify({ healthy, diagnoses, ...treatment }, undefined, 2));
  else {
    if (treatment !== undefined && treatment.installed.length + treatment.failed.length > 0)
      print(describeTreatment(treatment));
    print(describeDiagnoses(diagnoses));
  }
  return healthy && (treatment?.failed.length ?? 0) === 0;
}

/** `superfluidity doctor`. Exit code 1 when something is missing that running needs, or could not be installed. */
export function doctorCommand(surroundings: DoctorSurroundings = {}): Command {
  return new Command('doctor')
    .description('say what this machine lacks, what it is for and how to get it; remove what lost control planes left')
    .option('--fix', 'install it (Debian and Ubuntu, as root)')
    .option('--extras', 'with --fix: also what is merely nice to have')
    .addOption(
      new Option('--purge-orphans [which]', 'remove sites of this machine that belong to no control plane')
        .choices(['lost', 'stopped'])
        .preset('lost'),
    )
    .option('--yes', 'with --purge-orphans: do not ask')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nlost: the state of the control plane is gone. stopped: also those whose control plane merely does not run.',
    )
    .action(async (given: Partial<DoctorOptions & OrphanOptions>) => {
      if (given.purgeOrphans !== undefined) return purgeOrphans({ yes: false, json: false, ...given }, surroundings);
      const options = { fix: false, extras: false, json: false, ...given };
      if (!(await runDoctor(options, surroundings))) process.exitCode = 1;
    });
}
