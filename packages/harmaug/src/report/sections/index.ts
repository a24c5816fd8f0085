/** The page's parts, in order. */
import { adapt } from './adapt.ts';
import { cost } from './cost.ts';
import { curves, histograms } from './curves.ts';
import { diversity } from './diversity.ts';
import { examples } from './examples.ts';
import { headline } from './headline.ts';
import { learning } from './learning.ts';
import { reliability } from './reliability.ts';
import type { Section } from './section.ts';
import { settings } from './settings.ts';
import { sources } from './sources.ts';
import { sweep } from './sweep.ts';

export const sections: readonly Section[] = [
  ...[headline, curves, histograms, reliability, learning, diversity, sources, sweep, adapt, cost, examples, settings],
];
