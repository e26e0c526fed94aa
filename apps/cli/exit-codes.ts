/** What the command says to scripts; `superfluidity --help` lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  operationFailed: 4,
  interrupted: 130,
} as const;

export const exitCodesHelp = `Exit codes:
  0  done
  1  failed, or refused by the control plane
  2  wrong usage, or input that cannot be used
  3  the control plane cannot be reached
  4  the operation ended in failure
  130  interrupted`;

/** How the codes of errors begin that are about what was given to the command. */
const UNUSABLE = [
  'ACCESS-WEAK',
  'CHARACTERISE-BINDING',
  'CHARACTERISE-CONFIG',
  'CHARACTERISE-JOURNAL',
  'CHARACTERISE-SAMPLES',
  'CHARACTERISE-USE-CASE',
  'CLI-FILE',
  'CLI-SECRET-INPUT',
  'CLI-USAGE',
  'CORE-ARCHIVE',
  'DESCRIPTOR-',
  'DESIGN-INPUT',
  'DETECT-',
  'KURYR-CONFIG',
  'KURYR-INSTALL',
  'LEARN-',
  'LIFECYCLE-ADOPTION',
  'LIFECYCLE-DESCRIPTOR',
  'PACKAGE-CONTENT',
  'PACKAGE-KEY',
  'PLACE-INPUT',
  'PUBLISH-ADDRESS',
  'SCALE-',
  'SERVER-REQUEST',
  'SERVER-TOO-LARGE',
  'VERIFY-',
];

export const isUnusable = (code: string): boolean => UNUSABLE.some((start) => code.startsWith(`SF-${start}`));
