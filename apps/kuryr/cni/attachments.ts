import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, SuperfluidityError } from '@superfluidity/core';
import { replaceFile } from '@superfluidity/netlink';
import { z } from 'zod';
import './errors.ts';
import { LIMITS } from './limits.ts';
import type { CniResult } from './specification.ts';

/** How an interface of a pod was plugged: all that is needed to unplug it, also by another process. */
const madeSchema = z.object({
  /** In the pod. */
  name: z.string(),
  /** The device on the node; with it goes the one in the pod. Absent where the pod's device is the only one. */
  device: z.string().optional(),
  /** What the pod's only device was called before it had its name. */
  draft: z.string().optional(),
  /** It is a port of this bridge of Open vSwitch. */
  vswitch: z.string().optional(),
  /** The device was plugged ahead, and its other end is this one on the node, over which the pod's device lies. */
  over: z.string().optional(),
});
export type Made = z.infer<typeof madeSchema>;

const attachmentSchema = z.object({
  container: z.string(),
  interface: z.string(),
  /** Of the configuration: garbage is collected network by network. */
  network: z.string(),
  pod: z.string(),
  /** Absent where a daemon of before wrote it. */
  podUid: z.string().optional(),
  netns: z.string(),
  /** Tells the namespace from another one at the same path: its inode. */
  netnsId: z.number(),
  made: z.array(madeSchema),
  /** What ADD was answered. Absent until then: nobody counts on an attachment without it. */
  result: z.looseObject({}).optional(),
});
export type Attachment = Omit<z.infer<typeof attachmentSchema>, 'result'> & { readonly result?: CniResult };

/** A pod whose ADD began and was not answered. */
export type Interrupted = Pick<Attachment, 'pod' | 'podUid'>;

/** Section 1 of the specification: this pair names an attachment. */
export const attachmentKey = (container: string, name: string): string => `${container}/${name}`;

/**
 * What is plugged on this node: a file for each attachment, replaced as a whole, with a copy in memory that is what everybody
 * reads. They lie in /run, and so live as long as the devices that they speak of.
 */
export class Attachments {
  readonly #folder: string;
  readonly #values = new Map<string, Attachment>();

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      // Drafts of a daemon that was killed.
      if (!name.endsWith('.json')) {
        rmSync(path, { force: true });
        continue;
      }
      try {
        const value = attachmentSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) as Attachment;
        this.#values.set(attachmentKey(value.container, value.interface), value);
      } catch (error) {
        // Replaced at once, a file is whole or somebody else wrote it.
        log.warn({ path, error: String(error) }, 'ignored an attachment that cannot be read');
      }
    }
  }

  get size(): number {
    return this.#values.size;
  }

  get(container: string, name: string): Attachment | undefined {
    return this.#values.get(attachmentKey(container, name));
  }

  all(): readonly Attachment[] {
    return [...this.#values.values()];
  }

  put(value: Attachment): void {
    const key = attachmentKey(value.container, value.interface);
    const doing = `write down attachment ${key}`;
    if (!this.#values.has(key) && this.#values.size >= LIMITS.attachments)
      throw new SuperfluidityError('SF-CNI-STATE', { doing, reason: `there are ${LIMITS.attachments} already` });
    const path = this.#path(value);
    try {
      replaceFile(path, JSON.stringify(value), `${path}.new`);
    } catch (cause) {
      rmSync(`${path}.new`, { force: true });
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SuperfluidityError('SF-CNI-STATE', { doing, reason, request: `write ${path}`, cause });
    }
    this.#values.set(key, value);
  }

  delete(value: Attachment): void {
    rmSync(this.#path(value), { force: true });
    this.#values.delete(attachmentKey(value.container, value.interface));
  }

  #path({ container, interface: name }: Attachment): string {
    return join(this.#folder, `${container}:${encodeURIComponent(name)}.json`);
  }
}
