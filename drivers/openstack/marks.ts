import { createHash } from 'node:crypto';

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

/** Prefix of 48 bits for segment identifiers (RFC 4193), without its length, as other kinds of sites have it. */
export function locatorOf(siteId: string): string {
  const hex = sha256(`locator ${siteId}`);
  return `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}`;
}

export function routerSid(siteId: string): string {
  return `${locatorOf(siteId)}:0:0:0:0:1`;
}

/** Names the port where chains are described; no packet carries it inside of a cloud. */
export function portSid(siteId: string, portId: string): string {
  const hex = sha256(`sid ${portId}`);
  const groups = [0, 4, 8, 12].map((at) => Number.parseInt(hex.slice(at, at + 4), 16) | (at === 0 ? 0x8000 : 0));
  return `${locatorOf(siteId)}:1:${groups.map((group) => group.toString(16)).join(':')}`;
}

/** Locally administered, unicast. The same for the same port: of two that make it at once, Neutron refuses one. */
export function portMac(portId: string): string {
  const hex = sha256(`mac ${portId}`);
  return `02:${[0, 2, 4, 6, 8].map((at) => hex.slice(at, at + 2)).join(':')}`;
}

function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}
