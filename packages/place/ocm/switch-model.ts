import type { CostModel, SwitchForm } from './choices.ts';

/**
 * What a virtual switch costs: the functions f of Luizelli, Raz and Sa'ar, "Optimizing NFV Chain Deployment Through
 * Minimizing the Cost of Virtual Switching", INFOCOM 2018, and of "The Actual Cost of Software Switching for NFV
 * Chaining", IM 2017. Their coefficients are not public; those of `models/` say where they come from, and `calibrate` fits
 * others to measurements.
 *
 * Costs are whole millionths of a core: sums of them are exact in every order, so that two ways of finding the cheapest
 * placement agree bit for bit.
 */
export interface SwitchModel {
  readonly name: string;
  /** What was measured: `Open vSwitch 2.3, kernel datapath`. */
  readonly switch: string;
  readonly frameBytes: number;
  readonly form: SwitchForm;
  readonly coefficients: {
    /** Cores. */
    readonly base: number;
    /** Cores for a million packets a second through the switch once. */
    readonly perHop: number;
    /** The same, times log2(1 + length): caches hold less of what a long chain does. */
    readonly perHopLog: number;
    /** What crossing it from one function to the next takes beyond that: nothing of it is done by a network card. */
    readonly perInner: number;
  };
  /** What measurements cover; beyond it the model extrapolates. */
  readonly validRange: {
    readonly rateMpps: readonly [number, number];
    readonly length: readonly [number, number];
    readonly copies: readonly [number, number];
  };
  readonly fit?: FitError;
  /** Where the measurements come from. */
  readonly source?: string;
}

/** How far a model is from what it was fitted to. */
export interface FitError {
  readonly samples: number;
  /** Part of the variance that is explained. */
  readonly r2: number;
  /** Mean of the absolute errors, each as a part of what was measured. */
  readonly mape: number;
  readonly maxError: number;
}

/** Functions of one chain that follow each other on one host. */
export interface SubChain {
  readonly length: number;
  readonly ratePps: number;
}

export const MICRO_CORES = 1_000_000;

/** Times that a packet crosses the switch: in, between each two functions, out. */
export function hopsOf(length: number): number {
  return length + 1;
}

/** Millionths of a core for the packets of one sub-chain alone, without the base. */
export function switchingWork({ coefficients }: SwitchModel, { length, ratePps }: SubChain): number {
  const { perHop, perHopLog, perInner } = coefficients;
  const each = hopsOf(length) * (perHop + perHopLog * Math.log2(1 + length)) + (length - 1) * perInner;
  // Packets a second times cores for a million packets a second.
  return Math.round(ratePps * each);
}

/** f(||phi||_n): `copies` of a sub-chain at once on one host, from the work of one. */
export function concurrentCost(
  { form, coefficients }: Pick<SwitchModel, 'form' | 'coefficients'>,
  work: number,
  copies: number,
): number {
  const base = Math.round(coefficients.base * MICRO_CORES);
  return form === 'interrupt' ? base + copies * work : Math.max(base, copies * work);
}

/** The gather function f: the whole sub-chain on one host ("east/west"), in millionths of a core. */
export function gatherCost(model: SwitchModel, subChain: SubChain, copies = 1): number {
  return concurrentCost(model, switchingWork(model, subChain), copies);
}

/** The distribute function: each function on a host of its own ("north/south"); of all these hosts together. */
export function distributeCost(model: SwitchModel, { length, ratePps }: SubChain, copies = 1): number {
  return length * gatherCost(model, { length: 1, ratePps }, copies);
}

/** What the model was not fitted to, in words; undefined where measurements cover it. */
export function beyondRange(model: SwitchModel, { length, ratePps }: SubChain): string | undefined {
  const { rateMpps, length: lengths } = model.validRange;
  const mpps = ratePps / 1e6;
  if (mpps < rateMpps[0] || mpps > rateMpps[1]) {
    return `${mpps} Mpps is outside of what ${model.name} was fitted to (${rateMpps.join(' to ')} Mpps)`;
  }
  if (length < lengths[0] || length > lengths[1]) {
    return `${length} functions are outside of what ${model.name} was fitted to (${lengths.join(' to ')})`;
  }
  return undefined;
}

/**
 * C^h of a host by its definition, in millionths of a core: the sub-chains that its switch carries. The printed formula takes r - 1 times the mean of
 * Delta(phi, r) = r f(phi) - f(||phi||_r) off the sum; with r alike sub-chains that is not f(||phi||_r), as it should be by
 * the definition of the latter, but for r = 3 already less than nothing where f(||phi||_3) < 1.5 f(phi). `consistent` takes
 * Delta for the saving of each copy after the first, Delta / (r - 1); `literal` is what is printed.
 */
export function hostSwitchingCost(model: SwitchModel, subChains: readonly SubChain[], costModel: CostModel): number {
  const r = subChains.length;
  if (r === 0) return 0;
  let alone = 0;
  let delta = 0;
  for (const subChain of subChains) {
    alone += gatherCost(model, subChain);
    delta += r * gatherCost(model, subChain) - gatherCost(model, subChain, r);
  }
  const savings = costModel === 'consistent' ? delta : (r - 1) * delta;
  return Math.round((r * alone - savings) / r);
}
