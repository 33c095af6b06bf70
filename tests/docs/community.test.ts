import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { marked } from 'marked'
import { parse } from 'yaml'
import { z } from 'zod'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')
const PAGES = ['CHANGELOG.md', 'CODE_OF_CONDUCT.md', 'CONTRIBUTING.md', 'SECURITY.md']

describe('What people look for in a repository', () => {
  for (const page of PAGES)
    it(`${page} leads to pages that are there, and to others by https`, () => {
      marked.walkTokens(marked.lexer(textOf(page)), (token) => {
        if (token.type !== 'link') return
        if (!/^https:/.test(token.href)) assert.ok(existsSync(new URL(token.href, root)), token.href)
      })
    })

  it('is a form for faults, whose parts have distinct ids and say that secrets stay out', () => {
    // https://docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    const attributes = z.strictObject({
      label: z.string(),
      description: z.string().optional(),
      options: z.array(z.string()).min(1).optional(),
    })
    const Form = z.strictObject({
      name: z.string(),
      description: z.string(),
      body: z.array(
        z.strictObject({
          type: z.enum(['dropdown', 'textarea']),
          id: z.string().regex(/^[\w-]+$/),
          attributes,
          validations: z.strictObject({ required: z.boolean() }),
        }),
      ),
    })
    const { body } = Form.parse(parse(textOf('.github/ISSUE_TEMPLATE/fault.yml')))
    assert.equal(new Set(body.map(({ id }) => id)).size, body.length)
    for (const { type, attributes: has } of body) assert.equal(type === 'dropdown', has.options !== undefined)
    assert.match(JSON.stringify(body), /Leave out tokens, secrets/)
  })

  it('is the front matter of a sample, first of all in README.md, with words that the galleries know', () => {
    // Azure/azure-sphere-samples, "Requirements for samples browser": first in the file, which fields, which characters.
    // In a comment as in the azd templates of Azure-Samples (mcp-container-ts), so that GitHub shows no table of it.
    // Their words: languages of todo-nodejs-mongo-aca, and products of it and of the samples about Entra ID.
    const Sample = z.strictObject({
      page_type: z.literal('sample'),
      languages: z.array(z.enum(['azdeveloper', 'bicep', 'nodejs', 'typescript'])).min(1),
      products: z
        .array(
          z.enum([
            ...(['azure', 'azure-container-apps', 'azure-container-registry', 'azure-cosmos-db'] as const),
            ...(['azure-monitor', 'entra-id', 'ms-graph'] as const),
          ]),
        )
        .min(1),
      urlFragment: z.string().regex(/^[a-z0-9-]+$/),
      name: z.string().min(1),
      description: z.string().min(1),
    })
    const [, matter = ''] = /^<!--\n---\n([\s\S]+?)\n---\n-->\n/.exec(textOf('README.md')) ?? []
    const { languages, products, urlFragment } = Sample.parse(parse(matter))
    for (const list of [languages, products]) assert.equal(new Set<string>(list).size, list.length)
    // As every azd template there.
    assert.ok(languages.includes('azdeveloper'))
    assert.ok(textOf('azure.yaml').includes(`template: ${urlFragment}@`))
  })

  it('is an update of every kind of dependency, in folders that have one', () => {
    // https://docs.github.com/code-security/dependabot/working-with-dependabot/dependabot-options-reference
    const Updates = z.strictObject({
      version: z.literal(2),
      updates: z.array(
        z.strictObject({
          'package-ecosystem': z.enum(['npm', 'github-actions', 'docker']),
          directory: z.string().startsWith('/').optional(),
          directories: z.array(z.string().startsWith('/')).optional(),
          schedule: z.strictObject({ interval: z.enum(['daily', 'weekly', 'monthly']) }),
          cooldown: z.strictObject({ 'default-days': z.number().min(1).max(90) }).optional(),
          groups: z.record(z.string(), z.record(z.string(), z.string())).optional(),
        }),
      ),
    })
    const { updates } = Updates.parse(parse(textOf('.github/dependabot.yml')))
    const MARKS = { npm: 'package.json', docker: 'Dockerfile', 'github-actions': 'action.yml' }
    for (const { 'package-ecosystem': kind, directory, directories = [] } of updates)
      for (const folder of [...directories, ...(directory ? [directory] : [])]) {
        const files = readdirSync(new URL(`.${folder}`, root))
        assert.ok(files.includes(MARKS[kind]) || (kind === 'github-actions' && folder === '/'), folder)
      }
  })

  it('is a container with the Node and the compiler that everything else here names', () => {
    const { image, features, postCreateCommand } = z
      .object({
        image: z.string(),
        features: z.record(z.string(), z.looseObject({})),
        postCreateCommand: z.string(),
      })
      .parse(JSON.parse(textOf('.devcontainer/devcontainer.json')))
    assert.match(image, /:24-/)
    assert.equal(postCreateCommand, 'npm ci')
    const { bicepVersion } = features['ghcr.io/devcontainers/features/azure-cli:1'] ?? {}
    const action = textOf('.github/actions/identity-what-if/action.yml')
    assert.ok(action.includes(`default: ${bicepVersion}\n`))
    assert.ok(Object.keys(features).some((name) => name.startsWith('ghcr.io/azure/azure-dev/azd:')))
  })
})
