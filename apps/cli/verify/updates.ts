import {
  ChangingRoutes,
  readRouteUpdates,
  routeUpdateJson,
  routeUpdateText,
  routeUpdateVerdicts,
  sarif,
} from '@superfluidity/verify';
import packageJson from '../package.json' with { type: 'json' };
import type { Context } from '../context.ts';
import { codes, readingText } from './answer.ts';
import { loadFiles, loadText } from './load.ts';

interface UpdatesOptions {
  readonly sarif?: true;
}

/** Which updates of routing tables bring loops and black holes, one after the other? */
export async function updates(context: Context, net: string, path: string, options: UpdatesOptions): Promise<void> {
  const file = await loadText(path);
  const list = readRouteUpdates(file);
  const routes = new ChangingRoutes(await loadFiles(net), list, path, () => performance.now());
  const reports = list.map((update) => routes.apply(update));
  const verdicts = routeUpdateVerdicts(reports, path);
  const isPartly = routes.readings.some(({ lines }) => lines['not understood'] > 0);
  process.exitCode = codes[verdicts.length > 0 ? 'violated' : isPartly ? 'unknown' : 'holds'];
  if (options.sarif) {
    context.say(JSON.stringify(sarif(verdicts, packageJson.version), undefined, 2));
    return;
  }
  await context.show({ updates: reports.map(routeUpdateJson), read: routes.readings }, () =>
    [...routes.readings.map(readingText), routeUpdateText(reports, path)].join('\n'),
  );
}
