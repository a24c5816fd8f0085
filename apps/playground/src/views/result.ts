/** Score, verdict and what else an answer says. */
import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import type { Latency } from '../guard/latency.ts';
import { announce, byId, element, formatCount, formatMs, formatScore } from './dom.ts';

/** How a view is called in the page. */
const viewNames: Readonly<Record<NonNullable<GuardAnswer['view']>, string>> = {
  base64: 'Base64',
  hex: 'hexadecimal',
  caesar: 'a shifted alphabet',
  morse: 'Morse code',
  leetspeak: 'leetspeak',
  reversed: 'reversed text',
  spaced: 'letters spaced apart',
  'full-width': 'full-width letters',
  'look-alikes': 'look-alike letters',
};

export const viewName = (view: NonNullable<GuardAnswer['view']>): string => viewNames[view];

export interface Shown {
  readonly request: GuardRequest;
  readonly answer: GuardAnswer;
  readonly tookMs: number;
}

export function verdictOf(score: number, threshold: number): GuardAnswer['verdict'] {
  return score >= threshold ? 'unsafe' : 'safe';
}

/** The verdict alone follows the threshold. */
export function showVerdict(score: number | null, threshold: number, state = 'not checked yet'): void {
  const verdict = score === null ? null : verdictOf(score, threshold);
  byId('result').dataset.verdict = verdict ?? 'none';
  byId('verdict').textContent = verdict ?? state;
  byId('score').textContent = score === null ? '–' : formatScore(score);
  byId('fill').style.width = `${100 * (score ?? 0)}%`;
}

export function showThreshold(threshold: number, own: number): void {
  const slider = byId<HTMLInputElement>('threshold');
  if (Number(slider.value) !== threshold) slider.value = String(threshold);
  slider.setAttribute('aria-valuetext', formatScore(threshold));
  byId('threshold-value').textContent = formatScore(threshold);
  byId('own-value').textContent = formatScore(own);
  byId('own-mark').style.left = `${100 * own}%`;
  byId<HTMLButtonElement>('own').disabled = threshold === own;
}

export function showFacts({ request, answer, tookMs }: Shown, latency: Latency): void {
  const { category, view, windows } = answer;
  const times = latency.count > 1 ? `, median of the last ${latency.count}: ${formatMs(latency.quantileMs(0.5))}` : '';
  const facts: readonly (readonly [string, string] | null)[] = [
    category === undefined ? null : ['Category', category],
    view === undefined ? null : ['Written as', `${viewNames[view]}; what it says decoded decides`],
    ['Read', windows === 1 ? 'in one go' : `${formatCount(windows)} windows, the worst is ${placeOf(request, answer)}`],
    ['Took', `${formatMs(tookMs)}${times}`],
  ];
  const rows = facts.flatMap((fact) => (fact ? [element('dt', {}, fact[0]), element('dd', {}, fact[1])] : []));
  byId('facts').replaceChildren(...rows);
}

export function announceResult({ answer }: Shown, threshold: number): void {
  const { score, view, category } = answer;
  const more = [category && `, ${category}`, view && `, written as ${viewNames[view]}`].filter(Boolean).join('');
  announce(`${verdictOf(score, threshold)}, score ${formatScore(score)}${more}`);
}

function placeOf({ prompt, response }: GuardRequest, { window }: GuardAnswer): string {
  const place = (name: string, text: string, [begin, end]: readonly [number, number]): string =>
    begin === 0 && end === text.length
      ? `all of the ${name}`
      : `characters ${formatCount(begin + 1)} to ${formatCount(end)} of the ${name}`;
  const parts = [place('prompt', prompt, window.prompt)];
  if (window.response && response !== undefined) parts.push(place('response', response, window.response));
  return parts.join(' with ');
}
