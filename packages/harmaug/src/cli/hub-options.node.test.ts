import { expect, it } from 'vitest';
import { showProgress } from './hub-options.node.ts';

it('shows what is fetched, how much of it and how long it still takes', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const show = showProgress(
    (line) => lines.push(line),
    () => nowMs,
  );
  show({ file: 'config.json', doneBytes: 2000, totalBytes: 2000 });
  show({ file: 'model.safetensors', doneBytes: 400e6, totalBytes: 1400e6 }); // what an earlier run left
  nowMs = 60_000;
  show({ file: 'model.safetensors', doneBytes: 500e6, totalBytes: 1400e6 });
  expect(lines).toEqual([
    'config.json: 0 of 0 MB',
    'model.safetensors: 400 of 1,400 MB',
    'model.safetensors: 500 of 1,400 MB, about 9 min left',
  ]);
});
