import type { Service } from '@superfluidity/api';

/** The service that the overview shows when nobody has chosen: the first that is deployed. */
export const shownService = (services: readonly Service[]): string | undefined =>
  (services.find((one) => one.state === 'INSTANTIATED') ?? services[0])?.name;
