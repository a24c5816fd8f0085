/** Files of a site: bytes, or a file that is read when it is asked for. */
export type SiteFile = { readonly bytes: Uint8Array } | { readonly file: string };

/** By path in the site, without a slash in front: `index.html`, `guard/config.json`. */
export type SiteFiles = ReadonlyMap<string, SiteFile>;
