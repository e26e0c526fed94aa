import { SuperfluidityError } from '@superfluidity/core';
import { CLOUD_ID } from '../cloud-id.ts';
import type { ProjectDriver, ProjectKind } from './types.ts';
import '../errors.ts';

/** On a namespace: id of the project of the cloud whose its ports, balancers and groups are. */
const PROJECT_ANNOTATION = 'superfluidity.dev/project';

export function projectDriver(kind: ProjectKind, fallback: string): ProjectDriver {
  if (kind === 'default') return { kind, of: () => fallback };
  return {
    kind,
    of: (namespace) => {
      const said = namespace?.metadata.annotations?.[PROJECT_ANNOTATION];
      if (said === undefined) return fallback;
      if (CLOUD_ID.test(said)) return said;
      throw new SuperfluidityError('SF-KURYR-ANNOTATION', {
        doing: `read the project of namespace ${namespace!.metadata.name}`,
        reason: `its annotation ${PROJECT_ANNOTATION} is no id of a project`,
      });
    },
  };
}
