import axe from 'axe-core';
import type { Page } from 'playwright-core';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

interface Results {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What axe-core finds in the page as it is, by WCAG 2.2 AA and good practice, as lines. */
export async function axeFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  // Half transparent, a text has another contrast: what fades in has to be there.
  await page.evaluate(async () => {
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().iterations !== Infinity) await animation.finished.catch(() => {});
    }
  });
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const only = rules === undefined ? { type: 'tag', values: WCAG } : { type: 'rule', values: [...rules] };
  const { violations } = await page.evaluate(
    (runOnly) =>
      (globalThis as unknown as { axe: { run(at: unknown, options: unknown): Promise<Results> } }).axe.run(document, {
        runOnly,
        resultTypes: ['violations'],
      }),
    only,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes
      .slice(0, 5)
      .map(
        ({ html, failureSummary = '' }) =>
          `${id}: ${html.slice(0, 160)} ${failureSummary.replaceAll('\n', ' ').slice(0, 220)}`,
      ),
  );
}
