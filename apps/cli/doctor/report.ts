import type { Diagnosis, Treatment } from './doctor.ts';

const USES: Readonly<Record<Diagnosis['use'], string>> = {
  run: 'needed to run',
  test: 'needed by tests',
  extra: 'optional',
};

/** For people: what is missing first, with what it is for and how to get it. */
export function describeDiagnoses(diagnoses: readonly Diagnosis[]): string {
  const missing = diagnoses.filter(({ present }) => !present);
  const present = diagnoses.filter((one) => one.present).map(({ name }) => name);
  const width = Math.max(0, ...missing.map(({ name }) => name.length));
  const lines = missing.flatMap(({ name, neededFor, reason, use, package: packageName }) => [
    `missing  ${name.padEnd(width)}  ${neededFor} (${USES[use]})`,
    `         ${' '.repeat(width)}  ${[reason, packageName && `package ${packageName}`].filter(Boolean).join('; ')}`,
  ]);
  return [
    ...(present.length > 0 ? [`found    ${present.join(', ')}`] : []),
    ...lines,
    ...(missing.length === 0 ? ['Nothing is missing.'] : []),
  ].join('\n');
}

export function describeTreatment({ installed, failed }: Treatment): string {
  return [
    ...(installed.length > 0 ? [`installed  ${installed.join(', ')}`] : []),
    ...failed.flatMap(({ name, error }) => [
      `failed     ${name}: ${error.code}: ${error.message}`,
      ...(error.request === undefined ? [] : [`           ${error.request}`]),
      ...(error.answer ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .slice(-3)
        .map((line) => `           ${line}`),
    ]),
  ].join('\n');
}
