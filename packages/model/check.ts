import { canonicalJson, type Problem } from '@superfluidity/core';
import type { Service } from './block.ts';
import { checkAffinity } from './check-affinity.ts';
import { checkBlocks } from './check-blocks.ts';
import { checkNesting } from './check-nesting.ts';
import { checkNetworking } from './check-networking.ts';
import { checkPolicies } from './check-policies.ts';
import { checkReferences } from './check-references.ts';
import { checkTraffic } from './check-traffic.ts';
import { Findings } from './findings.ts';

/**
 * Whether a service means something: names, references, cycles, addresses, bounds. Shape and types are the reader's
 * business. Problems are in the order of the document's parts; their paths have the form
 * `functions[1].units[0].ports[0].address`, which readers translate to positions.
 */
export function checkService(service: Service): readonly Problem[] {
  const findings = new Findings();
  const index = checkBlocks(service, findings);
  // What follows walks the whole service more than once: it does so only when the service is of a bearable size.
  if (!findings.has('SF-MODEL-LIMIT')) {
    checkNetworking(service, index, findings);
    checkReferences(service, index, findings);
    checkTraffic(service, index, findings);
    // Of what contains itself, or runs inside itself, nothing more can be said: walking it would not end.
    if (!findings.has('SF-MODEL-CYCLE')) {
      checkNesting(index, findings);
      checkAffinity(service, index, findings);
      checkPolicies(service, index, findings);
    }
  }
  return findings.list;
}

/** Equality of services as values. */
export function sameService(a: Service, b: Service): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
