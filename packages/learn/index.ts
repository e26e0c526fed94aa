export { classify, classShares } from './c45/classify.ts';
export { type Condition, describeConditions, type Rule } from './c45/condition.ts';
export { expectedErrors, upperErrorRate } from './c45/pessimistic.ts';
export { readC45 } from './c45/read.ts';
export { classifyByRules, extractRules, type RuleSet } from './c45/rules.ts';
export { type C45Options, trainC45 } from './c45/train.ts';
export { type C45Tree, sizeOf, type TreeNode } from './c45/tree.ts';
export * from './errors.ts';
export * from './table.ts';
