/** Columns of what is exported: the contract of labelled data first, then where each row comes from. */

export interface Column {
  readonly name: string;
  readonly type: 'STRING' | 'DOUBLE' | 'INT32' | 'BOOLEAN';
  readonly about: string;
}

export const datasetColumns = [
  { name: 'id', type: 'STRING', about: 'of the row: a hash of what it was made from' },
  { name: 'prompt', type: 'STRING', about: 'the instruction' },
  { name: 'response', type: 'STRING', about: 'absent: the instruction alone is judged' },
  { name: 'soft_label', type: 'DOUBLE', about: 'p(unsafe) of the teacher' },
  { name: 'label', type: 'INT32', about: '1 = unsafe, where the row was imported with one' },
  { name: 'source', type: 'STRING', about: 'harmaug, or what was imported' },
  { name: 'category', type: 'STRING', about: 'the instruction was written for' },
  { name: 'kind', type: 'STRING', about: 'harmful or benign, as asked for; imported' },
  { name: 'response_kind', type: 'STRING', about: 'prompt (alone), refusal or compliant, as asked for; imported' },
  { name: 'log_odds', type: 'DOUBLE', about: 'ln(p / (1 - p)) of the teacher: order where p is 0 or 1' },
  { name: 'teacher_category', type: 'STRING', about: 'as the teacher calls it' },
  { name: 'boundary', type: 'BOOLEAN', about: 'p is near 0.5' },
  { name: 'disputed', type: 'BOOLEAN', about: 'the teachers disagree' },
  { name: 'refusal', type: 'BOOLEAN', about: 'the response reads like a refusal' },
  { name: 'cut_off', type: 'BOOLEAN', about: 'the response ended by the limit of tokens' },
  { name: 'generator', type: 'STRING', about: 'model that wrote the instruction' },
  { name: 'responder', type: 'STRING', about: 'model that wrote the response' },
  { name: 'teacher', type: 'STRING', about: 'who gave soft_label' },
  { name: 'instruction', type: 'STRING', about: 'id shared by the rows of one instruction' },
] as const satisfies readonly Column[];

export type ColumnName = (typeof datasetColumns)[number]['name'];
export type DatasetRow = Readonly<Record<ColumnName, string | number | boolean | null>>;
