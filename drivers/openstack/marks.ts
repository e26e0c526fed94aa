import { sha256 } from '@superfluidity/core';

/**
 * By what our things are found again, told from those of others, and removed. All carry the tags. The description is there
 * from the moment in which a thing is made; tags come one request later, and a crash may come between.
 */
export const OURS = 'superfluidity';

export class Marks {
  /** `superfluidity:site=<id>`: everything of the site has it. */
  readonly siteTag: string;
  readonly siteId: string;

  constructor(siteId: string) {
    this.siteId = siteId;
    this.siteTag = tag('site', siteId);
  }

  /** `facts` are read back by `factOf`. */
  tags(id: string, facts: Readonly<Record<string, string>> = {}): readonly string[] {
    return [OURS, this.siteTag, tag('id', id), ...Object.entries(facts).map(([key, value]) => tag(key, value))];
  }

  description(id: string): string {
    return `${this.siteTag} ${tag('id', id)}`;
  }

  /** Nova's tags are short: long ids become a digest there, and stand whole in the metadata. */
  serverTags(unitId: string): readonly string[] {
    return [OURS, this.siteTag, this.serverTag(unitId)];
  }

  serverTag(unitId: string): string {
    const plain = `${OURS}:id=${unitId}`;
    const fits = plain.length <= SERVER_TAG_MAX && !/[,/]/.test(plain);
    return fits ? plain : `${OURS}:id=${sha256(unitId).slice(0, 32)}`;
  }

  isOurs(thing: { readonly tags?: readonly string[]; readonly description?: string | null | undefined }): boolean {
    return thing.tags?.includes(this.siteTag) === true || thing.description?.startsWith(`${this.siteTag} `) === true;
  }
}

const SERVER_TAG_MAX = 60;

export function tag(key: string, value: string): string {
  return `${OURS}:${key}=${value.replaceAll(/[%,]/g, (one) => encodeURIComponent(one))}`;
}

/** What a description of ours says of the id. */
export function idIn(description: string | null | undefined): string | undefined {
  return / superfluidity:id=(.+)$/
    .exec(description ?? '')?.[1]
    ?.replaceAll('%2C', ',')
    .replaceAll('%25', '%');
}

/** What a tag of ours says, if it says it. */
export function factOf(tags: readonly string[], key: string): string | undefined {
  const start = `${OURS}:${key}=`;
  const found = tags.find((one) => one.startsWith(start));
  return found?.slice(start.length).replaceAll('%2C', ',').replaceAll('%25', '%');
}

/** Locally administered, unicast. The same for the same port: of two that make it at once, Neutron refuses one. */
export function portMac(portId: string): string {
  const hex = sha256(`mac ${portId}`);
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`;
}
