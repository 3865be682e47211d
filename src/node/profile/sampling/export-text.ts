/** Profiles as text: collapsed stacks, and the JSON of speedscope. */
import {
  type CallNode,
  functionKey,
  functionLabel,
  type ProfiledFunction,
  visitCalls,
} from './call-tree.js';
import { Numbering } from './numbering.js';

/** Gives one line for each stack: its functions, outermost first, and the bytes. Read by flamegraph.pl, inferno and speedscope. */
export function exportCollapsed(root: CallNode): string {
  let text = '';
  visitCalls(root, ({ selfBytes }, stack) => {
    if (selfBytes <= 0) return;
    // The format has a semicolon between functions and a newline between stacks.
    const names = stack.map((of) => functionLabel(of).replaceAll(/[;\r\n]/g, ' '));
    text += `${names.join(';')} ${Math.round(selfBytes)}\n`;
  });
  return text;
}

/** Gives the file format of https://www.speedscope.app. */
export function exportSpeedscope(root: CallNode, name: string): string {
  const frames = new Numbering<ProfiledFunction>();
  const samples: number[][] = [];
  const weights: number[] = [];
  visitCalls(root, ({ selfBytes }, stack) => {
    if (selfBytes <= 0) return;
    samples.push(stack.map((of) => frames.numberOf(functionKey(of), of)));
    weights.push(selfBytes);
  });
  return JSON.stringify({
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    name,
    exporter: 'tenure',
    shared: {
      frames: frames.values.map(({ name: functionName, file, line, column }) => ({
        name: functionName,
        ...(file === '' ? {} : { file }),
        ...(line > 0 ? { line, col: column } : {}),
      })),
    },
    profiles: [
      {
        type: 'sampled',
        name,
        unit: 'bytes',
        startValue: 0,
        endValue: weights.reduce((sum, weight) => sum + weight, 0),
        samples,
        weights,
      },
    ],
  });
}
