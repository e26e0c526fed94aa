import { append, SuperfluidityError } from '@superfluidity/core';
import { z } from 'zod';
import type { Cloud } from '../cloud.ts';
import { path } from '../cloud.ts';
import { LIMITS } from '../limits.ts';
import { createOnce } from '../once.ts';

/** Filters of a list, in Neutron's words: `{ network_id, tags: 'a,b', status }`. Several values are alternatives. */
export type Filters = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** What Neutron's collections have in common: one form of paths, bodies, pages, filters, revisions and tags. */
export class NeutronCollection<T, Fields extends object> {
  /** `port`: names things in errors and bodies. */
  readonly #one: string;
  /** `security_groups`, as in bodies. */
  readonly #many: string;
  /** `/v2.0/security-groups`. */
  readonly #path: string;
  readonly #schema: z.ZodType<T>;

  constructor(one: string, many: string, at: string, schema: z.ZodType<T>) {
    this.#one = one;
    this.#many = many;
    this.#path = at;
    this.#schema = schema;
  }

  /** All of them, page after page. A list of more than `LIMITS.pages` pages is refused. */
  async list(cloud: Cloud, filters: Filters, signal: AbortSignal): Promise<readonly T[]> {
    const items = await listOfNeutron(cloud, { many: this.#many, path: this.#path }, filters, signal);
    const doing = `list ${this.#words(this.#many)}`;
    return items.map((item) => this.#checked(item, doing));
  }

  /** The first that matches, or undefined. */
  async find(cloud: Cloud, filters: Filters, signal: AbortSignal): Promise<T | undefined> {
    return (await this.list(cloud, filters, signal))[0];
  }

  async show(cloud: Cloud, id: string, signal: AbortSignal): Promise<T> {
    return this.#only(cloud, 'GET', this.#at(id), undefined, `show ${this.#words(this.#one)} ${id}`, signal);
  }

  /** Not repeated when nobody knows whether it was done: find it by its tag or name before another attempt. */
  async create(cloud: Cloud, fields: Fields, signal: AbortSignal): Promise<T> {
    const { name } = fields as { readonly name?: string };
    const doing = `create ${this.#words(this.#one)}${name === undefined ? '' : ` ${name}`}`;
    return this.#only(cloud, 'POST', this.#path, { [this.#one]: fields }, doing, signal);
  }

  /** One, also when answers get lost. The description is what only this one has. */
  async createOnce(cloud: Cloud, fields: Fields & { readonly description: string }, signal: AbortSignal): Promise<T> {
    const { description } = fields;
    return createOnce<T>(cloud, {
      find: () => this.list(cloud, { description }, signal),
      create: () => this.create(cloud, fields, signal),
      remove: async (surplus) => void (await this.delete(cloud, (surplus as { readonly id: string }).id, signal)),
      signal,
    });
  }

  /** All or none, in one request. Answered in the order of the request. */
  async createMany(cloud: Cloud, all: readonly Fields[], signal: AbortSignal): Promise<readonly T[]> {
    if (all.length === 0) return [];
    const answer = await cloud.json(
      {
        service: 'network',
        method: 'POST',
        path: this.#path,
        body: { [this.#many]: all },
        doing: `create ${all.length} ${this.#words(this.#many)}`,
        signal,
      },
      z.object({ [this.#many]: z.array(this.#schema) }),
    );
    return answer[this.#many]!;
  }

  /** With `ifRevision`, refused (412, SF-OPENSTACK-CONFLICT) when somebody changed it since that revision. */
  async update(
    cloud: Cloud,
    id: string,
    fields: Partial<Fields>,
    signal: AbortSignal,
    options: { readonly ifRevision?: number } = {},
  ): Promise<T> {
    const doing = `update ${this.#words(this.#one)} ${id}`;
    const { ifRevision } = options;
    const headers = ifRevision === undefined ? {} : { 'if-match': `revision_number=${ifRevision}` };
    return this.#only(cloud, 'PUT', this.#at(id), { [this.#one]: fields }, doing, signal, headers);
  }

  /** False when there was none. */
  async delete(cloud: Cloud, id: string, signal: AbortSignal): Promise<boolean> {
    const doing = `delete ${this.#words(this.#one)} ${id}`;
    try {
      await cloud.send({ service: 'network', method: 'DELETE', path: this.#at(id), doing, signal });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Replaces all tags. */
  async setTags(cloud: Cloud, id: string, tags: readonly string[], signal: AbortSignal): Promise<void> {
    const doing = `tag ${this.#words(this.#one)} ${id}`;
    await cloud.send({
      service: 'network',
      method: 'PUT',
      path: `${this.#at(id)}/tags`,
      body: { tags },
      doing,
      signal,
    });
  }

  /** A tag with a slash can be given by `setTags` only: Neutron unescapes paths before it splits them. */
  async addTag(cloud: Cloud, id: string, tag: string, signal: AbortSignal): Promise<void> {
    const doing = `tag ${this.#words(this.#one)} ${id} with ${tag}`;
    await cloud.send({ service: 'network', method: 'PUT', path: this.#tag(id, tag), doing, signal });
  }

  async removeTag(cloud: Cloud, id: string, tag: string, signal: AbortSignal): Promise<void> {
    const doing = `remove tag ${tag} of ${this.#words(this.#one)} ${id}`;
    await cloud
      .send({ service: 'network', method: 'DELETE', path: this.#tag(id, tag), doing, signal })
      .catch((error) => {
        if (!isNotFound(error)) throw error;
      });
  }

  /** PUT of a verb below the thing: `add_router_interface`, `add_subports`. */
  async act<A>(
    cloud: Cloud,
    id: string,
    verb: string,
    body: unknown,
    schema: z.ZodType<A>,
    signal: AbortSignal,
  ): Promise<A> {
    return cloud.json(
      {
        service: 'network',
        method: 'PUT',
        path: `${this.#at(id)}/${verb}`,
        body,
        doing: `${this.#words(verb)} of ${this.#words(this.#one)} ${id}`,
        // A second time would be refused although the first was done.
        repeatable: false,
        signal,
      },
      schema,
    );
  }

  async #only(
    cloud: Cloud,
    method: 'GET' | 'POST' | 'PUT',
    at: string,
    body: unknown,
    doing: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const answer = await cloud.json(
      {
        service: 'network',
        method,
        path: at,
        ...(body === undefined ? {} : { body }),
        headers,
        // The revision has changed when an update was done whose answer was lost.
        repeatable: method !== 'POST' && headers['if-match'] === undefined,
        doing,
        signal,
      },
      z.object({ [this.#one]: this.#schema }),
    );
    return answer[this.#one]!;
  }

  #at(id: string): string {
    return `${this.#path}${path`/${id}`}`;
  }

  #tag(id: string, tag: string): string {
    return `${this.#at(id)}${path`/tags/${tag}`}`;
  }

  #checked(item: unknown, doing: string): T {
    const parsed = this.#schema.safeParse(item);
    if (parsed.success) return parsed.data;
    throw new SuperfluidityError('SF-OPENSTACK-ANSWER', { doing, reason: z.prettifyError(parsed.error) });
  }

  #words(name: string): string {
    return name.replaceAll('_', ' ');
  }
}

type Item = Readonly<Record<string, unknown>> & { readonly id: string };

/** A collection of Neutron with all that it says of each item. `many` is its name in bodies: `security_groups`. */
export async function listOfNeutron(
  cloud: Cloud,
  { many, path: at }: { readonly many: string; readonly path: string },
  filters: Filters,
  signal: AbortSignal,
): Promise<readonly Item[]> {
  const doing = `list ${many.replaceAll('_', ' ')}`;
  const links = `${many}_links`;
  const schema = z.looseObject({ [many]: z.array(z.looseObject({ id: z.string() })) });
  const found: Item[] = [];
  let marker: string | undefined;
  for (let page = 0; page < LIMITS.pages; page += 1) {
    const query = { limit: LIMITS.pageSize, ...filters, marker };
    const answer = await cloud.json({ service: 'network', method: 'GET', path: at, query, doing, signal }, schema);
    const items = answer[many] as readonly Item[];
    append(found, items);
    marker = items.at(-1)?.id;
    // Without the extension `pagination`, there are no links, and the first answer has all.
    const next = pageLinks.safeParse(answer[links]).data?.some(({ rel }) => rel === 'next') ?? false;
    if (!next || marker === undefined) return found;
  }
  throw new SuperfluidityError('SF-OPENSTACK-ANSWER', { doing, reason: `more than ${LIMITS.pages} pages` });
}

const pageLinks = z.array(z.object({ rel: z.string() }));

export function isNotFound(error: unknown): boolean {
  return error instanceof SuperfluidityError && error.code === 'SF-OPENSTACK-NOT-FOUND';
}
