import { readFileSync } from 'node:fs';

/** What the site tells a unit about itself. Absent when a program is run by hand. */
export function readFacts(file = process.env['FACTS_FILE'] ?? '/run/superfluidity/facts.json'): Record<string, string> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** A whole number from the environment. */
export function numberFrom(name: string, fallback: number): number {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not '${text}'`);
  return Number(text);
}
