import { readFileSync } from 'node:fs';

/**
 * What the site tells a unit about itself. Absent when a program is run by hand.
 *
 * @returns {Record<string, string>}
 */
export function readFacts(file = process.env['FACTS_FILE'] ?? '/run/superfluidity/facts.json') {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/**
 * A whole number from the environment.
 *
 * @param {string} name
 * @param {number} fallback
 */
export function numberFrom(name, fallback) {
  const text = process.env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not '${text}'`);
  return Number(text);
}
