import { Button, type ButtonProps, Tooltip } from '@patternfly/react-core';
import { usePermitted } from '../data/me.ts';
import type { Permission } from '../view-model/permitted.ts';

type Props = Omit<ButtonProps, 'isDisabled' | 'isAriaDisabled'> & { readonly permission?: Permission };

/** A button that changes something of the control plane. When it cannot be used, it stays reachable and says why. */
export function ActionButton({ permission = { allowed: true }, ...button }: Props) {
  return <ReasonButton {...button} permission={usePermitted(permission)} />;
}

/** The same for what stays in this tab, whatever the token allows. */
export function ReasonButton({ permission = { allowed: true }, ...button }: Props) {
  if (permission.allowed) return <Button {...button} />;
  const { onClick: _nothing, ...shown } = button;
  // Below, where it does not lie over the button beside this one.
  return (
    <Tooltip content={permission.reason} position="bottom-end">
      <Button {...shown} isAriaDisabled data-reason={permission.reason} />
    </Tooltip>
  );
}
