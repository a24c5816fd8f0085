/**
 * Public evaluation sets as versioned records. Figures compare only within one version: a change of revision, label rule
 * or format is a new version. Nothing of the sets is shipped; they are fetched from their home, or given as files.
 */
import type { FormatName } from '../data/formats.ts';

export interface BenchmarkFile {
  readonly url: string;
  readonly format: FormatName;
  /** Of the bytes; absent where the home's files could not be pinned yet: then the hash of the first fetch is kept. */
  readonly sha256?: string;
}

export interface Benchmark {
  readonly title: string;
  readonly version: number;
  /** What a guard is given. */
  readonly judges: 'prompt' | 'response';
  readonly files: readonly BenchmarkFile[];
  /** How rows become safe and unsafe, and what is left out. */
  readonly labelRule: string;
  readonly licence: string;
  readonly citation: string;
}

const hub = (repository: string, revision: string, path: string) =>
  `https://huggingface.co/datasets/${repository}/resolve/${revision}/${path}`;
const github = (repository: string, revision: string, path: string) =>
  `https://raw.githubusercontent.com/${repository}/${revision}/${encodeURI(path)}`;

const HARMAUG = ['imnotkind/HarmAug', 'c9d716c43474f80f134d39d5bc9aff0396971791'] as const;

export const benchmarks = {
  openai_moderation: {
    title: 'OpenAI Moderation',
    version: 1,
    judges: 'prompt',
    files: [
      {
        url: github(...HARMAUG, 'data/openai_moderation_eval.json'),
        format: 'harmaug-moderation',
        sha256: 'f44fd4b617b41c9c404a8200b0b3954d0e2d4ff3751cf8e7d7ea91f9d564243e',
      },
    ],
    labelRule: 'unsafe where any of the eight categories is marked; a category not annotated counts as not marked',
    licence: 'MIT',
    citation: 'Markov et al. 2023, arXiv:2208.03274',
  },
  toxicchat: {
    title: 'ToxicChat 0124',
    version: 1,
    judges: 'prompt',
    files: [
      {
        url: hub('lmsys/toxic-chat', 'main', 'data/0124/toxic-chat_annotation_test.csv'),
        format: 'toxicchat',
      },
    ],
    labelRule: 'toxicity of the user input; jailbreaking is not counted',
    licence: 'CC BY-NC 4.0',
    citation: 'Lin et al. 2023, arXiv:2310.17389',
  },
  harmbench_response: {
    title: 'HarmBench responses',
    version: 1,
    judges: 'response',
    files: [
      {
        url: github(...HARMAUG, 'data/harmbench_eval.json'),
        format: 'harmbench-pairs',
        sha256: 'c1f5945528e0fd0c36515d64e5a3215a5f4a78d6400ddca1396580c341c2af25',
      },
    ],
    labelRule: 'the 602 validation pairs, labelled by people; as they are',
    licence: 'MIT',
    citation: 'Mazeika et al. 2024, arXiv:2402.04249',
  },
  wildguardmix_response: {
    title: 'WildGuardMix test, responses',
    version: 1,
    judges: 'response',
    files: [
      {
        url: hub('allenai/wildguardmix', 'main', 'test/wildguard_test.parquet'),
        format: 'wildguardmix-response',
      },
    ],
    labelRule: 'response_harm_label; rows without one are left out (HarmAug counts them as safe)',
    licence: 'ODC-BY, gated',
    citation: 'Han et al. 2024, arXiv:2406.18495',
  },
  wildguardmix_prompt: {
    title: 'WildGuardMix test, prompts',
    version: 1,
    judges: 'prompt',
    files: [{ url: hub('allenai/wildguardmix', 'main', 'test/wildguard_test.parquet'), format: 'wildguardmix-prompt' }],
    labelRule: 'prompt_harm_label; rows without one are left out',
    licence: 'ODC-BY, gated',
    citation: 'Han et al. 2024, arXiv:2406.18495',
  },
  xstest: {
    title: 'XSTest v2',
    version: 1,
    judges: 'prompt',
    files: [{ url: github('paul-rottger/xstest', 'main', 'xstest_prompts.csv'), format: 'xstest' }],
    labelRule: 'contrast types are unsafe (200), their harmless look-alikes safe (250)',
    licence: 'CC BY 4.0',
    citation: 'Röttger et al. 2024, arXiv:2308.01263',
  },
  or_bench_hard: {
    title: 'OR-Bench hard',
    version: 1,
    judges: 'prompt',
    files: [{ url: hub('bench-llm/or-bench', 'main', 'or-bench-hard-1k.csv'), format: 'or-bench' }],
    labelRule: 'all safe: false positives alone',
    licence: 'CC BY 4.0',
    citation: 'Cui et al. 2024, arXiv:2405.20947',
  },
  jbb_behaviors: {
    title: 'JailbreakBench behaviours',
    version: 1,
    judges: 'prompt',
    files: [
      {
        url: hub('JailbreakBench/JBB-Behaviors', 'main', 'data/harmful-behaviors.csv'),
        format: 'jailbreakbench-harmful',
      },
      {
        url: hub('JailbreakBench/JBB-Behaviors', 'main', 'data/benign-behaviors.csv'),
        format: 'jailbreakbench-benign',
      },
    ],
    labelRule: 'the 100 harmful goals against the 100 benign ones',
    licence: 'MIT',
    citation: 'Chao et al. 2024, arXiv:2404.01318',
  },
  simplesafetytests: {
    title: 'SimpleSafetyTests',
    version: 1,
    judges: 'prompt',
    files: [
      {
        url: github(
          'bertiev/SimpleSafetyTests',
          'd7aee9a9422a5a5488f478fd79c2479c891c0f3b',
          'SimpleSafetyTests - test cases.csv',
        ),
        format: 'simplesafetytests',
        sha256: '6d95a1301e0d0f3a3c4cf5392f4afff11ad6e3066f95d23aaa138d44aedf986c',
      },
    ],
    labelRule: 'all unsafe: recall alone',
    licence: 'CC BY 4.0',
    citation: 'Vidgen et al. 2023, arXiv:2311.08370',
  },
  strongreject: {
    title: 'StrongREJECT',
    version: 1,
    judges: 'prompt',
    files: [
      {
        url: github('alexandrasouly/strongreject', 'main', 'strongreject_dataset/strongreject_dataset.csv'),
        format: 'strongreject',
      },
    ],
    labelRule: 'all unsafe: recall alone',
    licence: 'MIT',
    citation: 'Souly et al. 2024, arXiv:2402.10260',
  },
  beavertails_test: {
    title: 'BeaverTails 30k test',
    version: 1,
    judges: 'response',
    files: [{ url: hub('PKU-Alignment/BeaverTails', 'main', 'round0/30k/test.jsonl.gz'), format: 'beavertails' }],
    labelRule: 'unsafe where is_safe is false; pairs as they are, repeated ones included',
    licence: 'CC BY-NC 4.0',
    citation: 'Ji et al. 2023, arXiv:2307.04657',
  },
  aegis2_prompt: {
    title: 'Aegis 2.0 test, prompts',
    version: 1,
    judges: 'prompt',
    files: [{ url: hub('nvidia/Aegis-AI-Content-Safety-Dataset-2.0', 'main', 'test.json'), format: 'aegis2-prompt' }],
    labelRule: 'prompt_label; redacted rows are left out',
    licence: 'CC BY 4.0',
    citation: 'Ghosh et al. 2025, arXiv:2501.09004',
  },
  aegis2_response: {
    title: 'Aegis 2.0 test, responses',
    version: 1,
    judges: 'response',
    files: [{ url: hub('nvidia/Aegis-AI-Content-Safety-Dataset-2.0', 'main', 'test.json'), format: 'aegis2-response' }],
    labelRule: 'response_label; redacted rows and rows without a response are left out',
    licence: 'CC BY 4.0',
    citation: 'Ghosh et al. 2025, arXiv:2501.09004',
  },
  notinject: {
    title: 'NotInject',
    version: 1,
    judges: 'prompt',
    files: ['one', 'two', 'three'].map((count) => ({
      url: hub('leolee99/NotInject', 'main', `data/NotInject_${count}-00000-of-00001.parquet`),
      format: 'notinject' as const,
    })),
    labelRule: 'all safe: false positives on words that injections use',
    licence: 'MIT',
    citation: 'Li & Liu 2024, arXiv:2410.22770',
  },
} satisfies Record<string, Benchmark>;

export type BenchmarkId = keyof typeof benchmarks;

export const benchmarkIds = Object.keys(benchmarks) as BenchmarkId[];
