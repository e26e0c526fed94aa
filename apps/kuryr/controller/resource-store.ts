import { SuperfluidityError } from '@superfluidity/core';
import { isConflict, type KubeObject, type Meta } from '@superfluidity/driver-kubernetes';
import { KURYR_API } from '@superfluidity/driver-kubernetes/kuryr';
import { z } from 'zod';
import { resourcePath } from '../api/resources.ts';
import { Informer, type InformerWorld } from '../kubernetes/informer.ts';
import { mergePatch } from './merge-patch.ts';
import { keyOf, type Subject, subjectOf } from '../kubernetes/objects.ts';
import './errors.ts';

interface Fields {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>> | undefined;
}

/** What a resource says, and its metadata as Kubernetes has it. */
export type Stored<T extends Fields> = Pick<T, 'spec' | 'status'> & { readonly metadata: Meta };

export interface ResourceKind {
  readonly kind: string;
  readonly plural: string;
  /** Its status is written with the rest, also when it is made. */
  readonly isWhole?: true;
}

export interface Wanted<T extends Fields> {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Goes with it. */
  readonly owner?: Subject;
  readonly finalizer?: string;
  readonly spec: T['spec'];
  /** Of kinds that are made whole. */
  readonly status?: T['status'];
}

/** Custom resources of one kind: known by a watch, and written under the version that is known. */
export class ResourceStore<T extends Fields> {
  readonly informer: Informer<KubeObject>;
  readonly #resource: ResourceKind;
  readonly #schema: z.ZodType<T>;
  readonly #world: InformerWorld;
  /** What was read of an object. None of them changes: each version is another object, and is read once, however often it is asked for. */
  readonly #known = new WeakMap<KubeObject, Stored<T>>();

  constructor(world: InformerWorld, resource: ResourceKind, schema: z.ZodType<T>) {
    this.#world = world;
    this.#resource = resource;
    this.#schema = schema;
    this.informer = new Informer<KubeObject>(world, resourcePath(resource));
  }

  /** Throws `SF-KURYR-RESOURCE`. */
  get(key: string): Stored<T> | undefined {
    const object = this.informer.get(key);
    return object === undefined ? undefined : this.#read(object);
  }

  /** Those that can be read. */
  all(): readonly Stored<T>[] {
    return this.informer.all().flatMap((object) => this.parse(object) ?? []);
  }

  /** Of an object as the watch tells it. Undefined: there is none, or it cannot be read. */
  parse(object: KubeObject | undefined): Stored<T> | undefined {
    if (object === undefined) return undefined;
    const known = this.#known.get(object);
    if (known !== undefined) return known;
    const { data } = this.#schema.safeParse(object);
    if (data === undefined) return undefined;
    const stored = { ...data, metadata: object.metadata };
    this.#known.set(object, stored);
    return stored;
  }

  subject(object: { readonly metadata: Meta }): Subject {
    return subjectOf(KURYR_API, this.#resource.kind, object);
  }

  /** Undefined when there is one of the name already, or the namespace is gone: the watch tells of it. */
  async create(wanted: Wanted<T>, signal: AbortSignal): Promise<Stored<T> | undefined> {
    const { namespace, name, labels = {}, owner, finalizer, spec, status } = wanted;
    const object = {
      apiVersion: KURYR_API,
      kind: this.#resource.kind,
      metadata: {
        name,
        namespace,
        labels,
        ...(finalizer === undefined ? {} : { finalizers: [finalizer] }),
        ...(owner === undefined ? {} : { ownerReferences: [referenceTo(owner)] }),
      },
      spec,
      ...(status === undefined ? {} : { status }),
    };
    const path = resourcePath(this.#resource, namespace);
    const made = await orConflict(this.#world.cluster.create<KubeObject>(path, object, signal));
    this.informer.note(made);
    if (made === undefined) return undefined;
    const stored = this.#read(made);
    if (status !== undefined) this.#refuseLoss(stored);
    return stored;
  }

  /** Refused (409) when somebody changed it since it was read. Undefined when it is gone. */
  async write(object: Stored<T>, change: Partial<Pick<T, 'spec' | 'status'>>, signal: AbortSignal) {
    const { spec, status } = change;
    const { cluster } = this.#world;
    let now: Stored<T> | undefined = object;
    const { namespace, name } = object.metadata;
    const path = resourcePath(this.#resource, namespace!, name);
    for (const [part, wanted, was] of [
      ['spec', spec, object.spec],
      ['status', status, object.status ?? {}],
    ] as const) {
      const patch = wanted === undefined ? undefined : mergePatch(was, wanted);
      if (patch === undefined || now === undefined) continue;
      const { uid, resourceVersion }: Meta = now.metadata;
      const written: KubeObject | undefined = await cluster.merge<KubeObject>(
        part === 'status' && this.#resource.isWhole !== true ? `${path}/status` : path,
        { metadata: { uid, resourceVersion }, [part]: patch },
        signal,
      );
      this.informer.note(written);
      now = written === undefined ? undefined : this.#read(written);
      if (part === 'status' && now !== undefined) this.#refuseLoss(now);
    }
    return now;
  }

  /** It goes when its finalizer is done. */
  async delete({ metadata }: { readonly metadata: Meta }, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = metadata;
    const path = resourcePath(this.#resource, namespace!, name);
    // Another of the name: the one that was meant is gone.
    const left = await orConflict(this.#world.cluster.delete<KubeObject>(path, undefined, signal, uid));
    if (left?.metadata?.uid === uid) this.informer.note(left);
  }

  /** What it stands for is no more. */
  async finish({ metadata }: { readonly metadata: Meta }, finalizer: string, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid, resourceVersion, finalizers = [] } = metadata;
    if (!finalizers.includes(finalizer)) return;
    const patch = {
      metadata: { uid, resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) },
    };
    await this.#world.cluster.merge(resourcePath(this.#resource, namespace!, name), patch, signal);
  }

  /** A status that is written with the rest is dropped without a word where the kind is defined to have a path for it. */
  #refuseLoss(stored: Stored<T>): void {
    if (stored.status !== undefined) return;
    const { kind, plural } = this.#resource;
    throw new SuperfluidityError('SF-KURYR-RESOURCE', {
      doing: `write the status of ${kind} ${keyOf(stored)}`,
      reason: 'the API server keeps none',
      hint: `The definition of ${plural} is of another version: install Kuryr anew, or remove \`subresources\` from it.`,
    });
  }

  #read(object: KubeObject): Stored<T> {
    const stored = this.parse(object);
    if (stored !== undefined) return stored;
    throw new SuperfluidityError('SF-KURYR-RESOURCE', {
      doing: `read ${this.#resource.kind} ${keyOf(object)}`,
      reason: z.prettifyError(this.#schema.safeParse(object).error!),
    });
  }
}

const referenceTo = ({ apiVersion, kind, metadata: { name, uid } }: Subject) => ({ apiVersion, kind, name, uid });

async function orConflict<T>(asked: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
}
