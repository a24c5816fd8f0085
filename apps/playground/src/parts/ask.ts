/** The text that is asked about, the answer, and the threshold. */
import type { GuardRequest } from '@harmaug/guard';
import { byId, element, showMessage } from '../views/dom.ts';
import { announceResult, type Shown, showFacts, showThreshold, showVerdict } from '../views/result.ts';
import { samples } from '../views/samples.ts';
import type { GuardPart } from './guard.ts';
import type { WordsPart } from './words.ts';

const BUSY_MS = 250; // of checking, after which the page says so
const PAUSE_MS = 300; // of typing, after which the text is checked

export class AskPart {
  threshold = 0.5;
  onThreshold: () => void = () => {};
  readonly #guard: GuardPart;
  readonly #words: WordsPart;
  readonly #prompt = byId<HTMLTextAreaElement>('prompt');
  readonly #response = byId<HTMLTextAreaElement>('response');
  #shown: Shown | null = null;
  /** Whether the reader has moved the threshold away from the guard's own. */
  #isMoved = false;
  #checking = new AbortController();
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(guard: GuardPart, words: WordsPart) {
    this.#guard = guard;
    this.#words = words;
    const form = byId<HTMLFormElement>('ask');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.check();
    });
    form.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void this.check();
    });
    form.addEventListener('input', () => {
      clearTimeout(this.#pause);
      if (byId<HTMLInputElement>('live').checked) this.#pause = setTimeout(() => void this.check(), PAUSE_MS);
    });
    byId('samples').append(
      ...samples.map((sample) => {
        const button = element('button', { attributes: { type: 'button' } }, sample.name);
        button.addEventListener('click', () => void this.ask(sample));
        return button;
      }),
    );
    byId('threshold').addEventListener('input', ({ target }) => {
      this.#isMoved = true;
      this.#setThreshold(Number((target as HTMLInputElement).value));
    });
    byId('own').addEventListener('click', () => {
      this.#isMoved = false;
      this.#setThreshold(this.#own);
      byId('threshold').focus();
    });
  }

  /** Another guard: its threshold, and what it says of the text that is there. */
  onGuard(): void {
    if (!this.#isMoved) this.threshold = this.#own;
    this.#setThreshold(this.threshold);
    if (this.#prompt.value !== '') void this.check();
  }

  ask({ prompt, response = '' }: GuardRequest): Promise<void> {
    this.#prompt.value = prompt;
    this.#response.value = response;
    return this.check();
  }

  async check(): Promise<void> {
    clearTimeout(this.#pause);
    const guard = this.#guard.current;
    if (guard === null) return;
    const [prompt, response] = [this.#prompt.value, this.#response.value];
    const request = { prompt, ...(response === '' ? {} : { response }) };
    this.#checking.abort();
    this.#words.clear();
    this.#shown = null;
    this.#checking = new AbortController();
    const { signal } = this.#checking;
    showMessage(byId('check-error'), null);
    byId('result').ariaBusy = 'true';
    const busy = setTimeout(() => showVerdict(null, this.threshold, 'checking…'), BUSY_MS);
    try {
      const beganMs = performance.now();
      const answer = await guard.check(request, { signal });
      const tookMs = performance.now() - beganMs;
      this.#guard.latency.add(tookMs);
      this.#shown = { request, answer, tookMs };
      showVerdict(answer.score, this.threshold);
      showFacts(this.#shown, this.#guard.latency);
      announceResult(this.#shown, this.threshold);
      if (!byId<HTMLInputElement>('live').checked) byId('result').scrollIntoView({ block: 'nearest' });
      this.#words.show(request, answer);
    } catch (error) {
      if (signal.aborted) return;
      showVerdict(null, this.threshold);
      if (this.#guard.current === guard) showMessage(byId('check-error'), (error as Error).message);
    } finally {
      clearTimeout(busy);
      if (this.#checking.signal === signal) byId('result').ariaBusy = 'false';
    }
  }

  get #own(): number {
    return this.#guard.current?.settings.threshold ?? 0.5;
  }

  #setThreshold(threshold: number): void {
    this.threshold = threshold;
    showThreshold(threshold, this.#own);
    showVerdict(this.#shown?.answer.score ?? null, threshold);
    this.onThreshold();
  }
}
