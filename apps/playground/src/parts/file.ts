/** A file that is dropped or chosen: all its rows checked, a few at a time, and their scores as a table. */
import { MOST_BYTES, readTextRows, type TextRow, tooLarge } from '../files/rows.ts';
import { countUnsafe, exports, type ScoredRow } from '../files/scores.ts';
import { announce, byId, formatCount, save, showMessage } from '../views/dom.ts';
import { TableView } from '../views/table.ts';
import type { AskPart } from './ask.ts';
import type { GuardPart } from './guard.ts';

const AT_ONCE = 16; // rows between two looks at the table

const mimeTypes = { csv: 'text/csv', jsonl: 'application/x-ndjson' } as const;

export class FilePart {
  readonly #guard: GuardPart;
  readonly #ask: AskPart;
  readonly #table: TableView;
  #rows: readonly TextRow[] = [];
  #leftOut = 0;
  #scored: readonly ScoredRow[] = [];
  #running = new AbortController();

  constructor(guard: GuardPart, ask: AskPart) {
    this.#guard = guard;
    this.#ask = ask;
    this.#table = new TableView((row) => {
      byId('prompt').focus();
      byId('ask').scrollIntoView();
      void ask.ask(row);
    });
    const input = byId<HTMLInputElement>('file');
    input.addEventListener('change', () => {
      const [file] = input.files ?? [];
      if (file) void this.open(file);
      input.value = ''; // so that the same file can be chosen again
    });
    byId('show-texts').addEventListener('change', () => this.draw());
    byId('file-stop').addEventListener('click', () => this.#running.abort());
    for (const kind of ['csv', 'jsonl'] as const) {
      document.querySelector(`[data-export=${kind}]`)!.addEventListener('click', () => {
        save(`scores.${kind}`, mimeTypes[kind], exports[kind](this.#scored, this.#ask.threshold));
      });
    }
    this.#listenToDrops();
  }

  async open(file: File): Promise<void> {
    showMessage(byId('file-error'), null);
    try {
      if (file.size > MOST_BYTES) throw tooLarge(file.size);
      const { rows, leftOut } = readTextRows(file.name, await file.text());
      this.#rows = rows;
      this.#leftOut = leftOut;
      this.#table.reset();
      await this.#check();
    } catch (error) {
      showMessage(byId('file-error'), (error as Error).message);
    }
  }

  /** Another guard judges the same rows anew. */
  onGuard(): void {
    if (this.#rows.length > 0) void this.#check();
  }

  draw(): void {
    if (this.#rows.length === 0) return;
    const { threshold } = this.#ask;
    const [all, done] = [formatCount(this.#rows.length), formatCount(this.#scored.length)];
    const unsafe = formatCount(countUnsafe(this.#scored, threshold));
    const more = this.#leftOut > 0 ? ` ${formatCount(this.#leftOut)} rows beyond the first ${all} were left out.` : '';
    byId('file-state').textContent = `${unsafe} of ${done} unsafe${done === all ? '' : `, ${all} rows in all`}.${more}`;
    this.#table.show({ rows: this.#scored, threshold, hasTexts: byId<HTMLInputElement>('show-texts').checked });
    for (const button of document.querySelectorAll<HTMLButtonElement>('[data-export]')) {
      button.disabled = this.#scored.length === 0;
    }
  }

  async #check(): Promise<void> {
    this.#running.abort();
    const controller = new AbortController();
    this.#running = controller;
    this.#scored = [];
    byId('file-result').hidden = false;
    this.draw();
    const guard = this.#guard.current;
    if (guard === null) return; // `onGuard` comes when it is loaded
    const progress = byId<HTMLProgressElement>('file-progress');
    this.#showRunning(true);
    try {
      while (this.#scored.length < this.#rows.length) {
        const some = this.#rows.slice(this.#scored.length, this.#scored.length + AT_ONCE);
        const answers = await guard.checkMany(some, { signal: controller.signal });
        if (controller.signal.aborted) break;
        this.#scored = [...this.#scored, ...some.map((row, index) => ({ ...row, answer: answers[index]! }))];
        progress.value = this.#scored.length / this.#rows.length;
        this.draw();
      }
      if (!controller.signal.aborted) announce(byId('file-state').textContent);
    } catch (error) {
      if (!controller.signal.aborted && this.#guard.current === guard) {
        showMessage(byId('file-error'), (error as Error).message);
      }
    } finally {
      if (this.#running === controller) this.#showRunning(false);
    }
  }

  #showRunning(isRunning: boolean): void {
    byId('file-progress').hidden = !isRunning;
    byId('file-stop').hidden = !isRunning;
  }

  /** Anywhere on the page: a file that misses its zone would else replace the page. */
  #listenToDrops(): void {
    const zone = byId('drop');
    const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
    addEventListener('dragover', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      zone.classList.add('over');
    });
    addEventListener('dragleave', (event) => {
      if (event.relatedTarget === null) zone.classList.remove('over');
    });
    addEventListener('drop', (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      zone.classList.remove('over');
      const [file] = event.dataTransfer!.files;
      if (file) void this.open(file);
    });
  }
}
