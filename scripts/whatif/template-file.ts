/** Which file says what is to be deployed. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '../cli/problem.ts'

// In azd's order: a .bicepparam counts before the older form.
const USUAL = ['main.bicepparam', 'main.parameters.json']

const refused = (what: string, fix: string) =>
  new Problem({ what, why: 'It is not known what would be deployed.', fix })

/** What a folder is deployed with; of one without parameter files its template. Throws a Problem that says what to name. */
export function findTemplateFile(infra: string): string {
  const files = existsSync(infra) ? readdirSync(infra).toSorted() : []
  const parameters = files.filter((name) => /\.(bicepparam|parameters\.json)$/.test(name))
  const templates = files.filter((name) => name.endsWith('.bicep'))
  const usual = USUAL.find((name) => files.includes(name))
  if (usual) return join(infra, usual)
  if (parameters.length === 0 && templates.includes('main.bicep')) return join(infra, 'main.bicep')
  const candidates = parameters.length > 0 ? parameters : templates
  const [found, ...others] = candidates
  if (found === undefined)
    throw refused(
      `No template found in ${infra}: neither a parameter file nor a Bicep file.`,
      'Name one: --infra <folder>, or --parameters <file>',
    )
  if (others.length === 0) return join(infra, found)
  throw refused(
    `Several ${parameters.length > 0 ? 'parameter' : 'Bicep'} files in ${infra}: ${candidates.join(', ')}.`,
    'Name one: --parameters <file>',
  )
}

/** Throws a Problem where it is not there, or of another kind. */
export function checkTemplateFile(file: string): string {
  if (!existsSync(file))
    throw refused(`There is no ${file}.`, 'Correct --parameters, or name a folder: --infra <folder>')
  if (/\.(bicepparam|bicep|json)$/.test(file)) return file
  throw refused(
    `${file} is no parameter file.`,
    'Name a .bicepparam, a .parameters.json of azd, or a .bicep file',
  )
}
