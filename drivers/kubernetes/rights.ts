import { LIMITS } from './config.ts';
import type { World } from './world.ts';

/** Something of the API, as rules of RBAC name it. */
export interface Right {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';
  readonly resource: string;
  readonly subresource?: string;
  readonly group?: string;
  /** Default: in the namespace of the site. */
  readonly everywhere?: boolean;
}

interface Review {
  readonly status?: { readonly allowed?: boolean };
}

/** What the user of the site may do, as the API server says it (SelfSubjectAccessReview). */
export class Rights {
  readonly #world: Pick<World, 'cluster' | 'clock'>;
  readonly #known = new Map<string, { readonly untilMs: number; readonly answer: Promise<boolean> }>();

  constructor(world: Pick<World, 'cluster' | 'clock'>) {
    this.#world = world;
  }

  has(right: Right, signal: AbortSignal): Promise<boolean> {
    const key = JSON.stringify(right);
    const now = this.#world.clock.now();
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > now) return known.answer;
    const answer = this.#ask(right, signal);
    const entry = { untilMs: now + LIMITS.rightsKeptMs, answer };
    this.#known.set(key, entry);
    answer.catch(() => {
      if (this.#known.get(key) === entry) this.#known.delete(key);
    });
    return answer;
  }

  async all(rights: readonly Right[], signal: AbortSignal): Promise<boolean> {
    const answers = await Promise.all(rights.map((right) => this.has(right, signal)));
    return answers.every((one) => one);
  }

  async #ask({ everywhere, ...right }: Right, signal: AbortSignal): Promise<boolean> {
    const { cluster } = this.#world;
    const namespace = everywhere === true ? {} : { namespace: cluster.namespace };
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { ...right, ...namespace } },
    };
    const answer = await cluster.ask<Review>('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body, signal);
    return answer?.status?.allowed === true;
  }
}
