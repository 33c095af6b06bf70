/** What Azure Resource Manager says that a deployment would change. It says nothing about Microsoft Graph. */
import { z } from 'zod'
import { attempt } from './command.ts'
import { fenced } from './identity-preview.ts'

const Answer = z.object({
  changes: z.array(
    z.object({
      changeType: z.string(),
      resourceId: z.string(),
      delta: z.array(z.object({ path: z.string() })).nullish(),
    }),
  ),
})
const QUIET = ['NoChange', 'Ignore', 'NoEffect']

export interface AzurePreview {
  failed: boolean
  markdown: string
}

const shortName = (id: string) => id.split('/').slice(-2).join('/')
/** Texts of the template end up in a table. */
const cell = (text: string) => text.replaceAll('|', '\\|').replace(/[\r\n`<>]/g, ' ')

export async function azurePreview(environment: string, location: string): Promise<AzurePreview> {
  const { code, stdout, stderr } = await attempt('az', [
    ...['deployment', 'sub', 'what-if', '--name', `preview-${environment}`, '--location', location],
    // The usual level asks for write rights, which a preview must not have.
    ...['--parameters', 'infra/main.bicepparam', '--validation-level', 'providerNoRbac'],
    ...['--no-pretty-print', '--output', 'json'],
  ])
  if (code !== 0)
    return { failed: true, markdown: `The preview of Azure resources failed:\n\n${fenced(stderr || stdout)}` }
  const changes = Answer.parse(JSON.parse(stdout)).changes.filter(
    ({ changeType }) => !QUIET.includes(changeType),
  )
  if (changes.length === 0) return { failed: false, markdown: 'No Azure resource would change.' }
  const rows = changes.map(({ changeType, resourceId, delta }) => {
    const paths = (delta ?? []).map(({ path }) => `\`${cell(path)}\``).join(', ')
    return `| ${cell(changeType)} | \`${cell(shortName(resourceId))}\` | ${paths} |`
  })
  const table = ['| change | resource | properties |', '| --- | --- | --- |', ...rows].join('\n')
  const title = `${changes.length} Azure resource${changes.length === 1 ? '' : 's'} would change`
  return { failed: false, markdown: `<details><summary>${title}</summary>\n\n${table}\n\n</details>` }
}
