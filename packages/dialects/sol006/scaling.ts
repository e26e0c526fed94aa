import { levelOf } from './meaning.ts';
import type { VnfDf } from './shape.ts';
import type { Path } from '../yaml-text.ts';

/**
 * Scaling aspects against the bounds of the VDUs that they scale (ETSI GS NFV-IFA 011, clause 7.1.10): at the highest level
 * of every aspect a VDU has no more instances than its profile allows, and no instantiation level is above or below what
 * aspects and profiles allow. Paths are relative to the deployment flavour.
 */
export function* checkScaling(df: VnfDf): Generator<{ readonly path: Path; readonly message: string }> {
  const profiles = new Map((df['vdu-profile'] ?? []).map((profile) => [profile.id, profile]));
  const aspects = df['scaling-aspect'] ?? [];
  const start = levelOf(df, df['default-instantiation-level']);
  const levelIn = (level: typeof start, aspect: string | undefined) =>
    level?.['scaling-info']?.find((one) => one['scaling-aspect-id'] === aspect)?.['scale-level'] ?? 0;
  const most = new Map<string, number>();
  for (const [i, aspect] of aspects.entries()) {
    const steps = aspect['max-scale-level'] ?? 0;
    const details = aspect['aspect-delta-details'];
    const chosen = [details?.['step-deltas'] ?? []].flat();
    for (const [j, delta] of (details?.deltas ?? []).entries()) {
      if (chosen.length > 0 && !chosen.includes(delta.id)) continue;
      for (const [k, vdu] of (delta['vdu-delta'] ?? []).entries()) {
        const path: Path = ['scaling-aspect', i, 'aspect-delta-details', 'deltas', j, 'vdu-delta', k];
        const max = profiles.get(vdu.id)?.['max-number-of-instances'];
        // A delta for each step, or one for all.
        const times =
          chosen.length > 1 ? chosen.filter((id) => id === delta.id).length : steps - levelIn(start, aspect.id);
        const first =
          start?.['vdu-level']?.find((one) => one['vdu-id'] === vdu.id)?.['number-of-instances'] ??
          profiles.get(vdu.id)?.['min-number-of-instances'] ??
          1;
        const total = (most.get(vdu.id) ?? first) + Math.max(0, times) * (vdu['number-of-instances'] ?? 1);
        most.set(vdu.id, total);
        if (max !== undefined && total > max)
          yield {
            path,
            message: `at scale level ${steps} there are ${total} instances of '${vdu.id}', its profile allows ${max}`,
          };
      }
    }
  }
  for (const [i, level] of (df['instantiation-level'] ?? []).entries()) {
    for (const [j, vdu] of (level['vdu-level'] ?? []).entries()) {
      const { 'min-number-of-instances': min = 0, 'max-number-of-instances': max } = profiles.get(vdu['vdu-id']) ?? {};
      const number = vdu['number-of-instances'] ?? 1;
      if (number >= min && number <= (max ?? number)) continue;
      const path: Path = ['instantiation-level', i, 'vdu-level', j];
      yield {
        path,
        message: `${number} instances of '${vdu['vdu-id']}' are not within the ${min} to ${max ?? 'any'} of its profile`,
      };
    }
    for (const [j, info] of (level['scaling-info'] ?? []).entries()) {
      const aspect = aspects.find(({ id }) => id === info['scaling-aspect-id']);
      const number = info['scale-level'] ?? 0;
      if (aspect === undefined || number <= (aspect['max-scale-level'] ?? number)) continue;
      const path: Path = ['instantiation-level', i, 'scaling-info', j];
      yield {
        path,
        message: `scale level ${number} of '${aspect.id}' is above its highest, ${aspect['max-scale-level']}`,
      };
    }
  }
}
