/** Charts as SVG, drawn while the page is made: Observable Plot on a document without a browser. Colours are CSS variables. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escapeText, Html, html, printable } from '../html.ts';
import { compact } from '../numbers.ts';

const { document } = parseHTML('<!doctype html><html><body></body></html>');

/** Pixels. Drawn about as large as it is shown, on phones too, so that its text can be read. */
export const WIDTH = 356;
export const HEIGHT = 264;

/** Of series, by place; told apart by the colour-blind too. Further ones begin anew. */
const COLOURS = 8;
export const colourOf = (index: number): string => `var(--series-${(index % COLOURS) + 1})`;
export const MUTED = 'var(--muted)';

/** Dashes that go with the colours, for series after the eighth and for print without colour. */
const dashes = ['', '6 3', '2 2', '8 3 2 3'];
export const dashOf = (index: number): string => dashes[Math.floor(index / COLOURS) % dashes.length]!;

export interface ChartOptions extends Omit<Plot.PlotOptions, 'document' | 'ariaLabel' | 'className'> {
  /** What one who does not see it is told. */
  readonly label: string;
}

export function chart({ label, ...options }: ChartOptions): Html {
  const svg = Plot.plot({
    width: WIDTH,
    height: HEIGHT,
    marginLeft: 44,
    marginTop: 24,
    marginRight: 12,
    marginBottom: 34,
    ...options,
    document: document as unknown as Document,
    className: 'plot',
    style: { fontSize: '11px' },
  }) as unknown as Element;
  for (const style of svg.querySelectorAll('style')) style.remove(); // the page has its own
  svg.removeAttribute('style');
  svg.removeAttribute('font-family');
  svg.setAttribute('font-size', '11');
  svg.setAttribute('role', 'img');
  svg.removeAttribute('aria-label');
  for (const element of svg.querySelectorAll('*')) tidy(element);
  const drawn = svg.outerHTML.replaceAll(' xmlns="http://www.w3.org/2000/svg"', '');
  return new Html(drawn.replace('<svg ', () => `<svg aria-label="${escapeText(label)}" `));
}

const TEXT = 3; // Node.TEXT_NODE
const PLACES = ['d', 'transform', 'x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'r', 'width', 'height'];

/** A tenth of a pixel is enough. The image has one label; its parts need none. */
function tidy(element: Element): void {
  element.removeAttribute('aria-label');
  element.removeAttribute('aria-hidden');
  for (const child of element.childNodes) {
    if (child.nodeType === TEXT) child.textContent = printable(child.textContent ?? '');
  }
  for (const name of PLACES) {
    const value = element.getAttribute(name);
    if (value !== null)
      element.setAttribute(
        name,
        value.replace(/-?\d+\.\d+(e-\d+)?/g, (n) => String(Math.round(Number(n) * 10) / 10)),
      );
  }
}

export interface Series {
  readonly name: string;
  /** Place among the colours. */
  readonly index: number;
}

/** Names beside their colours, once for all charts of a section. */
export function legend(series: readonly Series[]): Html | null {
  if (series.length < 2) return null;
  return html`<ul class="legend">${series.map(
    ({ name, index }) =>
      html`<li><svg width="22" height="10" aria-hidden="true"><line x1="1" x2="21" y1="5" y2="5" stroke="${colourOf(index)}" stroke-width="3" stroke-dasharray="${dashOf(index)}"/></svg>${name}</li>`,
  )}</ul>`;
}

/** A chart with its caption. */
export const figure = (title: string, drawn: Html, note?: string): Html =>
  html`<figure><figcaption>${title}${note === undefined ? null : html` <small>${note}</small>`}</figcaption>${drawn}</figure>`;

export const gallery = (figures: readonly Html[]): Html | null =>
  figures.length === 0 ? null : html`<div class="gallery">${figures}</div>`;

/** Ticks of counts: 0, 500, 2k. */
export const tickOf = (value: number): string => compact(value);

/** Names to the left of rows, cut where they are too long. @param width the left margin, pixels */
export const nameAxis = (width: number) =>
  Plot.axisY({ label: null, tickSize: 0, textOverflow: 'ellipsis', lineWidth: (width - 24) / 11 });

/** A left margin that has room for the names. */
export const marginFor = (names: readonly string[]): number =>
  Math.min(150, 30 + 6.2 * Math.max(1, ...names.map(({ length }) => length)));

export { Plot };
