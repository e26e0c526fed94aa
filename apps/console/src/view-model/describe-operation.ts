import type { Operation } from '@superfluidity/api';

export const kindWords: Readonly<Record<Operation['kind'], string>> = {
  INSTANTIATE: 'Deploy',
  SCALE: 'Scale',
  MOVE: 'Move',
  HEAL: 'Heal',
  UPDATE: 'Update',
  LINK: 'Change link',
  WORKFLOW: 'Run workflow',
  PLAYBOOK: 'Run playbook over',
  TERMINATE: 'Terminate',
};

/** `Move video to edge`. */
export function describeOperation(operation: Pick<Operation, 'kind' | 'params' | 'service'>): string {
  const { what, to, unit, count } = operation.params;
  const object =
    operation.kind === 'MOVE'
      ? `${String(what)} to ${String(to)}`
      : operation.kind === 'SCALE'
        ? `${String(unit)} to ${String(count)}`
        : operation.kind === 'LINK'
          ? operation.service.replace('link:', '').replace(':', ' – ')
          : operation.kind === 'WORKFLOW'
            ? `${String(operation.params['workflow'])} at ${String(operation.params['site'])}`
            : operation.service;
  return `${kindWords[operation.kind]} ${object}`;
}
