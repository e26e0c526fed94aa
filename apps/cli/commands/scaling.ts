import { Command } from 'commander';
import type { Run } from '../arguments.ts';
import { listing } from '../list-options.ts';

/** `service scaling VERB`: units that scale by themselves. */
export function scalingCommand(run: Run): Command {
  const scaling = () => import('../actions/scaling.ts');
  return new Command('scaling')
    .description('let units of a service scale by themselves; see what is decided, and why')
    .addCommand(
      new Command('show')
        .description('policies of the units of a service, and the last decision on each')
        .argument('<name>')
        .argument('[unit]', 'path of the unit: with it also the picture of a policy of kind mdp')
        .action(
          run(async (context, name: string, unit: string | undefined) => (await scaling()).show(context, name, unit)),
        ),
    )
    .addCommand(
      new Command('set')
        .description('let a unit scale by a policy')
        .argument('<name>')
        .argument('<unit>', 'path of the unit: video/server')
        .argument('<file>', 'the policy, YAML or JSON, as under `autoscale:` of a descriptor')
        .option('--recommend-only', 'say what would be done, and do nothing')
        .addHelpText(
          'after',
          '\nExample of a policy:\n  {kind: hpa, metric: rate, target: 50, cooldownS: 60}\nPaths in it (file: table.json) start from its folder.',
        )
        .action(
          run(async (context, name: string, unit: string, file: string, options: { recommendOnly?: boolean }) =>
            (await scaling()).set(context, name, unit, file, options),
          ),
        ),
    )
    .addCommand(
      new Command('stop')
        .description('let a unit scale by itself no more; its instances stay')
        .argument('<name>')
        .argument('<unit>', 'path of the unit: video/server')
        .action(run(async (context, name: string, unit: string) => (await scaling()).stop(context, name, unit))),
    )
    .addCommand(
      listing(
        new Command('decisions').description('what was decided, when and why; newest first').argument('[name]'),
        { unit: 'path of the unit', outcome: 'scaling, kept, recommended, refused, no-data' },
        50,
      ).action(
        run(async (context, name: string | undefined, options) =>
          (await scaling()).decisions(context, name, options as never),
        ),
      ),
    );
}
