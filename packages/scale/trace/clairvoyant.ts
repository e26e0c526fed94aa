/**
 * The fewest seconds of pods, those of booting included, that keep a promise at all times for whoever knows all that comes:
 * pods are alike, so each further one is had or not by itself; between two times that it is needed it stays when that is
 * no longer than to boot again, and goes otherwise. `needed[i]` pods are needed in the i-th step. O(steps x pods).
 */
export function clairvoyantPodSeconds(needed: Int32Array, stepS: number, bootS: number): number {
  const most = needed.reduce((a, b) => Math.max(a, b), 0);
  let seconds = 0;
  for (let pod = 1; pod <= most; pod += 1) {
    let last = -1;
    for (const [step, count] of needed.entries()) {
      if (count < pod) continue;
      const gap = (step - last - 1) * stepS;
      // The first pods are there when it begins, as for everyone.
      seconds += stepS + (last < 0 ? (step === 0 ? 0 : Math.min(bootS, gap)) : Math.min(gap, bootS));
      last = step;
    }
  }
  return seconds;
}
