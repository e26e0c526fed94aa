import type { Page } from 'playwright-core';

/** The basics that a screen reader and a keyboard need, as a list of what violates them. */
export function violations(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const shown = (element: Element) => element.checkVisibility() && element.closest('[aria-hidden="true"]') === null;
    const describe = (element: Element) => element.outerHTML.slice(0, 120);
    const nameOf = (element: Element): string => {
      const labelledBy = element.getAttribute('aria-labelledby');
      if (labelledBy !== null) {
        return labelledBy
          .split(' ')
          .map((id) => document.getElementById(id)?.textContent ?? '')
          .join(' ');
      }
      const label = element.getAttribute('aria-label') ?? element.getAttribute('title');
      if (label !== null) return label;
      if ('labels' in element && element.labels instanceof NodeList && element.labels.length > 0) {
        return element.labels[0]!.textContent ?? '';
      }
      return element.textContent ?? '';
    };
    for (const element of document.querySelectorAll(
      'button, a[href], select, input, [role="meter"], [role="img"], section, aside',
    )) {
      if (shown(element) && nameOf(element).trim() === '') found.push(`no name: ${describe(element)}`);
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id).filter(Boolean);
    for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) found.push(`id twice: ${id}`);
    for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
      for (const attribute of ['aria-labelledby', 'aria-describedby']) {
        for (const id of (element.getAttribute(attribute) ?? '').split(' ').filter(Boolean)) {
          if (document.getElementById(id) === null) found.push(`${attribute} to nothing: ${describe(element)}`);
        }
      }
    }
    if (document.querySelectorAll('main').length !== 1) found.push('not one main');
    // A dialog has a heading of its own.
    const headings = [...document.querySelectorAll('h1')].filter(
      (heading) => heading.closest('[role="dialog"]') === null,
    );
    if (headings.length !== 1) found.push('not one h1');
    if (document.documentElement.lang === '') found.push('no language');
    for (const element of document.querySelectorAll('[tabindex]')) {
      if (Number(element.getAttribute('tabindex')) > 0) found.push(`tabindex above 0: ${describe(element)}`);
    }
    for (const image of document.querySelectorAll('img')) {
      if (image.getAttribute('alt') === null) found.push(`no alt: ${describe(image)}`);
    }
    return found;
  });
}
