import { FreeNames } from './free-names.ts';

/**
 * Names of a dialect as names of the model, which are DNS labels and unique among siblings. The name as it was written
 * is carried beside it, see `renamed`.
 */
export class Names {
  readonly #free = new FreeNames();
  readonly #labels = new Map<string, string>();

  /** The label of a name: the same name has the same label, two names never share one. */
  label(name: string): string {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const label = this.fresh(name);
    this.#labels.set(name, label);
    return label;
  }

  /** A label that nothing has yet, as near to the name as can be: for things of which several may have one name. */
  fresh(name: string): string {
    const base = labelOf(name);
    const stem = base.slice(0, STEM_MAX);
    return this.#free.claim(base, (n) => `${stem}-${n}`, stem);
  }

  /** The label of a name that was given one. */
  known(name: string): string | undefined {
    return this.#labels.get(name);
  }
}

const LENGTH_MAX = 63;
/** Long names that begin alike are numbered on from each other, with room for the number. */
const STEM_MAX = LENGTH_MAX - '-999999'.length;

function labelOf(name: string): string {
  const label = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LENGTH_MAX)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'unnamed' : label;
}

/** Whether a name of a dialect is what a label was made of: it is not where somebody has renamed the thing since. */
export function spells(name: string, label: string): boolean {
  const base = labelOf(name);
  return base === label || (/-\d+$/.test(label) && base.startsWith(label.replace(/-\d+$/, '')));
}

/** To be spread into what is carried: the name as the dialect wrote it, where the model's is another. */
export function renamed(name: string, label: string): { readonly id?: string } {
  return name === label ? {} : { id: name };
}

/** The name that a thing had in a dialect. */
export function nameIn(
  dialect: string,
  thing: { readonly name: string; readonly carried?: Readonly<Record<string, unknown>> },
): string {
  const fields = thing.carried?.[dialect];
  if (fields === null || typeof fields !== 'object') return thing.name;
  const { id } = fields as { readonly id?: unknown };
  return typeof id === 'string' && id !== '' ? id : thing.name;
}
