import { demoSuite } from './testing.ts';

demoSuite('vm', 120_000);
