import type { ReadInterface } from '../readers/linux/interface.ts';
import type { BoxParts } from './parts.ts';

interface End {
  readonly box: string;
  readonly at: ReadInterface;
}

/**
 * Pairs of virtual interfaces (veth(4)) are wires. `eth0@if7 ... link-netns fw` is number 7 of the box `fw`; where the name of
 * the other namespace is not known, the two numbers must fit one interface only.
 */
export function veths(boxes: ReadonlyMap<string, BoxParts>): readonly { readonly from: string; readonly to: string }[] {
  const ends = [...boxes].flatMap(([box, { interfaces }]) =>
    interfaces
      .filter(({ kind = 'veth', peer }) => kind === 'veth' && peer !== undefined)
      .map((at): End => ({ box, at })),
  );
  const byPlace = new Map(ends.map((end) => [`${end.box} ${end.at.index}`, end]));
  const byNumbers = new Map<string, End[]>();
  for (const end of ends) {
    const key = `${end.at.index} ${end.at.peer!.index}`;
    byNumbers.set(key, [...(byNumbers.get(key) ?? []), end]);
  }
  return ends.flatMap((end) => {
    const other = otherEnd(end);
    return other === undefined ? [] : [{ from: placeOf(end), to: placeOf(other) }];
  });

  function otherEnd({ box, at }: End): End | undefined {
    const { name, index, namespace } = at.peer!;
    if (name !== undefined) return ends.find((end) => end.box === box && end.at.name === name);
    if (namespace !== undefined) return byPlace.get(`${namespace} ${index}`);
    const fitting = (byNumbers.get(`${index} ${at.index}`) ?? []).filter(
      (end) => end.box !== box && end.at.peer!.namespace === undefined,
    );
    const isOnly = byNumbers.get(`${at.index} ${index}`)?.length === 1 || index === at.index;
    return fitting.length === 1 && isOnly ? fitting[0] : undefined;
  }
}

const placeOf = ({ box, at }: End): string => `${box}:${at.name}`;
