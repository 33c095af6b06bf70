import { z } from 'zod'
import { Refusal } from './refusal.ts'

export interface Condition {
  path: string[]
  operator: '=' | '<' | '<=' | '>' | '>='
  value: string | number
}

/** `SELECT * FROM c WHERE … AND … ORDER BY c.path`, the parameters filled in. */
export interface Query {
  conditions: Condition[]
  order?: { path: string[]; descending: boolean }
}

const Request = z.object({
  query: z.string(),
  parameters: z.array(z.object({ name: z.string(), value: z.unknown() })).default([]),
})
const Value = z.union([z.string(), z.number()])

const name = '[A-Za-z_]\\w*'
const path = `${name}(?:\\.${name})+`
const shape = new RegExp(
  `^\\s*SELECT\\s+\\*\\s+FROM\\s+(${name})(?:\\s+WHERE\\s+(.+?))?(?:\\s+ORDER\\s+BY\\s+(${path})(?:\\s+(ASC|DESC))?)?\\s*$`,
  'is',
)
const comparison = new RegExp(`^\\s*(${path})\\s*(=|<=|>=|<|>)\\s*(@\\w+|'[^'\\\\]*'|-?\\d+)\\s*$`, 's')
// An AND inside of a quoted literal is text.
const conjunction = /\s+AND\s+(?=(?:[^']*'[^']*')*[^']*$)/i

/**
 * Reads the part of Cosmos' SQL that the store uses: conditions joined by AND, one ORDER BY.
 *
 * @throws Refusal 400 for everything else
 */
export const parseQuery = (body: unknown): Query => {
  const request = Request.safeParse(body)
  if (!request.success) throw new Refusal(400, 'A query must be {query, parameters}.')
  const match = shape.exec(request.data.query)
  if (!match) throw syntaxError()
  const [, alias = '', where, order, direction] = match
  const parameters = new Map(request.data.parameters.map(({ name, value }) => [name, value]))
  const conditions = where?.split(conjunction).map((text) => conditionOf(text, alias, parameters)) ?? []
  if (order === undefined) return { conditions }
  return { conditions, order: { path: pathOf(order, alias), descending: /desc/i.test(direction ?? '') } }
}

const conditionOf = (text: string, alias: string, parameters: Map<string, unknown>): Condition => {
  const [, subject = '', operator, operand = ''] = comparison.exec(text) ?? []
  if (!isOperator(operator)) throw syntaxError()
  return { path: pathOf(subject, alias), operator, value: operandOf(operand, parameters) }
}

const isOperator = (text: string | undefined): text is Condition['operator'] =>
  text !== undefined && ['=', '<', '<=', '>', '>='].includes(text)

const pathOf = (text: string, alias: string) => {
  const [root, ...names] = text.split('.')
  if (root !== alias) throw new Refusal(400, `Identifier '${root}' could not be resolved.`)
  return names
}

const operandOf = (operand: string, parameters: Map<string, unknown>) => {
  const given = operand.startsWith('@') ? parameters.get(operand) : literal(operand)
  const value = Value.safeParse(given)
  if (!value.success) throw new Refusal(400, `The emulator compares with text and numbers only: ${operand}.`)
  return value.data
}

const literal = (text: string) => (text.startsWith("'") ? text.slice(1, -1) : Number(text))

const syntaxError = () =>
  new Refusal(
    400,
    'Syntax error: the emulator reads SELECT * FROM c, conditions joined by AND, one ORDER BY.',
  )
