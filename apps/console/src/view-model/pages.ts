/** The pages of the console: what the navigation lists and the command palette goes to. */
export interface ConsolePage {
  readonly to: PagePath;
  readonly title: string;
  readonly group: 'Run' | 'Design' | 'Operate';
  /** `g` and this letter go there. */
  readonly key: string;
  readonly about: string;
}

export type PagePath =
  | '/'
  | '/services'
  | '/operations'
  | '/catalogue'
  | '/designer'
  | '/deploy'
  | '/verification'
  | '/infrastructure'
  | '/insight'
  | '/events'
  | '/settings';

export const pages: readonly ConsolePage[] = [
  { to: '/', title: 'Overview', group: 'Run', key: 'o', about: 'one service over all sites, live' },
  { to: '/services', title: 'Services', group: 'Run', key: 's', about: 'units, logs, scale, move, heal, terminate' },
  { to: '/operations', title: 'Operations', group: 'Run', key: 'p', about: 'what is and was being done, step by step' },
  { to: '/catalogue', title: 'Catalogue', group: 'Design', key: 'c', about: 'descriptors: onboard, enable, delete' },
  { to: '/designer', title: 'Designer', group: 'Design', key: 'n', about: 'draw a service, or write it' },
  {
    to: '/deploy',
    title: 'Plan and deploy',
    group: 'Design',
    key: 'd',
    about: 'placement, cost and proof before it happens',
  },
  {
    to: '/verification',
    title: 'Verification',
    group: 'Design',
    key: 'v',
    about: 'policies, verdicts, the way of a packet',
  },
  {
    to: '/infrastructure',
    title: 'Infrastructure',
    group: 'Operate',
    key: 'i',
    about: 'sites, hosts by load, links, pools',
  },
  {
    to: '/insight',
    title: 'Insight',
    group: 'Operate',
    key: 'm',
    about: 'latency, requests and operations in numbers',
  },
  {
    to: '/events',
    title: 'Events and audit',
    group: 'Operate',
    key: 'e',
    about: 'what happened, and who asked for it',
  },
  { to: '/settings', title: 'Settings', group: 'Operate', key: 't', about: 'users, tokens, secrets and sites' },
];

export const groups = ['Run', 'Design', 'Operate'] as const;

/** The page to which an address belongs: `/services/shop` is one of Services. */
export function pageAt(path: string): ConsolePage | undefined {
  if (path === '/') return pages[0];
  return pages.find(({ to }) => to !== '/' && (path === to || path.startsWith(`${to}/`)));
}
