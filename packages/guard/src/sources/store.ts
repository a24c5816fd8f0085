/** Files kept on this device, so that a guard that was loaded once loads without the network. */

/** What a server says of a file's state; two equal ones mean equal bytes. */
export interface Stamps {
  readonly etag: string | null;
  readonly lastModified: string | null;
  readonly length: string | null;
}

export interface KeptFile {
  readonly stamps: Stamps;
  /** `null`: the server said that there is no such file. */
  readonly read: (() => Promise<Uint8Array>) | null;
}

export interface FileStore {
  find(url: string): Promise<KeptFile | null>;
  /** @throws when there is no room for it */
  keep(url: string, bytes: Uint8Array | null, stamps: Stamps): Promise<void>;
  /** Forgets every file whose address begins so. */
  drop(prefix: string): Promise<void>;
}

export const noStamps: Stamps = { etag: null, lastModified: null, length: null };

export function stampsOf({ headers }: Response): Stamps {
  return {
    etag: headers.get('etag'),
    lastModified: headers.get('last-modified'),
    length: headers.get('content-length'),
  };
}

/** Whether both are of the same bytes, as far as the server tells. */
export function areSame(one: Stamps, other: Stamps): boolean {
  const says = one.etag !== null || one.lastModified !== null;
  return says && one.etag === other.etag && one.lastModified === other.lastModified && one.length === other.length;
}
