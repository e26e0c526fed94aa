import { likenessSuite } from './testing/likeness.ts';

await likenessSuite('vm');
