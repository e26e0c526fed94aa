export { describeEngine, type EngineUnderTest, type MakeEngine } from '../conformance.ts';
