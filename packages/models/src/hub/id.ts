import { ConfigError } from 'onnx-grad';

/** What names a repository on the hub: `owner/name`, `owner/name@revision`, `datasets/owner/name`, each also after `hf:`. */

export interface HubId {
  readonly kind: 'model' | 'dataset';
  /** owner/name */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const DEFAULT_REVISION = 'main';
// Source: huggingface_hub 2.4, utils/_validators.py, validate_repo_id
const NAME = /^(?!.*(?:--|\.\.))(?!.*\.git$)\w(?:[\w.-]{0,94}\w)?$/;
// What git allows of a name, less what a path or a URL would read otherwise.
const REVISION = /^(?!.*(?:\.\.|\/\/|\.lock$))\w(?:[\w./-]{0,198}[\w-])?$/;
const COMMIT = /^[0-9a-f]{40}$/;

const EXPECTED = 'Expected owner/name or owner/name@revision, as in microsoft/deberta-v3-xsmall';

/**
 * @returns `null` for what does not look like an id, a path for example
 * @throws ConfigError for what begins with `hf:`, or has an `@` after owner/name, and goes on wrongly
 */
export function parseHubId(text: string): HubId | null {
  const isMarked = text.startsWith('hf:');
  const [repoPart, ...rest] = (isMarked ? text.slice(3) : text).split('@');
  const parts = repoPart!.split('/');
  const kind = parts.length === 3 && parts[0] === 'datasets' ? 'dataset' : 'model';
  const names = kind === 'dataset' ? parts.slice(1) : parts;
  const isRepo = names.length === 2 && names.every((name) => NAME.test(name));
  const revision = rest.length === 0 ? DEFAULT_REVISION : rest.join('@');
  if (isRepo && REVISION.test(revision)) return { kind, repo: names.join('/'), revision };
  if (isMarked || isRepo) throw new ConfigError(`${shown(text)} is no hub id. ${EXPECTED}.`);
  return null;
}

export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** As one writes it: owner/name, with the revision where it is not the usual one. */
export function formatHubId({ kind, repo, revision }: HubId): string {
  const prefix = kind === 'dataset' ? 'datasets/' : '';
  return `${prefix}${repo}${revision === DEFAULT_REVISION ? '' : `@${revision}`}`;
}

/** Its path on the hub's pages and for its files. */
export function pagePath({ kind, repo }: HubId): string {
  return kind === 'dataset' ? `datasets/${repo}` : repo;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
