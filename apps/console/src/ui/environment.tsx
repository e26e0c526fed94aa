import { CubeIcon } from '@patternfly/react-icons/dist/esm/icons/cube-icon';
import { CubesIcon } from '@patternfly/react-icons/dist/esm/icons/cubes-icon';
import { FilterIcon } from '@patternfly/react-icons/dist/esm/icons/filter-icon';
import { MicrochipIcon } from '@patternfly/react-icons/dist/esm/icons/microchip-icon';
import { ProjectDiagramIcon } from '@patternfly/react-icons/dist/esm/icons/project-diagram-icon';
import { TerminalIcon } from '@patternfly/react-icons/dist/esm/icons/terminal-icon';
import { VirtualMachineIcon } from '@patternfly/react-icons/dist/esm/icons/virtual-machine-icon';
import type { Environment } from '../view-model/topology.ts';

const ICONS = {
  container: CubeIcon,
  pod: CubesIcon,
  vm: VirtualMachineIcon,
  unikernel: MicrochipIcon,
  click: ProjectDiagramIcon,
  nft: FilterIcon,
  process: TerminalIcon,
} satisfies Record<Environment, unknown>;

export const environmentNames: Readonly<Record<Environment, string>> = {
  container: 'container',
  pod: 'pod',
  vm: 'virtual machine',
  unikernel: 'unikernel',
  click: 'Click router',
  nft: 'packet function',
  process: 'process',
};

export function EnvironmentIcon({ of }: { readonly of: Environment }) {
  const Icon = ICONS[of];
  return (
    <span className={`sf-env sf-env--${of}`}>
      <Icon aria-hidden />
    </span>
  );
}
