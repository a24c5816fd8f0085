import type { Stretch } from './view.ts';
import { type ViewName, viewNames, views } from './views.ts';

export interface FoundView extends Stretch {
  readonly view: ViewName;
}

/** Every disguise that a text, or a stretch of it, seems to wear. */
export function findViews(text: string): FoundView[] {
  return viewNames.flatMap((view) => {
    const found = views[view](text);
    return found === null ? [] : [{ view, ...found }];
  });
}
