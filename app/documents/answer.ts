/** A document that a question has found. `score` compares it with the others of the same answer. */
export type Found = Readonly<{ id: string; title: string; content: string; score: number }>

/** The service answered, but not with a whole list: nothing of it may be shown. */
export class AnswerIncomplete extends Error {
  override name = 'AnswerIncomplete'
  readonly code = 'answer_incomplete'
}
