/** Values as the compiler leaves them. */
import { readTemplate } from '../../../scripts/bicep/template.ts'
import { call, known, type Term } from '../../../scripts/bicep/term.ts'
import { Unknown } from '../../../scripts/bicep/value.ts'

const template = readTemplate({ resources: { environment: { type: 'Microsoft.App/managedEnvironments' } } })

interface Options {
  /** The template makes what is in braces. */
  isMade?: boolean
  isNew?: boolean
}

/** `https://ca-x.{environment.defaultDomain}/mcp`: what is in braces is a property of a resource. */
export function unknown(text: string, { isMade = false, isNew = false }: Options = {}): Unknown {
  const parts = text.split(/[{}]/).map((part, at): Term => {
    const [symbol = '', ...path] = part.split('.')
    const module = isMade ? template : undefined
    return at % 2 === 0 ? known(part) : { kind: 'source', module, symbol, path }
  })
  return new Unknown(call('concat', parts), { isNew })
}
