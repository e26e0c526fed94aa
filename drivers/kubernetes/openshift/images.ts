import { canonicalJson, SuperfluidityError } from '@superfluidity/core';
import type { Tell } from '@superfluidity/site';
import { type BuildConfig, LIMITS } from '../config.ts';
import { imageOf } from '../manifest.ts';
import { LABELS } from '../marks.ts';
import type { KubeObject } from '../objects.ts';
import type { World } from '../world.ts';

export const BUILDS = 'build.openshift.io/v1';
export const IMAGE_STREAMS = 'image.openshift.io/v1';
/** Written by OpenShift on the builds of a configuration. */
const BUILD_OF = 'openshift.io/build-config.name';
const LOOK_MS = 1_000;

interface Build extends KubeObject {
  readonly status?: {
    readonly phase?: 'New' | 'Pending' | 'Running' | 'Complete' | 'Failed' | 'Error' | 'Cancelled';
    readonly reason?: string;
    readonly message?: string;
    readonly logSnippet?: string;
    /** Where the image was pushed to. */
    readonly outputDockerImageReference?: string;
    readonly output?: { readonly to?: { readonly imageDigest?: string } };
  };
}

export interface ImageWish {
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly tell: Tell;
  /** For whom: the path of the unit. */
  readonly what: string;
}

/** Images of units: by name, or built by OpenShift from their source (source-to-image) when they are asked for first. */
export class Images {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async of(image: string | undefined, wish: ImageWish): Promise<string> {
    const build = image === undefined ? undefined : this.#world.config.builds[image];
    return build === undefined ? imageOf(this.#world, image, wish.doing) : this.#built(build, wish);
  }

  async #built(build: BuildConfig, wish: ImageWish): Promise<string> {
    const { marks, discovery, clock } = this.#world;
    await discovery.refuseWithout(BUILDS, 'an image that is built from source', wish.doing, wish.signal);
    // Another source or builder is another image.
    const name = marks.buildName(canonicalJson(build));
    if (isFailed(await this.#latest(name, wish.signal))) await this.#forget(name, wish.signal);
    await this.#apply(name, build, wish.signal);
    const limited = AbortSignal.any([wish.signal, AbortSignal.timeout(LIMITS.buildMs)]);
    for (let told = ''; ; await clock.sleep(LOOK_MS, limited)) {
      const last = await this.#latest(name, limited);
      const { phase, reason, message } = last?.status ?? {};
      if (last === undefined || phase === undefined) continue;
      if (phase !== told) {
        const why = message ?? reason;
        wish.tell({
          at: clock.now(),
          what: `build ${last.metadata.name} for ${wish.what}`,
          state: phase,
          ...(why === undefined ? {} : { reason: why }),
        });
        told = phase;
      }
      if (isFailed(last)) throw failureOf(last, wish.doing);
      if (phase === 'Complete') return referenceOf(last, wish.doing);
    }
  }

  async #apply(name: string, build: BuildConfig, signal: AbortSignal): Promise<void> {
    const { cluster, marks } = this.#world;
    const metadata = { name, namespace: cluster.namespace, labels: marks.labels({ [LABELS.build]: name }) };
    const stream = { apiVersion: IMAGE_STREAMS, kind: 'ImageStream', metadata };
    await cluster.apply(cluster.path('imagestreams', name, IMAGE_STREAMS), stream, signal);
    const config = { apiVersion: BUILDS, kind: 'BuildConfig', metadata, spec: buildSpec(name, build) };
    await cluster.apply(cluster.path('buildconfigs', name, BUILDS), config, signal);
  }

  async #latest(name: string, signal: AbortSignal): Promise<Build | undefined> {
    const { cluster } = this.#world;
    const labelSelector = `${BUILD_OF}=${name}`;
    const { items } = await cluster.list<Build>(cluster.path('builds', undefined, BUILDS), { labelSelector }, signal);
    const at = ({ metadata }: Build) => metadata.creationTimestamp ?? '';
    return items.toSorted((a, b) => (at(a) < at(b) ? 1 : -1))[0];
  }

  /** The first build of a configuration begins by itself: one that failed is tried again by making the configuration anew. */
  async #forget(name: string, signal: AbortSignal): Promise<void> {
    const { cluster, clock } = this.#world;
    await cluster.delete(cluster.path('buildconfigs', name, BUILDS), undefined, signal);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.deleteMs)]);
    for (let last = await this.#latest(name, limited); last !== undefined; last = await this.#latest(name, limited)) {
      await cluster.delete(cluster.path('builds', last.metadata.name, BUILDS), undefined, limited);
      await clock.sleep(LIMITS.pauseMs, limited);
    }
  }
}

function buildSpec(name: string, { git, ref, contextDir, builder, secret }: BuildConfig): unknown {
  const [first = '', second] = builder.split('/');
  const from = second === undefined ? { name: first } : { namespace: first, name: second };
  return {
    source: {
      type: 'Git',
      git: { uri: git, ...(ref === undefined ? {} : { ref }) },
      ...(contextDir === undefined ? {} : { contextDir }),
      ...(secret === undefined ? {} : { sourceSecret: { name: secret } }),
    },
    strategy: { type: 'Source', sourceStrategy: { from: { kind: 'ImageStreamTag', ...from } } },
    output: { to: { kind: 'ImageStreamTag', name: `${name}:latest` } },
    triggers: [{ type: 'ConfigChange' }],
  };
}

function isFailed(build: Build | undefined): boolean {
  const phase = build?.status?.phase;
  return phase === 'Failed' || phase === 'Error' || phase === 'Cancelled';
}

function failureOf({ metadata, status }: Build, doing: string): SuperfluidityError {
  const why = [status?.reason, status?.message].filter((text) => text !== undefined && text !== '').join(': ');
  return new SuperfluidityError('SF-KUBE-BUILD', {
    doing,
    reason: `build ${metadata.name} ended as ${status?.phase}${why === '' ? '' : `: ${why}`}`,
    request: `build ${metadata.name}`,
    ...(status?.logSnippet === undefined ? {} : { answer: status.logSnippet.slice(-LIMITS.tail) }),
  });
}

/** By digest, so that it is what was built, whatever is pushed later. */
function referenceOf({ metadata, status }: Build, doing: string): string {
  const pushed = status?.outputDockerImageReference;
  if (pushed === undefined) {
    const reason = `build ${metadata.name} is complete and does not say where its image is`;
    throw new SuperfluidityError('SF-KUBE-BUILD', { doing, reason });
  }
  const digest = status?.output?.to?.imageDigest;
  return digest === undefined ? pushed : `${pushed.replace(/(?::[^:/@]+)?(?:@.*)?$/, '')}@${digest}`;
}
