import { InvariantError, type Logger, SuperfluidityError } from '@superfluidity/core';
import type { BalancerTls } from '@superfluidity/model';
import type { DriverKind, OpenSite, SiteDriver, UnitOutcome, UnitSpec } from './driver.ts';

/** Who knows what `secret:NAME` stands for. */
export interface SecretSource {
  read(name: string): Promise<string>;
}

/** A text that stands for a secret, alone: in configurations of sites, in the environment of units, and in the TLS of balancers. */
const REFERENCE = /^secret:([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)$/;
const KNOWN_MAX = 4_096;
/** Of a secret of several lines each of so many characters is one: programs print line by line. */
const LINE_MIN = 12;
const DEPTH_MAX = 32;

/**
 * The border of a driver. References become values on the way in, here and nowhere else: plans, steps and records keep the
 * reference. On the way out every text is looked through: errors, logs, outputs, states name the secret instead.
 */
export async function openWithSecrets(kind: DriverKind, site: OpenSite, source: SecretSource): Promise<SiteDriver> {
  const border = new Border(source);
  const config = (await border.resolve(site.config)) as OpenSite['config'];
  try {
    return guarded(await kind.open({ ...site, config, log: border.logger(site.log) }), border);
  } catch (error) {
    throw border.redactError(error);
  }
}

class Border {
  readonly #source: SecretSource;
  /** What must not get out, longest first, with what stands there instead. */
  #known: readonly (readonly [text: string, instead: string])[] = [];

  constructor(source: SecretSource) {
    this.#source = source;
  }

  async resolve(value: unknown, depth = 0): Promise<unknown> {
    if (depth > DEPTH_MAX) return value;
    if (typeof value === 'string') {
      const name = REFERENCE.exec(value)?.[1];
      return name === undefined ? value : this.#learn(name, await this.#source.read(name));
    }
    if (Array.isArray(value)) return Promise.all(value.map((one) => this.resolve(one, depth + 1)));
    if (value === null || typeof value !== 'object') return value;
    const entries = Object.entries(value).map(async ([key, one]) => [key, await this.resolve(one, depth + 1)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }

  /** Only where there is something to resolve: specs are many, and nearly none has a secret. */
  async spec<S extends Pick<UnitSpec, 'execution'>>(spec: S): Promise<S> {
    const { env } = spec.execution;
    if (env === undefined || !Object.values(env).some((value) => REFERENCE.test(value))) return spec;
    const resolved = (await this.resolve(env)) as Record<string, string>;
    return { ...spec, execution: { ...spec.execution, env: resolved } };
  }

  #learn(name: string, value: string): string {
    const lines = value.split(/\r?\n/).filter((line) => line.length >= LINE_MIN);
    const forms = [value, ...lines].flatMap((text) => [
      text,
      JSON.stringify(text).slice(1, -1),
      encodeURIComponent(text),
      Buffer.from(text).toString('base64').replace(/=+$/, ''),
    ]);
    const known = new Map([...this.#known, ...forms.map((form) => [form, `[secret ${name}]`] as const)]);
    this.#known = [...known].toSorted(([a], [b]) => b.length - a.length).slice(0, KNOWN_MAX);
    return value;
  }

  text(text: string): string {
    let clean = text;
    for (const [form, instead] of this.#known) if (clean.includes(form)) clean = clean.replaceAll(form, instead);
    return clean;
  }

  /** The same value where nothing is to be hidden. */
  redact<T>(value: T, depth = 0): T {
    if (this.#known.length === 0 || depth > DEPTH_MAX) return value;
    if (typeof value === 'string') return this.text(value) as T;
    if (value instanceof Error) return this.redactError(value) as T;
    if (Array.isArray(value)) return value.map((one) => this.redact(one, depth + 1)) as T;
    if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.redact(one, depth + 1)])) as T;
  }

  redactError(error: unknown, depth = 0): unknown {
    if (this.#known.length === 0 || !(error instanceof Error) || depth > DEPTH_MAX) return error;
    const cause = error.cause === undefined ? {} : { cause: this.redactError(error.cause, depth + 1) };
    if (error instanceof SuperfluidityError) {
      return new SuperfluidityError(error.code, { ...this.redact({ ...error.details, cause: undefined }), ...cause });
    }
    // A defect stays one, with the place where it happened.
    if (error instanceof InvariantError) return error;
    const clean = new Error(this.text(error.message), cause);
    if ('code' in error) Object.assign(clean, { code: error.code });
    clean.stack = this.text(error.stack ?? '');
    return clean;
  }

  logger(log: Logger): Logger {
    const level = (name: keyof Logger) => (fields: object, message: string) =>
      log[name](this.redact(fields), this.text(message));
    return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
  }
}

function guarded(driver: SiteDriver, border: Border): SiteDriver {
  const given: Partial<SiteDriver> = {
    fabric: watched(driver.fabric, border, {
      ensureBalancer: async (spec, call) =>
        driver.fabric.ensureBalancer(
          spec.tls === undefined ? spec : { ...spec, tls: (await border.resolve(spec.tls)) as BalancerTls },
          call,
        ),
    }),
    ensureUnit: async (spec, call) => driver.ensureUnit(await border.spec(spec), call),
    ensureUnits: async (specs, call): Promise<readonly UnitOutcome[]> => {
      const outcomes = await driver.ensureUnits(await Promise.all(specs.map((spec) => border.spec(spec))), call);
      return outcomes.map((one) => (one.ok ? one : { ok: false, error: border.redactError(one.error) }));
    },
    prepare: async (service, classes, call) => {
      const resolved = classes.map(async (one) => ({ ...one, template: await border.spec(one.template) }));
      return driver.prepare(service, await Promise.all(resolved), call);
    },
    watch: async function* (signal) {
      for await (const event of driver.watch(signal)) yield border.redact(event);
    },
  };
  return watched(driver, border, given);
}

/** Every method as it is, but for what it says of secrets. */
function watched<T extends object>(of: T, border: Border, given: Partial<T>): T {
  return new Proxy(of, {
    get(target, key) {
      const own = (Object.hasOwn(given, key) ? given : target)[key as keyof T];
      if (typeof own !== 'function' || key === 'watch') return own;
      return (...args: unknown[]) => {
        try {
          const answer: unknown = Reflect.apply(own, target, args);
          if (!(answer instanceof Promise)) return border.redact(answer);
          return answer.then(
            (value: unknown) => border.redact(value),
            (error: unknown) => {
              throw border.redactError(error);
            },
          );
        } catch (error) {
          throw border.redactError(error);
        }
      };
    },
  });
}
