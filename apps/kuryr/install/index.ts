export { manage } from './manage.ts';
