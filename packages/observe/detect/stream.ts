import type { Lz78Stream } from '@superfluidity/learn';
import { type Detector, scorerOf } from './detector.ts';
import { Encoder } from './input.ts';
import { unusable } from './quantise.ts';
import { pValue } from './threshold.ts';

export interface Verdict {
  /** Bits a letter. */
  readonly score: number;
  /** Part of normal scores that are as high. */
  readonly p: number;
  readonly anomalous: boolean;
  /** It is an anomaly for being more regular than usual, and not for being improbable. */
  readonly regular?: true;
  /** Letters that it is about. */
  readonly letters: number;
}

/** Judges one thing as it goes on: each window, or at its end the whole. O(1) a value. */
export class DetectorStream {
  readonly #detector: Detector;
  readonly #encoder: Encoder;
  readonly #lz78: Lz78Stream;
  #bits = 0;
  #letters = 0;
  #time = Number.NEGATIVE_INFINITY;

  constructor(detector: Detector) {
    this.#detector = detector;
    this.#encoder = new Encoder(detector.input);
    this.#lz78 = scorerOf(detector).stream();
  }

  /** A verdict where a window is full. Rejects with SF-DETECT-DATA (no number, a time that goes back) and SF-DETECT-MODEL. */
  push(given: string | number, time?: number): Verdict | undefined {
    if (time !== undefined) {
      if (time < this.#time) throw unusable(`the time ${time} is before ${this.#time}`);
      this.#time = time;
    }
    const letter = this.#encoder.letter(given, time);
    if (letter === undefined) return undefined;
    this.#bits += this.#lz78.push(letter);
    this.#letters += 1;
    return this.#letters === this.#detector.window ? this.#judge() : undefined;
  }

  /** The verdict on a whole sequence; where windows are judged, none on the one that is not full. */
  end(): Verdict | undefined {
    const verdict = this.#detector.window === undefined && this.#letters > 0 ? this.#judge() : undefined;
    this.#bits = 0;
    this.#letters = 0;
    this.#time = Number.NEGATIVE_INFINITY;
    this.#encoder.restart();
    this.#lz78.restart();
    return verdict;
  }

  #judge(): Verdict {
    const verdict = judge(this.#detector, this.#bits / this.#letters, this.#letters);
    this.#bits = 0;
    this.#letters = 0;
    return verdict;
  }
}

export function judge({ scores, threshold, regular }: Detector, score: number, letters: number): Verdict {
  const p = pValue(scores, score);
  if (regular !== undefined && score < regular.value) return { score, p, anomalous: true, regular: true, letters };
  return { score, p, anomalous: score > threshold.value, letters };
}
