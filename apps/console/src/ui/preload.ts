/**
 * Fetches code before it is needed. Whoever leaves the page meanwhile interrupts that, which is no error: where the code
 * is needed it is asked for again, and there it is told when it cannot be had.
 */
export function preload(load: () => Promise<unknown>): void {
  load().catch(() => {});
}
