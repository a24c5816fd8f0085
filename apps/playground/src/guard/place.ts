/** Which guard the page's address asks for, and what the page may then connect to. */
import { DEFAULT_ENDPOINT, parseHubId } from '@harmaug/models';

export type Place =
  | { readonly kind: 'own' }
  | { readonly kind: 'hub'; readonly id: string }
  | { readonly kind: 'address'; readonly url: string };

/** Hosts that the hub's files come from. */
const HUB_SOURCES = [DEFAULT_ENDPOINT, 'https://*.huggingface.co', 'https://*.hf.co'];

/** @param search of the page: `?guard=owner/name` or `?guard=https://…` @throws Error for what is neither */
export function readPlace(search: string): Place {
  const asked = new URLSearchParams(search).get('guard')?.trim() ?? '';
  if (asked === '') return { kind: 'own' };
  if (/^https?:\/\//i.test(asked) && URL.canParse(asked)) return { kind: 'address', url: new URL(asked).href };
  if (parseHubId(asked) !== null) return { kind: 'hub', id: asked };
  throw new Error('Expected the address of a guard’s folder (https://…) or a hub id (owner/name).');
}

/** Sources for the page's `connect-src`. */
export function sourcesOf(place: Place): readonly string[] {
  const sources = {
    own: () => [],
    hub: () => HUB_SOURCES,
    address: () => [new URL((place as { url: string }).url).origin],
  };
  return ["'self'", ...sources[place.kind]()];
}
