export {
  coverageOf,
  type CoverageReport,
  type FileCoverage,
  outerEntries,
  unreachableRules,
} from './analyses/coverage.ts';
export { explained } from './analyses/explained.ts';
export { mtu, type MtuOptions } from './analyses/mtu.ts';
export { multipath } from './analyses/multipath.ts';
export { alike, type Alike } from './analyses/alike.ts';
export {
  blackHoles,
  failures,
  invariants,
  isolation,
  loops,
  reach,
  waypoints,
} from './analyses/questions.ts';
export type { Place } from './analyses/places.ts';
export { symmetry, type SymmetryOptions } from './analyses/symmetry.ts';
export { hidden, visible } from './analyses/visibility.ts';
export { examineRules, type RuleFault, ruleFaultText, type RulesReport, ruleVerdicts } from './analyses/rules/rules.ts';
export { type Assembled, assemble } from './assemble/assemble.ts';
export { type RuleFiles, ruleFiles, rulesInForce } from './assemble/rule-files.ts';
export { namespaceModel } from './assemble/namespace.ts';
export {
  type Difference,
  equivalence,
  type EquivalenceOptions,
  type EquivalenceVerdict,
} from './equivalence/equivalence.ts';
export { type ConcretePath, interpret, type InterpretOptions, type Read } from './engine/interpret.ts';
export { Coverage } from './engine/coverage.ts';
export { type Exploration, explore, type ExploreOptions, type Monitor, type Start } from './engine/explore.ts';
export * from './engine/path.ts';
export * from './errors.ts';
export { type Destination, destinations } from './incremental/destinations.ts';
export { type Header, type HeaderWidths } from './incremental/headers.ts';
export type { AccessRule, ForwardingRule, MaskedAddress, NetworkRule, Range } from './incremental/rules.ts';
export {
  ChangingRoutes,
  readRouteUpdates,
  type RouteUpdate,
  type RouteUpdateReport,
} from './incremental/route-updates.ts';
export { readUpdates, readWiring, type RuleUpdate } from './incremental/updates.ts';
export { type BlackHole, IncrementalVerifier, type Loop, type Update, type Wiring } from './incremental/verifier.ts';
export * from './ir/expression.ts';
export * from './ir/fields.ts';
export * from './ir/instruction.ts';
export * from './ir/layouts.ts';
export * from './ir/source.ts';
export * from './ir/table.ts';
export { parseFilter } from './filter/filter.ts';
export { type Bound, defaultLimits, inputLimits as verifyLimits, type Limits } from './limits.ts';
export type {
  ClusterNode,
  ClusterPod,
  ClusterState,
  LabelSelector,
  NetworkPolicy,
  PolicyPeer,
  PolicyPort,
  PolicyRule,
} from './kubernetes/objects.ts';
export {
  type PoliciesOptions,
  type PoliciesReport,
  type PolicyDifference,
  type PolicyVerdict,
  provePolicies,
} from './kubernetes/prove.ts';
export { policiesJson, policiesText } from './kubernetes/report.ts';
export * from './network.ts';
export { checkFormula, type CheckOptions } from './netctl/check.ts';
export type { Formula } from './netctl/formula.ts';
export { parseFormula, parsePolicies, type Policy } from './netctl/parse.ts';
export { portsOf } from './ports.ts';
export * from './read/ledger.ts';
export * from './read/reader.ts';
export * from './verdict.ts';
export { coverageJson, coverageText } from './report/coverage.ts';
export { differenceJson, differencesText } from './report/differences.ts';
export { dot, mermaid } from './report/graph.ts';
export { pathJson, verdictJson } from './report/json.ts';
export { pcap } from './report/pcap.ts';
export { routeUpdateJson, routeUpdateText, routeUpdateVerdicts } from './report/route-updates.ts';
export { sarif } from './report/sarif.ts';
export { pathLines, verdictText } from './report/text.ts';
export { showValue } from './report/values.ts';
export { parseNetwork } from './sefl/parse.ts';
export { printInstruction, printNetwork } from './sefl/print.ts';
export { type FormulaSolver, z3Solver } from './solve/z3/z3.ts';
export type { BoxModel } from './models/box-model.ts';
export { networkOfRules } from './models/rules.ts';
export { flowState } from './models/netfilter/keys.ts';
export {
  type AddressGroup,
  serviceMatrix,
  type ServiceMatrix,
  type ServiceMatrixOptions,
} from './models/netfilter/service-matrix.ts';
export { readIptables } from './readers/netfilter/iptables.ts';
export { askEverywhere, checkPolicies, compareEverywhere, type EverywhereOptions } from './workers/ask-everywhere.ts';
export type { AskedPolicy } from './workers/job.ts';
export type { EveryStartQuestion } from './workers/question.ts';
export { together } from './workers/together.ts';
