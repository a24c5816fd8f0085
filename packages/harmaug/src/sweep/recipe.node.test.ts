import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { distillDefaults } from '../distill/settings.ts';
import { readSweep } from './recipe.node.ts';

const read = (sweep: Record<string, unknown>, distill: Record<string, unknown> = {}) =>
  readSweep({
    ...{ file: 'a.yaml', folder: '/recipes', distill, exists: (name) => name.endsWith('.jsonl') },
    sweep: { student: 'owner/small', train: 'seeds.jsonl', evaluate: ['test.jsonl', 'xstest'], ...sweep },
  });

describe('the section "sweep"', () => {
  it('has what all share, and every setting over it', () => {
    const sweep = read(
      {
        ...{ synthetic: 'made.jsonl', seeds: [1, 2], baseline: 'plain', budgetMinutes: 5 },
        settings: { plain: { synthetic: 'none' }, eda: { synthetic: 'none', augment: 'eda' }, all: null },
      },
      { epochs: 2, lambda: 0.25 },
    );
    expect(sweep).toMatchObject({ seeds: [1, 2], baseline: 'plain', budgetMinutes: 5, resamples: 1000 });
    expect(sweep.evaluate).toEqual(['/recipes/test.jsonl', 'xstest']);
    const [plain, eda, all] = sweep.settings.map(({ subject }) => subject);
    expect(plain).toMatchObject({ student: 'owner/small', train: ['/recipes/seeds.jsonl'], synthetic: [], eda: null });
    expect(eda).toMatchObject({ synthetic: [], eda: {} });
    expect(all).toMatchObject({ synthetic: ['/recipes/made.jsonl'], hasBenign: true });
    expect(all!.distill).toEqual({ ...distillDefaults, epochs: 2, lambda: 0.25 });
    expect(sweep.settings.map(({ values }) => values)).toEqual([
      { synthetic: 'none' },
      { synthetic: 'none', augment: 'eda' },
      {},
    ]);
  });

  it('has a grid: every value of one axis with every value of the others, after the settings', () => {
    const { settings } = read({
      settings: { first: {} },
      grid: {
        lambda: [0, 0.5],
        synthetic: ['none', ['sets/a.jsonl', 'b.parquet']],
        augment: ['none', { eda: { alpha: 0.2 } }],
        benign: [false],
      },
    });
    expect(settings.map(({ name }) => name)).toEqual([
      'first',
      'lambda=0,synthetic=none,augment=none,benign=off',
      'lambda=0,synthetic=none,augment=eda~alpha0.2,benign=off',
      'lambda=0,synthetic=a+b,augment=none,benign=off',
      'lambda=0,synthetic=a+b,augment=eda~alpha0.2,benign=off',
      'lambda=0.5,synthetic=none,augment=none,benign=off',
      'lambda=0.5,synthetic=none,augment=eda~alpha0.2,benign=off',
      'lambda=0.5,synthetic=a+b,augment=none,benign=off',
      'lambda=0.5,synthetic=a+b,augment=eda~alpha0.2,benign=off',
    ]);
    expect(settings[8]!.subject).toMatchObject({ eda: { alpha: 0.2 }, hasBenign: false, distill: { lambda: 0.5 } });
    expect(read({}).settings.map(({ name }) => name)).toEqual(['base']);
  });

  it.each([
    [{ grid: { lamda: [0] } }, /a\.yaml: sweep: grid: Unknown axis "lamda"\. Did you mean "lambda"\?/],
    [{ settings: { a: { epoch: 1 } } }, /settings: a: Unknown axis "epoch"\. Did you mean "epochs"\?/],
    [{ settings: { a: { lambda: 2 } } }, /sweep: settings: a: lambda: expected a number from 0 to 1, got 2/],
    [{ settings: { a: { sampling: 'ballanced' } } }, /Unknown sampling "ballanced"\. Did you mean "balanced"\?/],
    [{ settings: { a: { augment: 'edda' } } }, /settings: a: "augment"/],
    [{ settings: { '../a': {} } }, /expected names of a letter/],
    [{ grid: { train: ['x/a.jsonl', 'y/a.jsonl'] } }, /two settings are called "train=a"/],
    [{ settings: { plain: {} }, baseline: 'plane' }, /Unknown setting "plane"\. Did you mean "plain"\?/],
    [{ seeds: [1, 1] }, /seeds: expected each once/],
    [{ budget: 4 }, /unknown key "budget"\. Did you mean "budgetMinutes"\?/],
    [{ settings: { a: { transforms: ['caesarr:3'] } } }, /Did you mean "caesar"/],
  ])('that is wrong says where and how: %j', (sweep, message) => {
    expect(() => read(sweep)).toThrow(ConfigError);
    expect(() => read(sweep)).toThrow(message);
  });

  it('has to be there, with a student', () => {
    const parts = { file: 'a.yaml', folder: '.', distill: {}, exists: () => false };
    expect(() => readSweep({ ...parts, sweep: undefined })).toThrow(/no section "sweep"/);
    expect(() => readSweep({ ...parts, sweep: { train: 'a.jsonl', evaluate: 'xstest' } })).toThrow(
      /"student" is missing, for the setting "base"/,
    );
  });
});
