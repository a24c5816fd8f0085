/** What names a guard at an address. */
import { ConfigError } from 'onnx-grad';

/**
 * The folder's address with a slash at its end.
 * @throws ConfigError for another protocol than http and https, and for a query or a fragment, which files do not inherit
 */
export function folderAddress(url: URL): string {
  const shown = `${url.origin}${url.pathname}`.slice(0, 120);
  if (!/^https?:$/.test(url.protocol)) {
    throw new ConfigError(`A guard's address begins with https:// or http://, got ${url.protocol}`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new ConfigError(`${shown}: a guard's address is that of its folder, without ? or #.`);
  }
  return url.href.replace(/\/*$/, '/');
}
