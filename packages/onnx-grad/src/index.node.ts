/** What needs Node: training, files, threads. */
export { readModelFile, writeModelFile } from './onnx/files.node.ts';
export { createSession, type Device, type SessionOptions } from './session/session.node.ts';
export { createTrainer } from './train/create.node.ts';
