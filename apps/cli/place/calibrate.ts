import { calibrate, readMeasurements, type SwitchModel } from '@superfluidity/place/ocm';
import type { Context } from '../context.ts';
import { loadText } from '../verify/load.ts';

interface CalibrateOptions {
  readonly name: string;
  readonly switch: string;
  readonly frameBytes: number;
  readonly form?: SwitchModel['form'];
}

/** What the INFOCOM paper claims of its own model. */
const GOOD_MAPE = 0.05;

/** The model is the answer, ready to be written into `switches:`; how good it is goes to standard error too. */
export async function calibrateSwitch(context: Context, file: string, options: CalibrateOptions): Promise<void> {
  const { text } = await loadText(file);
  const { name, frameBytes, form } = options;
  const about = { name, switch: options.switch, frameBytes, source: file, ...(form === undefined ? {} : { form }) };
  const { model, worst, notMonotone } = calibrate(readMeasurements(text, file), about);
  const { samples, r2, mape, maxError } = model.fit!;
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  context.note(`${samples} measurements: mean error ${percent(mape)}, R2 ${r2}`);
  const { measurement, predicted } = worst;
  context.note(
    `farthest off by ${percent(maxError)}: ${measurement.cpu} cores measured, ${predicted.toFixed(3)} predicted, at ${measurement.ratePps} packets a second, length ${measurement.length}, copies ${measurement.copies}`,
  );
  if (mape > GOOD_MAPE)
    context.note(`the mean error is above ${percent(GOOD_MAPE)}: the form does not suit this switch`);
  if (notMonotone > 0) context.note(`${notMonotone} times more packets took less: measure again, or average`);
  await context.show(model, () => JSON.stringify(model, undefined, 2));
}
