import { isSuperfluidityError, SuperfluidityError } from '@superfluidity/core';
import { getImage, type Image, listImages } from '@superfluidity/openstack';
import type { UnitSpec } from '@superfluidity/site';
import type { Uploads } from './upload.ts';
import type { World } from './world.ts';

/** Which image of Glance stands for that of a descriptor. */
export class Images {
  readonly #world: World;
  readonly #uploads: Uploads;

  constructor(world: World, uploads: Uploads) {
    this.#world = world;
    this.#uploads = uploads;
  }

  /** Its id. */
  async of({ execution, baseFolder }: UnitSpec, doing: string, signal: AbortSignal): Promise<string> {
    const { image } = execution;
    const { images } = this.#world.config;
    const name = image === undefined ? undefined : (images[image] ?? /^name:(.+)$/.exec(image)?.[1]);
    const file = image === undefined || name !== undefined ? undefined : /^disk:(.+)$/.exec(image)?.[1];
    if (file !== undefined && this.#world.config.upload) {
      return (await this.#uploads.of(file, baseFolder, doing, signal)).id;
    }
    if (name === undefined) {
      throw new SuperfluidityError('SF-SITE-IMAGE', {
        doing,
        reason: image === undefined ? 'the unit names no image' : `a cloud has no image '${image}'`,
        hint: 'Name an image of Glance (`name:IMAGE`), or say in the configuration of the site which one stands for it.',
      });
    }
    const found = await this.#find(name, signal);
    if (found !== undefined) return found.id;
    throw new SuperfluidityError('SF-SITE-IMAGE', {
      doing,
      reason: `Glance has no active image '${name}'`,
      data: { image: name },
    });
  }

  /** By its name, the newest, or by its id. */
  async #find(name: string, signal: AbortSignal): Promise<Image | undefined> {
    const { cloud } = this.#world;
    const named = await listImages(cloud, { name, status: 'active' }, signal);
    const newest = named.at(-1);
    if (newest !== undefined || !UUID.test(name)) return newest;
    try {
      const image = await getImage(cloud, name, signal);
      return image.status === 'active' ? image : undefined;
    } catch (error) {
      if (isSuperfluidityError(error, 'SF-OPENSTACK-NOT-FOUND')) return undefined;
      throw error;
    }
  }
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
