export interface WaveStep {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** Steps that may run at once, in the order in which they can begin (Kahn, 1962). Steps of a cycle come last, together. */
export function wavesOf<T extends WaveStep>(steps: readonly T[]): readonly (readonly T[])[] {
  const known = new Set(steps.map((step) => step.id));
  const done = new Set<string>();
  const waves: T[][] = [];
  let left = [...steps];
  while (left.length > 0) {
    const ready = left.filter((step) => step.dependsOn.every((id) => done.has(id) || !known.has(id)));
    const wave = ready.length > 0 ? ready : left;
    waves.push(wave);
    for (const { id } of wave) done.add(id);
    left = left.filter((step) => !done.has(step.id));
  }
  return waves;
}
