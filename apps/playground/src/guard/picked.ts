/** A guard's folder that was picked from the disk: the files it needs, by their path in it. */
import { type Dtype, dtypes, modelFiles } from '@harmaug/guard';
import type { GuardFiles } from '@harmaug/guard/web';

export interface PickedGuard {
  readonly name: string;
  readonly files: GuardFiles;
  readonly models: readonly { readonly dtype: Dtype; readonly bytes: number }[];
}

/** A browser's folder picker gives paths that begin with the folder's name. @throws Error for a folder that is no exported guard */
export function readPicked(list: readonly Pick<File, 'webkitRelativePath'>[] & readonly Blob[]): PickedGuard {
  const files: Record<string, Blob> = {};
  let name = '';
  for (const file of list) {
    const [folder, ...rest] = (file as File).webkitRelativePath.split('/');
    name ||= folder ?? '';
    files[rest.join('/')] = file;
  }
  const models = modelsIn((file) => files[file]?.size);
  if (!files['config.json'] || models.length === 0) {
    throw new Error(
      'This folder is no exported guard: expected config.json and onnx/. Make one: harmaug export <guard>',
    );
  }
  return { name, files, models };
}

/** @param sizeOf bytes of a file of the folder, undefined where there is none */
export function modelsIn(sizeOf: (file: string) => number | undefined): PickedGuard['models'] {
  return dtypes.flatMap((dtype) => {
    const bytes = sizeOf(modelFiles(dtype)[0]!);
    return bytes === undefined ? [] : [{ dtype, bytes }];
  });
}
