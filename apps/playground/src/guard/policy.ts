/** The page's content security policy, as far as it depends on which guard is asked for. */
import { type Place, sourcesOf } from './place.ts';

/** From now on the page connects to its own site and the asked-for place alone. A policy can only be narrowed. */
export function narrowPolicy(place: Place): void {
  const meta = document.createElement('meta');
  meta.httpEquiv = 'Content-Security-Policy';
  meta.content = `connect-src ${sourcesOf(place).join(' ')}`;
  document.head.append(meta);
}
