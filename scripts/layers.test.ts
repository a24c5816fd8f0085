import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, violations } from './layers.ts';

describe('imports', () => {
  it('point downwards, and browser code imports nothing of Node', () => {
    const sources = readSources(path.join(import.meta.dirname, '..'));
    expect(sources.length).toBeGreaterThan(100);
    expect(violations(sources)).toEqual([]);
  });

  it('are found in every form', () => {
    const text = [
      "import { a } from './a.ts';",
      'import {',
      '  b,',
      "} from 'b';",
      "export * from './c.ts';",
      "import './d.ts';",
      "const e = await import('./e.ts');",
    ].join('\n');
    expect(importsOf(text)).toEqual(['./a.ts', 'b', './c.ts', './d.ts', './e.ts']);
  });

  it.each([
    ['packages/onnx-grad/src/graph/ops.ts', '../train/losses.ts', /above it in packages\/onnx-grad\/src/],
    ['packages/onnx-grad/src/graph/ops.ts', '@harmaug/models', /above it in packages/],
    ['packages/onnx-grad/src/graph/ops.ts', 'node:fs', /only Node has/],
    ['packages/onnx-grad/src/index.ts', './session/session.node.ts', /only Node has/],
    ['packages/models/src/model.ts', 'onnx-grad/node', /only Node has/],
    ['packages/guard/src/load.web.ts', 'onnxruntime-node', /only Node has/],
    ['packages/guard/src/load.web.ts', './load.node.ts', /only Node has/],
    ['packages/guard/src/load.ts', './session.web.ts', /only browsers have/],
    ['packages/guard/src/load.node.ts', 'onnxruntime-web/wasm', /only browsers have/],
  ])('of %s may not be %s', (from, specifier, problem) => {
    expect(violations([{ path: from, text: `import '${specifier}';` }])[0]).toMatch(problem);
  });
});
