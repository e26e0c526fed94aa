import { sha256 } from '@superfluidity/core';

/** Who applies: of two managers of one field the API server knows whose it is. */
export const MANAGER = 'superfluidity';
const DOMAIN = 'superfluidity.dev';

export const LABELS = {
  manager: 'app.kubernetes.io/managed-by',
  site: `${DOMAIN}/site`,
  service: `${DOMAIN}/service`,
  unit: `${DOMAIN}/unit`,
  network: `${DOMAIN}/network`,
  /** On pods that have rules of their own of what may come in. */
  ruled: `${DOMAIN}/ruled`,
  /** On Services that are balancers, and what belongs to them. */
  balancer: `${DOMAIN}/balancer`,
  /** On nodes that are virtual machines of a unit: its path. Written by who makes these nodes. */
  parent: `${DOMAIN}/parent`,
  /** On nodes: how Kuryr connects their pods. Those that are virtual machines begin with `nested-`. */
  vif: `${DOMAIN}/vif`,
  /** On what builds an image from source. */
  build: `${DOMAIN}/build`,
} as const;

export const ANNOTATIONS = {
  /** What was asked for: all that is needed to find a unit or a network again without any record of ours. */
  spec: `${DOMAIN}/spec`,
  facts: `${DOMAIN}/facts`,
  /** On a namespace: the subnet in which Kuryr puts its pods. */
  subnet: `${DOMAIN}/subnet`,
  /** Beside it: which network of which site that is. */
  subnetOf: `${DOMAIN}/subnet-of`,
  /** What the site that made a network calls it. */
  segment: `${DOMAIN}/segment`,
  /** Ethernet address, written when the unit was ready for the first time. */
  mac: `${DOMAIN}/mac`,
} as const;

const LABEL_VALUE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** Label values are short: what does not fit becomes a digest, and stands whole in the annotation. */
export function labelValue(value: string): string {
  return LABEL_VALUE.test(value) ? value : `sha256-${sha256(value).slice(0, 32)}`;
}

/** Names of what the driver makes derive from ids, with the site in them: a namespace may have several. */
export class Marks {
  readonly siteId: string;
  /** Selects everything of the site. */
  readonly selector: string;

  constructor(siteId: string) {
    this.siteId = siteId;
    this.selector = `${LABELS.manager}=${MANAGER},${LABELS.site}=${labelValue(siteId)}`;
  }

  labels(more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
    const values = Object.entries(more).map(([key, value]) => [key, labelValue(value)]);
    return {
      [LABELS.manager]: MANAGER,
      [LABELS.site]: labelValue(this.siteId),
      ...(Object.fromEntries(values) as Record<string, string>),
    };
  }

  unitName(id: string): string {
    return this.#name('unit', id);
  }

  networkName(id: string): string {
    return this.#name('net', id);
  }

  rulesName(id: string): string {
    return this.#name('rules', id);
  }

  balancerName(id: string): string {
    return this.#name('lb', id);
  }

  /** `what` is all that the image is made of. */
  buildName(what: string): string {
    return this.#name('build', what);
  }

  get namespaceName(): string {
    return this.#name('namespace', this.siteId);
  }

  get siteName(): string {
    return this.#name('site', this.siteId);
  }

  #name(what: string, id: string): string {
    return `sf-${what}-${sha256(`${this.siteId} ${id}`).slice(0, 20)}`;
  }
}
