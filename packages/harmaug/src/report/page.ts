/** Findings -> one HTML page that needs nothing else: no network, and no script but the one that shows a text when asked. */
import { benchmarksOf, evaluationOn, namedGuards } from './benchmarks.ts';
import type { Findings } from './findings.ts';
import { Html, html } from './html.ts';
import { evaluateScores, linkScores } from './link-scores.ts';
import { shortNames } from './names.ts';
import { revealScript } from './reveal.ts';
import { sections } from './sections/index.ts';
import type { Material, Text } from './sections/section.ts';
import { style } from './style.ts';

export interface PageOptions {
  readonly title: string;
  /** "2026-11-30" */
  readonly date: string;
  /** "harmaug 0.1.0" */
  readonly madeBy: string;
  /** Hash of `revealScript`, "sha256-…": the one script that the page lets run. */
  readonly scriptHash: string;
  /** Texts of rows by set and id. */
  readonly texts?: Material['texts'];
}

export interface Page {
  readonly html: string;
  /** Ids of the sections that it has. */
  readonly sections: readonly string[];
}

export function renderPage(findings: Findings, options: PageOptions): Page {
  const material = prepare(findings, options.texts ?? new Map());
  const parts = sections.flatMap(({ id, title, render }) => {
    const content = render(material);
    return content === null ? [] : [{ id, title, content }];
  });
  const policy = `default-src 'none'; script-src '${options.scriptHash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${options.title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<h1>${options.title}</h1>
<p class="lead">${options.date} · ${options.madeBy}</p>
<nav aria-label="Sections"><ul>${parts.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
</header>
<main>
${parts.map(({ id, title, content }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>\n${content}\n</section>\n`)}
</main>
<footer>
<p>Made from saved results alone:</p>
<ul>${readFrom(findings).map((place) => html`<li>${material.nameOf(place)}</li>`)}</ul>
</footer>
<script>${new Html(revealScript)}</script>
</body>
</html>
`;
  return { html: page.text, sections: parts.map(({ id }) => id) };
}

const readFrom = (findings: Findings): string[] => [
  ...new Set(Object.values(findings).flatMap((list) => (list as { from: string }[]).map(({ from }) => from))),
];

function prepare(findings: Findings, texts: ReadonlyMap<string, ReadonlyMap<string, Text>>): Material {
  const { guards, scores, students, runs, measures, exports, costs, calibrations, adaptations, comparisons } = findings;
  const places = [
    ...readFrom(findings),
    ...[...students, ...runs].map(({ name }) => name),
    ...exports.map(({ folder }) => folder),
    ...costs.flatMap(({ models, against }) => [...models, ...(against ? [against] : [])].map(({ name }) => name)),
    ...calibrations.map(({ file }) => file.replace(/[\\/]guard\.json$/, '')),
    ...adaptations.map(({ guard }) => guard),
    ...comparisons.flatMap(({ scores: one, against }) => [one, against]),
    ...guards.map(({ guard }) => guard),
    ...measures.map(({ from }) => from),
  ];
  const names = shortNames(places);
  const nameOf = (place: string) => names.get(place) ?? place;
  const evaluated = namedGuards(guards, nameOf);
  const linked = linkScores(scores, evaluated, benchmarksOf(evaluated));
  const alone = linked.others.map((file) => ({
    file,
    guard: {
      guard: file.name,
      about: {},
      sets: [evaluateScores(file)],
      together: 1,
      from: file.from,
      name: nameOf(file.from),
    },
  }));
  const all = [...evaluated, ...alone.map(({ guard }) => guard)];
  const benchmarks = benchmarksOf(all);
  const ofFiles = alone.map(({ file: { rows }, guard }) => {
    const benchmark = benchmarks.find((one) => evaluationOn(guard, one) !== null)!;
    return { guard: guard.name, benchmark, threshold: guard.sets[0]!.threshold, rows };
  });
  const scored = [...linked.scored, ...ofFiles];
  return { ...findings, guards: all, benchmarks, scored, texts, nameOf };
}
