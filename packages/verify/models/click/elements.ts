import type { ElementModel } from './element.ts';
import { annotationElements } from './annotations.ts';
import { classifierElements } from './classifiers.ts';
import { ethernetElements } from './ethernet.ts';
import { deviceElements, flowElements, informationElements } from './flow.ts';
import { icmpElements } from './icmp.ts';
import { ipElements } from './ip.ts';
import { lookupElements } from './lookup.ts';
import { rewriterElements } from './rewriter.ts';
import { symnetElements } from './symnet.ts';
import { tunnelElements } from './tunnels.ts';

/** Every class of elements that has a model. Anything else is an error: what is not known is not passed through. */
export const clickElements: ReadonlyMap<string, ElementModel> = new Map(
  Object.entries({
    ...annotationElements,
    ...classifierElements,
    ...deviceElements,
    ...ethernetElements,
    ...flowElements,
    ...icmpElements,
    ...informationElements,
    ...ipElements,
    ...lookupElements,
    ...rewriterElements,
    ...symnetElements,
    ...tunnelElements,
  }),
);
