import { Empty } from '../ui/empty.tsx';

export const NoSites = () => (
  <Empty title="No sites yet" command="superfluidity site add edge --kind linux">
    A site is a place where units can run: this machine, or a cloud.
  </Empty>
);
