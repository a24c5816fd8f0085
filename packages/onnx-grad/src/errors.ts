/** What went wrong, in the words a user needs: what, where, expected, got, remedy. Each kind is a class to catch. */

/** Shapes, element types or ranks that do not fit together; thrown where the node is made. */
export class ShapeError extends Error {
  override name = 'ShapeError';
}

/** An option or configuration outside what is allowed. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Bytes from outside that are not what their format says. `file` and `field` name the place. */
export class FormatError extends Error {
  override name = 'FormatError';
  readonly file: string | undefined;
  readonly field: string | undefined;
  constructor(message: string, place: { file?: string; field?: string; cause?: unknown } = {}) {
    super(message, place.cause === undefined ? undefined : { cause: place.cause });
    this.file = place.file;
    this.field = place.field;
  }
}

/** A device or runtime that cannot do what was asked of it. */
export class DeviceError extends Error {
  override name = 'DeviceError';
}
