import { SuperfluidityError } from '@superfluidity/core';
import type { SecretSource } from '@superfluidity/site';

const REFERENCE = /^secret:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const DEPTH_MAX = 32;
/** Shorter lines of a secret are too common to be hidden. */
const LINE_MIN = 12;

/** The secrets of one run: references become values on the way in, and values names again on the way out. */
export class Secrets {
  readonly #source: SecretSource;
  readonly #known = new Map<string, string>();

  constructor(source: SecretSource) {
    this.#source = source;
  }

  async text(reference: string): Promise<string> {
    const name = REFERENCE.exec(reference)?.[1];
    if (name === undefined) return reference;
    const value = await this.#source.read(name);
    if (/\{[{%#]/.test(value)) {
      const reason = `secret ${name} has a template of Jinja in it, which Ansible would carry out`;
      throw new SuperfluidityError('SF-LIFECYCLE-PLAYBOOK', { doing: 'read the variables', reason });
    }
    const lines = value.split(/\r?\n/).filter((line) => line.length >= LINE_MIN);
    for (const form of [value, ...lines].flatMap((one) => [one, JSON.stringify(one).slice(1, -1)]))
      if (form !== '') this.#known.set(form, `[secret ${name}]`);
    return value;
  }

  async resolve(value: unknown, depth = 0): Promise<unknown> {
    if (depth > DEPTH_MAX) return value;
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return Promise.all(value.map((one) => this.resolve(one, depth + 1)));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(async ([key, one]) => [key, await this.resolve(one, depth + 1)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  hide(text: string): string {
    const longestFirst = [...this.#known].toSorted(([a], [b]) => b.length - a.length);
    return longestFirst.reduce((clean, [form, instead]) => clean.replaceAll(form, instead), text);
  }
}
