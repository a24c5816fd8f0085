/** Elements of the page: texts of users go in as text, never as markup. */

/** @throws Error for an id that the page lacks */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`internal: the page has no #${id}`);
  return element as Kind;
}

export interface Attributes {
  readonly className?: string;
  readonly title?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly attributes?: Readonly<Record<string, string>>;
  /** Of its style: `width`, `--strength`. */
  readonly style?: Readonly<Record<string, string>>;
}

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  { className, title, data = {}, attributes = {}, style = {} }: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  if (className !== undefined) made.className = className;
  if (title !== undefined) made.title = title;
  Object.assign(made.dataset, data);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const [key, value] of Object.entries(style)) made.style.setProperty(key, value); // the policy forbids style="…"
  made.append(...children);
  return made;
}

/** Shows a message in its place, or hides the place. */
export function showMessage(place: HTMLElement, message: string | null): void {
  place.textContent = message ?? '';
  place.hidden = message === null;
}

/** For screen readers, once it has settled. */
export function announce(message: string): void {
  byId('announce').textContent = message;
}

export const formatScore = (score: number): string => score.toFixed(3);
export const formatCount = (count: number): string => count.toLocaleString('en');
export const formatMs = (ms: number): string =>
  ms < 100 ? `${ms.toFixed(1)} ms` : `${formatCount(Math.round(ms))} ms`;
export const formatMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** Hands the reader a file. */
export function save(name: string, type: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = element('a', { attributes: { href: url, download: name } });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
