import { describe, expect, it } from 'vitest';
import { readPicked } from './picked.ts';

const file = (path: string, content = 'x') => Object.assign(new Blob([content]), { webkitRelativePath: path });

describe('a folder from the disk', () => {
  it('is known by its files’ places in it', () => {
    const picked = readPicked([file('mine/config.json'), file('mine/onnx/model.onnx', 'abc'), file('mine/a.txt')]);
    expect([picked.name, Object.keys(picked.files), picked.models]).toEqual([
      'mine',
      ['config.json', 'onnx/model.onnx', 'a.txt'],
      [{ dtype: 'fp32', bytes: 3 }],
    ]);
  });

  it.each([[['mine/onnx/model.onnx']], [['mine/config.json']], [['mine/sub/config.json', 'mine/sub/onnx/model.onnx']]])(
    'is refused without a guard in it: %j',
    (paths) => {
      expect(() => readPicked(paths.map((path) => file(path)))).toThrow(/no exported guard/);
    },
  );
});
