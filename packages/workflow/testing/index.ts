export { describeEngine, type EngineUnderTest, type MakeEngine } from '../conformance.ts';
export { type MakeSaga, type SagaUnderTest, testSaga } from '../test-saga.ts';
