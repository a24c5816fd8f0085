/** The guard of the page: which, on what, in which numbers; loaded anew when one of them changes. */
import type { Dtype } from '@harmaug/guard';
import { type Guard, type GuardFiles, preferredDtypes, type WebDevice } from '@harmaug/guard/web';
import { Latency } from '../guard/latency.ts';
import { gpuProblem, openGuard, threadCount } from '../guard/open.ts';
import { announce, byId, element, formatMegabytes, showMessage } from '../views/dom.ts';

export interface GuardChoice {
  readonly name: string;
  readonly from: string | GuardFiles;
  /** `bytes` is null where it is not known whether the file is there. */
  readonly models: readonly { readonly dtype: Dtype; readonly bytes: number | null }[];
}

const deviceNames: Readonly<Record<WebDevice, string>> = { wasm: 'WebAssembly', webgpu: 'WebGPU' };

export class GuardPart {
  /** Loaded and ready to be asked. */
  current: Guard | null = null;
  latency = new Latency();
  onReady: () => void = () => {};
  #choice: GuardChoice | null = null;
  #loading = new AbortController();
  /** Guards are loaded and let go one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor() {
    for (const radio of document.querySelectorAll('input[name=device]')) {
      radio.addEventListener('change', () => {
        this.#preferDtype();
        void this.#load();
      });
    }
    byId('dtype').addEventListener('change', () => void this.#load());
    void gpuProblem().then((problem) => {
      if (problem === null) return;
      document.querySelector<HTMLInputElement>('input[value=webgpu]')!.disabled = true;
      showMessage(byId('device-note'), problem);
    });
  }

  /** @returns when it is loaded, or has failed */
  use(choice: GuardChoice): Promise<void> {
    this.#choice = choice;
    const isKnown = choice.models.every(({ bytes }) => bytes !== null);
    const automatic = element('option', { attributes: { value: '' } }, 'automatic');
    const options = choice.models.map(({ dtype, bytes }) => {
      const size = bytes === null ? '' : `, ${formatMegabytes(bytes)}`;
      return element('option', { attributes: { value: dtype } }, `${dtype}${size}`);
    });
    byId('dtype').replaceChildren(...(isKnown ? [] : [automatic]), ...options);
    this.#preferDtype();
    byId('guard-name').textContent = choice.name;
    document.title = `${choice.name} · guard playground`;
    return this.#load();
  }

  fail(error: Error): void {
    this.#showState('failed', 'not loaded');
    showMessage(byId('guard-error'), error.message);
  }

  /** Of the models that are known to be there the one the guard would take itself. */
  #preferDtype(): void {
    const select = byId<HTMLSelectElement>('dtype');
    const there = new Set([...select.options].map(({ value }) => value));
    select.value = there.has('') ? '' : (preferredDtypes[this.#device].find((dtype) => there.has(dtype)) ?? '');
  }

  get #device(): WebDevice {
    return document.querySelector<HTMLInputElement>('input[name=device]:checked')!.value as WebDevice;
  }

  #load(): Promise<void> {
    this.#loading.abort();
    const controller = new AbortController();
    this.#loading = controller;
    const loaded = this.#turn.then(() => this.#replace(controller.signal));
    this.#turn = loaded;
    return loaded;
  }

  async #replace(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#choice === null) return;
    const { from } = this.#choice;
    const device = this.#device;
    const dtype = byId<HTMLSelectElement>('dtype').value as Dtype | '';
    const progress = byId<HTMLProgressElement>('progress');
    const old = this.current;
    this.current = null;
    byId<HTMLButtonElement>('check').disabled = true;
    showMessage(byId('guard-error'), null);
    this.#showState('loading', 'loading');
    progress.hidden = false;
    progress.removeAttribute('value');
    try {
      await old?.dispose();
      const beganMs = performance.now();
      const guard = await openGuard({
        from,
        device,
        signal,
        ...(dtype === '' ? {} : { dtype }),
        onProgress: ({ loaded, total }) => {
          progress.value = total === 0 ? 0 : loaded / total;
        },
      });
      if (signal.aborted) return void (await guard.dispose());
      this.current = guard;
      this.latency = new Latency();
      const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
      const threads = device === 'wasm' ? `, ${threadCount() === 1 ? 'one thread' : `${threadCount()} threads`}` : '';
      this.#showState('ready', `${deviceNames[device]}${threads}, loaded in ${seconds} s`);
      announce('The guard is loaded.');
      byId<HTMLButtonElement>('check').disabled = false;
      this.onReady();
    } catch (error) {
      if (!signal.aborted) this.fail(error as Error);
    } finally {
      if (this.#loading.signal === signal) progress.hidden = true;
    }
  }

  #showState(state: 'loading' | 'ready' | 'failed', text: string): void {
    byId('dot').dataset.state = state;
    byId('guard-state').textContent = text;
  }
}
