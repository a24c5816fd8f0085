/** Who labels rows, and the keys of their calls. */
import path from 'node:path';
import { hashKey } from '../ledger/key.node.ts';
import type { Judgeable } from '../ledger/sets.node.ts';
import { families } from '../teachers/families/index.ts';
import { type Identity, type SingleTeacher, teacherIdentity } from './identity.node.ts';
import { modelOf, need, type Pipeline, teacherOf } from './pipeline.node.ts';
import type { Price } from './prices.ts';

export interface Judging {
  /** As it is called in the ledger and in exports. */
  readonly name: string;
  readonly config: SingleTeacher;
  readonly identity: Identity;
  readonly price: Price | null;
  /** Questions it is asked about one text. */
  readonly questions: number;
}

export interface Judges {
  readonly name: string;
  readonly teachers: readonly Judging[];
  /** Verdicts needed for a label; absent: all. */
  readonly minimum: number | undefined;
}

/** The recipe's teacher; an average is the teachers it is made of. */
export async function judgesOf(pipeline: Pipeline): Promise<Judges> {
  const section = need(pipeline, 'label');
  const config = teacherOf(pipeline, section);
  const at = (file: string) => path.resolve(pipeline.folder, file);
  const teachers: Judging[] = [];
  for (const part of config.family === 'average' ? config.of : [config]) {
    const identity = await teacherIdentity(part, pipeline.models, at);
    teachers.push({ ...describe(pipeline, part), config: part, identity });
  }
  const own = teachers.map(({ name }) => name).join(' + ');
  const minimum = config.family === 'average' ? config.minimum : undefined;
  return { name: own, teachers, minimum };
}

function describe(pipeline: Pipeline, part: SingleTeacher): Pick<Judging, 'name' | 'price' | 'questions'> {
  if (part.family === 'openai-moderation') return { name: part.model, price: null, questions: 1 };
  if (part.family === 'classifier')
    return { name: path.basename(path.resolve(part.folder)), price: null, questions: 1 };
  const { name, config, price } = modelOf(pipeline, part.model);
  const policy = part.policy ?? part.policyFile;
  const questions = families[part.family].ask({ id: '', prompt: '', response: '' }, policy).length;
  const model = 'model' in config ? path.basename(config.model) : name;
  return { name: `${part.family} (${model})`, price, questions };
}

/** Key of a verdict's call: the texts and the teacher. */
export function verdictKey({ prompt, response }: Judgeable, { identity }: Judging): string {
  return hashKey(['label', identity, prompt, response]);
}
