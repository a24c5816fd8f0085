/** The page's look: system fonts, few colours that the colour-blind tell apart, light, dark and on paper. */

// Series: after Okabe & Ito 2008, darkened for a contrast of 3:1 on white, lightened for the same on dark
const light = `--paper: #fdfdfc; --ink: #1b1f24; --muted: #6a7078; --line: #d9dce0; --panel: #f3f4f5; --accent: #0b5cad;
  --safe: #4a7fb5; --unsafe: #c8561b;
  --series-1: #0b6cb8; --series-2: #c8561b; --series-3: #0a8a68; --series-4: #a8428c; --series-5: #8a6d00; --series-6: #2f8fb8;
  --series-7: #5b4bb5; --series-8: #5f666e;`;
const dark = `--paper: #15181c; --ink: #e4e7ea; --muted: #9aa2ab; --line: #343a41; --panel: #1d2126; --accent: #7db8f0;
  --safe: #6ea6dc; --unsafe: #f0884a;
  --series-1: #5aa9ec; --series-2: #f0884a; --series-3: #35bd95; --series-4: #dd84c3; --series-5: #d3b13c; --series-6: #7fcbea;
  --series-7: #a99cf5; --series-8: #a3abb4;`;

export const style = `
:root { color-scheme: light dark; ${light} }
@media (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
header, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 28px; }
header { padding-top: 52px; }
h1 { font-size: 34px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 8px; font-weight: 650; }
h2 { font-size: 23px; line-height: 1.25; letter-spacing: -0.01em; margin: 0 0 14px; font-weight: 640; }
h3 { font-size: 17px; margin: 30px 0 6px; font-weight: 620; }
p { max-width: 74ch; margin: 0 0 14px; }
.lead, .about, footer, small, .range { color: var(--muted); }
.about { font-size: 14px; }
a { color: var(--accent); text-underline-offset: 3px; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 22px 0 0; padding: 12px 0; border-block: 1px solid var(--line); font-size: 15px; }
nav a { text-decoration: none; display: inline-block; padding: 3px 0; }
nav a:hover { text-decoration: underline; }
section { padding: 40px 0 14px; scroll-margin-top: 8px; }
section + section { border-top: 1px solid var(--line); }
.note { border-left: 3px solid var(--unsafe); padding-left: 12px; }
.scroll { overflow-x: auto; margin: 12px 0 22px; border: 1px solid var(--line); border-radius: 8px; max-width: fit-content; }
.scroll:focus-visible, button:focus-visible, summary:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; font-size: 14px; line-height: 1.35; }
caption { text-align: left; padding: 11px 14px 7px; font-size: 14px; font-weight: 600; }
caption span { position: sticky; left: 14px; display: inline-block; max-width: min(62ch, calc(100vw - 62px)); }
caption small { display: block; font-weight: 400; font-size: 13px; }
th, td { padding: 7px 14px; text-align: right; vertical-align: top; white-space: nowrap; overflow-wrap: normal; }
th { font-weight: 520; }
thead th { color: var(--muted); border-bottom: 1px solid var(--line); vertical-align: bottom; font-size: 13px; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
tbody tr:hover > * { background: var(--panel); }
.text { text-align: left; }
td.text, th.text { white-space: normal; min-width: 7em; max-width: 26em; }
td.text:has(.mask) { min-width: 15em; max-width: 44em; }
.range { display: block; font-size: 12px; font-weight: 400; white-space: nowrap; }
.bar { display: block; width: 90px; height: 10px; margin-top: 4px; } .bar rect { fill: var(--series-1); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 26px 34px; align-items: start; margin: 16px 0 22px; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: 14px; font-weight: 600; line-height: 1.35; margin-bottom: 4px; }
figcaption small { font-weight: 400; font-size: 13px; display: block; }
.plot { display: block; width: 100%; max-width: 440px; height: auto; overflow: visible; font-family: inherit; }
.plot text { white-space: pre; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 10px 0; font-size: 14px; }
.legend li { display: flex; align-items: center; gap: 7px; min-width: 0; } .legend svg { flex: none; }
.columns { display: flex; flex-wrap: wrap; gap: 0 22px; align-items: flex-start; } .columns > * { max-width: 100%; }
details { margin: 10px 0; } summary { cursor: pointer; padding: 6px 0; font-weight: 520; }
button { font: inherit; font-size: 13px; color: var(--accent); background: none; border: 1px solid var(--line); border-radius: 6px; padding: 3px 10px; cursor: pointer; }
button:hover { background: var(--panel); }
.mask { display: inline; } .shown { display: block; white-space: pre-wrap; padding: 8px 0; overflow-wrap: anywhere; } .shown[hidden] { display: none; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th { position: relative; }
thead th:first-child, tbody th { position: sticky; left: 0; background: var(--paper); }
tbody tr:hover > th { background: var(--panel); }
.cards { list-style: none; padding: 0; margin: 6px 0 18px; max-width: 80ch; }
.cards li { border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; margin: 8px 0; }
.cards p { margin: 0 0 8px; font-size: 14px; } .cards .mask { display: inline; }
footer { border-top: 1px solid var(--line); margin-top: 34px; padding-block: 22px 60px; font-size: 13px; }
footer ul { padding-left: 18px; }
@media (max-width: 640px) {
  header, main, footer { padding-inline: 16px; } header { padding-top: 30px; }
  h1 { font-size: 27px; } h2 { font-size: 21px; } body { font-size: 15.5px; }
  th, td { padding: 6px 10px; } section { padding-top: 30px; } nav ul { gap: 2px 16px; }
}
@media print {
  :root { ${light} --paper: #fff; }
  body { font-size: 10.5pt; } header, main, footer { max-width: none; padding-inline: 0; } header { padding-top: 0; }
  nav, button { display: none; } .gallery { grid-template-columns: repeat(2, 1fr); }
  figure, tr, h2, h3, caption { break-inside: avoid; } h2, h3 { break-after: avoid; }
  caption span, thead th:first-child, tbody th { position: static; max-width: none; }
  .scroll { overflow: visible; border: 0; } table, thead th, .range, caption small { font-size: 7.5pt; } th, td { padding: 2pt 4pt; white-space: normal; }
  caption { padding: 4pt; font-size: 9.5pt; } td.text, th.text { min-width: 0; } tbody tr { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
