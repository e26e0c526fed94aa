import { type ComponentType, lazy } from 'react';

/** A component whose code comes on use. When it is here already it is drawn at once, and not after a turn without it. */
export function lazyView<P extends object>(load: () => Promise<{ readonly default: ComponentType<P> }>) {
  let Loaded: ComponentType<P> | undefined;
  const fetched = async () => {
    const code = await load();
    Loaded = code.default;
    return code;
  };
  const Lazy = lazy(fetched) as unknown as ComponentType<P>;
  const View = (props: P) => {
    const Shown = Loaded ?? Lazy;
    return <Shown {...props} />;
  };
  return Object.assign(View, { load: fetched });
}
