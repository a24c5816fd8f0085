/** What the site says of the guard that lies in it: `playground.json`. */
import type { Dtype } from '@harmaug/guard';

export interface SiteInfo {
  readonly name: string;
  readonly models: readonly { readonly dtype: Dtype; readonly bytes: number }[];
}

/** @throws Error for a site without a guard */
export async function readSite(): Promise<SiteInfo> {
  const response = await fetch('playground.json').catch(() => null);
  if (!response?.ok) throw new Error('This site has no playground.json. Is the page online, and the site complete?');
  return (await response.json()) as SiteInfo;
}
