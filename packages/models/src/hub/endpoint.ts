import { ConfigError } from 'onnx-grad';

/** Where the hub is. */

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

/**
 * The address without a slash at its end.
 * @param name of the setting, for the error
 * @throws ConfigError for what is no web address, or has a name, password or query in it
 */
export function readEndpoint(text: string, name: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== ''
  ) {
    throw new ConfigError(`${name} must be a web address without a name or password in it, as ${DEFAULT_ENDPOINT} is.`);
  }
  return url.href.replace(/\/+$/, '');
}
