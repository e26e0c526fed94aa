import type { BoxModel } from '../models/box-model.ts';
import type { NetfilterBox } from '../models/netfilter/box.ts';
import { netfilterModel } from '../models/netfilter/model.ts';
import type { InputFile } from '../read/reader.ts';
import { readNftText } from '../readers/netfilter/nft-text.ts';
import { anything, doubtOf, orAnything } from './doubts.ts';

/** A Linux network namespace of which the rules are text of nft, and the rest is known. Packets begin connections in it. */
export function namespaceModel(
  name: string,
  rules: readonly InputFile[],
  box: Pick<NetfilterBox, 'interfaces' | 'routes' | 'forwarding' | 'neighbours'>,
): BoxModel {
  const read = rules.map(readNftText);
  const model = netfilterModel(name, { ...box, rulesets: read.map(({ value }) => value), flows: 'first' });
  const doubts = read.flatMap(({ reading }) => doubtOf(reading));
  if (doubts.length === 0) return model;
  return {
    ...model,
    programs: new Map([...model.programs].map(([port, program]) => [port, orAnything(name, program, doubts)])),
    unknown: new Map([[anything(name), `what ${name} does where its program was not understood`]]),
  };
}
